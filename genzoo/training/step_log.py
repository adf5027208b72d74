"""The way of a training step's numbers to the loggers: on log steps alone, each once."""

import sys
from collections.abc import Callable, Mapping

import torch
from lightning.pytorch import LightningModule
from torch import Tensor


class StepLog:
    """Hands the numbers of training to the loggers, and keeps the latest for callbacks and the progress bar.

    Args:
        model: What is trained.
        progress_metrics: Names of the quantities that the progress bar shows.

    Attributes:
        latest: The numbers that were handed out last, by name.
        latest_step: The step that they are of, counted from 0; -1 before the first.
        shown: The latest values of ``progress_metrics``, as plain numbers: what Lightning's own ``prog_bar=True`` keeps
            on the device is read back at every step.
        sources: What else is to be handed out, by the name of who measures it: each gives plain numbers by name.
    """

    def __init__(self, model: LightningModule, progress_metrics: tuple[str, ...]) -> None:
        self.model = model
        self.progress_metrics = progress_metrics
        self.begin()

    def begin(self) -> None:
        """Forgets an earlier fit."""
        self.latest: dict[str, float] = {}
        self.latest_step = -1
        self.shown: dict[str, float] = {}
        self.sources: dict[str, Callable[[], dict[str, float]]] = {}

    @property
    def steps_until_due(self) -> int:
        """How many steps remain until the next log step; 0 if this is one.

        To be asked before the step's optimiser has moved.
        """
        interval: int = self.model.trainer.log_every_n_steps  # type: ignore[attr-defined]
        return (-self.model.trainer.global_step - 1) % interval if interval > 0 else sys.maxsize

    def hand_out(self, values: dict[str, Tensor], step: int) -> None:
        """Hands scalars to the loggers under ``train/``; for log steps.

        Args:
            values: The scalars by name.
            step: Which step they are of, counted from 0.
        """
        named = {f"train/{name}": value for name, value in values.items()}
        # Lightning's own way to the loggers repeats the latest numbers at every batch of an accumulated step.
        self.model.log_dict(named, logger=False)
        numbers = dict(zip(named, torch.stack([value.float() for value in named.values()]).tolist(), strict=True))
        # Behind what waits for the device.
        for measured in self.sources.values():
            numbers |= {f"train/{name}": value for name, value in measured().items()}
        for logger in self.model.trainer.loggers:
            logger.log_metrics(numbers | {"epoch": self.model.trainer.current_epoch}, step)
            logger.save()
        self.latest, self.latest_step = numbers, step
        self.show(numbers)

    def show(self, values: Mapping[str, Tensor | float]) -> None:
        """Gives the progress bar its share of some numbers."""
        self.shown |= {name: float(values[name]) for name in self.progress_metrics if name in values}
