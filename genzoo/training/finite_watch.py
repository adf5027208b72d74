"""Non-finite losses and weights: noticed on the device, read when something else is done anyway."""

from collections.abc import Iterator
from typing import Any, NoReturn

import torch
from lightning.fabric.utilities.cloud_io import get_filesystem
from lightning.pytorch import LightningModule
from torch import Tensor

NEVER = torch.iinfo(torch.int64).max


class FiniteWatch:
    """Stops a training whose losses or weights are not finite any more, so that good checkpoints are kept.

    Args:
        model: What is trained.
    """

    def __init__(self, model: LightningModule) -> None:
        self.model = model
        self.begin()

    def begin(self) -> None:
        """Forgets the losses of an earlier run, and notes buffers that are meant to be infinite, such as masks."""
        self._first_not_finite: dict[str, Tensor] = {}
        self._infinite_buffers = {name for name, buffer in self.model.named_buffers() if not buffer.isfinite().all()}

    def note(self, name: str, loss: Tensor, step: int) -> None:
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
        """Stops the training of a model with a non-finite loss; to be asked on all devices at once.

        Asked on log steps, at the end of an epoch and before a checkpoint is written, so that none is overwritten
        by a broken one and no other step waits for the device.

        Raises:
            RuntimeError: If a loss was not finite, on whichever device.
        """
        if self.model.trainer.world_size > 1 and self._first_not_finite:
            # All devices stop together: none waits for one that has.
            noted = torch.stack([*self._first_not_finite.values()])
            torch.distributed.all_reduce(noted, torch.distributed.ReduceOp.MIN)
            self._first_not_finite = dict(zip(self._first_not_finite, noted.unbind(), strict=True))
        self.require_finite_here()

    def require_finite_here(self) -> None:
        """The same, as far as this device knows.

        Raises:
            RuntimeError: If a loss was not finite.
        """
        steps = {name: int(step) for name, step in self._first_not_finite.items()}
        first = min(steps, key=steps.__getitem__, default=None)
        if first is not None and steps[first] != NEVER:
            self._stop(f"{first} was not finite at step {steps[first]}")

    def require_finite_weights(self) -> None:
        """Stops the training of a model that is not worth a checkpoint; to be asked on all devices at once.

        Losses need not tell: with weights beyond all bounds a discriminator is sure, and its loss is 0. The weights are
        its parameters, their averages, what its optimisers keep of them, and buffers that were finite at the start.

        Raises:
            RuntimeError: If a value is not finite, on whichever device.
        """
        held, trainer = dict(self._weights_in_checkpoint()), self.model.trainer
        are_finite = torch.stack([value.isfinite().all().to(self.model.device) for value in held.values()])
        # One answer of each device, since a device that holds a part of the weights knows of that part alone.
        if not trainer.strategy.reduce_boolean_decision(bool(are_finite.all())):
            broken = [name for name, is_finite in zip(held, are_finite.tolist(), strict=True) if not is_finite]
            found = broken[0] if broken else "a weight on another device"
            others = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
            self._stop(f"{found}{others} was not finite after step {trainer.global_step}")

    def _weights_in_checkpoint(self) -> Iterator[tuple[str, Tensor]]:
        """All floats that a checkpoint holds, by name; of divided ones the part that is here."""
        names: dict[Tensor, str] = {parameter: name for name, parameter in self.model.named_parameters()}
        held: list[tuple[str, Any]] = [(name, parameter) for parameter, name in names.items()]
        held += [(name, buffer) for name, buffer in self.model.named_buffers() if name not in self._infinite_buffers]
        for optimizer in self.model.trainer.optimizers:
            for parameter, state in optimizer.state.items():
                held += [(f"{key} of {names.get(parameter, 'a parameter')}", value) for key, value in state.items()]
        for name, value in held:
            if isinstance(value, Tensor) and value.is_floating_point():
                yield name, getattr(value.detach(), "to_local", value.detach)()

    def _stop(self, reason: str) -> NoReturn:
        trainer = self.model.trainer
        kept = getattr(trainer.checkpoint_callback, "last_model_path", "")
        is_there = bool(kept) and get_filesystem(kept).exists(kept)
        remedies = {
            "a lower learning rate": True,
            "clipped gradients": trainer.gradient_clip_val is None,
            "32-bit precision": trainer.precision not in ("32-true", "64-true"),
        }
        raise RuntimeError(
            f"{reason} (epoch {trainer.current_epoch}) and training has stopped; try "
            f"{' or '.join(text for text, is_new in remedies.items() if is_new)}. "
            + (f"The last good checkpoint is {kept}" if is_there else "There is no checkpoint from before")
        )
