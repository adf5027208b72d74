"""Checkpoints: the last state of a run, its best one, and those that the user asks for; each whole or not there."""

import time
from pathlib import Path, PurePath
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor

from genzoo.checkpoint_files import BEST, LAST
from genzoo.files import whole_file
from genzoo.training.checkpoint_io import SafeCheckpointIO
from genzoo.training.steps import ends_step

# To agree on something devices wait for each other, which at every batch would show in the speed.
BATCHES_BETWEEN_AGREEMENTS = 10


class WholeCheckpointIO(SafeCheckpointIO):
    """Writes checkpoints beside their place, moves them there once they are on disk, and reads them safely."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Writes a checkpoint; one of the same name stays as it is until the new one is whole.

        Args:
            checkpoint: What to write.
            path: Where to; its folder is made if need be. Addresses (``scheme://...``) are left to Lightning.
            storage_options: As for Lightning's method.

        Raises:
            OSError: If the place cannot be written.
        """
        if "://" in str(path):
            super().save_checkpoint(checkpoint, path, storage_options)
            return
        with whole_file(Path(path), "the checkpoint") as unfinished, unfinished.open("wb") as file:
            torch.save(checkpoint, file)


class Checkpoints(ModelCheckpoint):
    """Lightning's `ModelCheckpoint` that also keeps ``last.ckpt`` up to date while an epoch goes on.

    ``last.ckpt`` is written at the end of each epoch and, within one, whenever a step ends and the last time is long
    enough ago. It is always the state after a whole step, from which a resumed run goes on exactly.

    Args:
        minutes_between: How many minutes of training a killed run may lose.
        save_last: Whether there is a ``last.ckpt``.
        **kwargs: As for Lightning's `ModelCheckpoint`.
    """

    def __init__(self, minutes_between: float = 1.0, save_last: bool = True, **kwargs: Any) -> None:
        if kwargs.get("filename") == Path(BEST).stem:
            # Every verb takes this one file for the best; none lies beside it under another name.
            kwargs["enable_version_counter"] = False
        # Lightning writes its own last.ckpt only when other checkpoints are due, where this one has times of its own.
        super().__init__(save_last=False, **kwargs)
        if minutes_between <= 0.0:
            raise ValueError(f"minutes_between of Checkpoints should be more than 0, got {minutes_between}")
        self.minutes_between = minutes_between
        self.keeps_last = save_last
        self._written = time.monotonic()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Starts the clock."""
        super().on_train_start(trainer, pl_module)
        self._written = time.monotonic()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Writes ``last.ckpt`` if a step has just ended and it is time."""
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)
        if ends_step(trainer, batch_idx):
            is_due = time.monotonic() - self._written >= 60.0 * self.minutes_between
            if agreed(trainer, is_due, batch_idx):
                self.write_last(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Writes ``last.ckpt``, after whatever else is due."""
        super().on_train_epoch_end(trainer, pl_module)
        self.write_last(trainer)

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Finds the checkpoints that a run has written where they lie now, whatever their folder was called then."""
        # Lightning calls this before it restores the callbacks, which then get what is changed here.
        states: dict[str, Any] = checkpoint.get("callbacks", {})
        if self.state_key not in states and (earlier := _with_other_settings(self, states)):
            states[self.state_key] = earlier
        for callback in trainer.checkpoint_callbacks:
            if not isinstance(callback, ModelCheckpoint) or callback.state_key not in states:
                continue
            folder = str(callback.dirpath or "")
            if folder and "://" not in folder:
                states[callback.state_key] = _moved(states[callback.state_key], Path(folder))

    def _save_topk_checkpoint(self, trainer: Trainer, monitor_candidates: dict[str, Tensor]) -> None:
        """Waits for a quantity that a callback has yet to measure, unless all checkpoints are kept anyway."""
        awaited = {name for callback in trainer.callbacks for name in getattr(callback, "awaited", ())}  # type: ignore[attr-defined]
        if self.monitor not in awaited:
            super()._save_topk_checkpoint(trainer, monitor_candidates)
        elif self.save_top_k == -1:
            self._save_none_monitor_checkpoint(trainer, monitor_candidates)

    def write_last(self, trainer: Trainer) -> None:
        """Writes ``last.ckpt``; to be called on all devices at once."""
        if not self.keeps_last or trainer.fast_dev_run or self.dirpath is None:  # type: ignore[attr-defined]
            return
        # Before it is written, since the checkpoint holds this callback's state, where its own path belongs.
        previous, self.last_model_path = self.last_model_path, str(Path(self.dirpath) / LAST)
        try:
            trainer.save_checkpoint(self.last_model_path, self.save_weights_only)
        except BaseException:
            self.last_model_path = previous
            raise
        self._written = time.monotonic()
        if trainer.is_global_zero:
            for logger in trainer.loggers:
                logger.after_save_checkpoint(self)


def _with_other_settings(callback: Checkpoints, states: dict[str, Any]) -> dict[str, Any] | None:
    """What `Checkpoints` with the same measure of the best, but for instance another interval, have remembered."""
    # Lightning's key of a callback's state is its class name with a repr of its settings, in this order.
    measure = {"monitor": callback.monitor, "mode": callback.mode}
    for key, state in states.items():
        if key.startswith(f"{Checkpoints.__name__}{{") and repr(measure)[1:-1] in key:
            return state  # type: ignore[no-any-return]
    return None


def _moved(state: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What a `ModelCheckpoint` remembers, its files looked for in a folder; what is not there is forgotten."""
    earlier = PurePath(state["dirpath"] or "")

    def place(path: str) -> str:
        before = PurePath(path)
        name = before.relative_to(earlier) if before.is_relative_to(earlier) else before.name
        return str(folder / name) if path and (folder / name).is_file() else ""

    models = {new: score for path, score in state["best_k_models"].items() if (new := place(path))}
    moved = state | {"dirpath": str(folder), "best_k_models": models}
    moved |= {name: place(state[name]) for name in ("best_model_path", "kth_best_model_path", "last_model_path")}
    if not moved["best_model_path"]:
        moved["best_model_score"] = None
    return moved


def agreed(trainer: Trainer, is_wanted: bool, batch_idx: int) -> bool:
    """Whether any device wants something, known to all of them; asked for every ten batches where there are several.

    Args:
        trainer: Of this device.
        is_wanted: Whether this device wants it.
        batch_idx: The same on all devices.
    """
    if trainer.world_size == 1:
        return is_wanted
    # Every step of a window asks at the same batches, so that no device waits for one that does not ask.
    if (batch_idx // trainer.accumulate_grad_batches) % BATCHES_BETWEEN_AGREEMENTS and not trainer.is_last_batch:
        return False
    return trainer.strategy.reduce_boolean_decision(is_wanted, all=False)
