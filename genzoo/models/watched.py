"""Losses that cease to be numbers: noticed on the device, read when something else is read anyway."""

from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor

NEVER = torch.iinfo(torch.int64).max


class WatchedModule(LightningModule):
    """A module that stops its training when a loss is not finite any more, and keeps its good checkpoints."""

    def __init__(self) -> None:
        super().__init__()
        self._first_not_finite: dict[str, Tensor] = {}

    def watch(self, name: str, loss: Tensor, step: int) -> None:
        """Notes on the device whether a loss is finite; `require_finite` reads the note.

        Args:
            name: What the loss is reported as, under ``train/``.
            loss: Of this step, a scalar.
            step: Which step this is, counted from 0 as in the loggers.
        """
        never = loss.new_full((), NEVER, dtype=torch.int64)
        found = torch.where(loss.detach().isfinite(), never, step)
        self._first_not_finite[name] = torch.minimum(self._first_not_finite.get(name, never), found)

    def require_finite(self) -> None:
        """Stops the training of a model whose loss has ceased to be a number; to be asked on all devices at once.

        Asked on log steps, at the end of an epoch and before a checkpoint is written, so that none is overwritten
        by a broken one and no other step waits for the device.

        Raises:
            RuntimeError: If a watched loss was not finite, on whichever device.
        """
        if self.trainer.world_size > 1 and self._first_not_finite:
            # All devices stop together: none waits for one that has.
            noted = torch.stack([*self._first_not_finite.values()])
            torch.distributed.all_reduce(noted, torch.distributed.ReduceOp.MIN)
            self._first_not_finite = dict(zip(self._first_not_finite, noted.unbind(), strict=True))
        self.require_finite_here()

    def require_finite_here(self) -> None:
        """The same, as far as this device knows.

        Raises:
            RuntimeError: If a watched loss was not finite.
        """
        steps = {name: int(step) for name, step in self._first_not_finite.items()}
        first = min(steps, key=steps.__getitem__, default=None)
        if first is not None and steps[first] != NEVER:
            kept = getattr(self.trainer.checkpoint_callback, "last_model_path", "")
            remedies = {
                "a lower learning rate": True,
                "clipped gradients": self.trainer.gradient_clip_val is None,
                "32-bit precision": self.trainer.precision not in ("32-true", "64-true"),
            }
            raise RuntimeError(
                f"{first} was not finite at step {steps[first]} (epoch {self.trainer.current_epoch}) and training has "
                f"stopped; try {' or '.join(text for text, is_new in remedies.items() if is_new)}. "
                + (f"The last good checkpoint is {kept}" if kept else "There is no checkpoint from before")
            )

    def on_fit_start(self) -> None:
        """Forgets the losses of an earlier run."""
        super().on_fit_start()
        self._first_not_finite = {}

    def on_train_epoch_end(self) -> None:
        """Stops if a loss has ceased to be a number."""
        super().on_train_epoch_end()
        self.require_finite()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keeps weights that are not numbers out of checkpoints."""
        super().on_save_checkpoint(checkpoint)
        self.require_finite()
