"""The page of a run, written when it ends."""

import json
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import Timer
from lightning_utilities.core.rank_zero import rank_zero_warn

from genzoo.files import write_whole
from genzoo.provenance import PROVENANCE
from genzoo.report.story import TRAINING
from genzoo.report.writing import refresh_tested, write_report
from genzoo.training.steps import ends_step
from genzoo.zoo.entry import CONFIG


class Report(Callback):
    """Writes ``report.html`` into the folder of a run when training or a test ends, also when it was interrupted.

    What the page says of a training that no other file tells, such as the time that it took, is kept in
    ``training.json``. A test also writes the page of the run that it measured, if that has one. A page that cannot be
    written is told in one line and costs nothing else.
    """

    def __init__(self) -> None:
        self._has_begun = False

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Forgets an earlier fit."""
        self._has_begun = False

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Notes the first step: what ends before it leaves no trace in the folder of a run that it would go on with."""
        self._has_begun = self._has_begun or ends_step(trainer, batch_idx)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Writes the page, after all other callbacks have written what they had."""
        self._write(trainer)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Writes the page of what there is; a request to end at once is no `Exception`."""
        if self._has_begun and isinstance(exception, Exception):
            self._write(trainer)

    def _write(self, trainer: Trainer) -> None:
        folder = Path(trainer.default_root_dir)
        files = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        # A run that could not begin, or keeps nothing, has nothing to tell and leaves no folder.
        is_run = CONFIG in files and any(not name.startswith(".") for name in files - {CONFIG, PROVENANCE})
        if not trainer.is_global_zero or trainer.fast_dev_run or not is_run:  # type: ignore[attr-defined]
            return
        try:
            if trainer.training or trainer.state.fn == "fit":
                write_whole(folder / TRAINING, json.dumps(_training(trainer), indent=2) + "\n")
            write_report(folder)
            refresh_tested(folder)
        # Whatever it is, it must not cost the run that the page tells of.
        except Exception as error:
            rank_zero_warn(f"the page of the run could not be written: {error}")


def seconds_of_training(trainer: Trainer) -> float | None:
    """How long a training has taken, in all its parts; None if nothing has timed it."""
    timer = next((callback for callback in trainer.callbacks if isinstance(callback, Timer)), None)  # type: ignore[attr-defined]
    return None if timer is None else timer.time_elapsed("train")


def _training(trainer: Trainer) -> dict[str, object]:
    """What the other files do not tell of a training."""
    device = trainer.strategy.root_device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper()
    return {
        "steps": trainer.global_step,
        "epochs": trainer.current_epoch,
        "seconds": seconds_of_training(trainer),
        "device": f"{trainer.world_size} x {name}",
    }
