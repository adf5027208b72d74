"""The present values of all settings that follow schedules, for the log."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import torch
from lightning.pytorch import Trainer
from torch import Tensor

from genzoo.schedules.schedule import Schedule, schedules_within
from genzoo.training.averaging import WeightAverage
from genzoo.training.optimizer_schedule import OptimizerSchedule


@runtime_checkable
class HoldsSettings(Protocol):
    """What a model has made of arguments that may follow schedules."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """These, by name."""


class Scheduled(Protocol):
    """A model whose settings may follow schedules."""

    automatic_optimization: bool
    average: WeightAverage | None

    @property
    def device(self) -> torch.device:
        """Where it is."""

    @property
    def trainer(self) -> Trainer:
        """What trains it."""

    def settings(self) -> dict[str, Any]:
        """What may follow schedules, by name."""


class ScheduleLog:
    """Finds the schedules among a model's settings, and what they make of them.

    Args:
        model: Whose settings they are.
    """

    def __init__(self, model: Scheduled) -> None:
        self.model = model

    @property
    def schedules(self) -> dict[str, Schedule]:
        """The schedules by their names in the log, ``schedule/augmentation.probability``."""
        found = [schedules_within(f"schedule/{name}", value) for name, value in self.model.settings().items()]
        return {name: schedule for each in found for name, schedule in each.items()}

    def values(self, step: int) -> dict[str, Tensor]:
        """Their values at a step, by name: those that its updates were made with, or will be.

        Args:
            step: Counted from 0.
        """
        schedules = self.schedules
        clocks = dict.fromkeys(schedules, step) | (self._clocks_of_their_own() if schedules else {})
        return {
            name: torch.tensor(schedule.at(clocks[name]), device=self.model.device)
            for name, schedule in schedules.items()
        }

    def _clocks_of_their_own(self) -> dict[str, int]:
        """What counts the updates of an optimiser, or of the averages, rather than steps."""
        clocks: dict[str, int] = {}
        if self.model.average is not None:
            clocks["schedule/average_decay"] = self.model.average.updates
        for config in self.model.trainer.lr_scheduler_configs:
            if isinstance(config.scheduler, OptimizerSchedule):
                updates = config.scheduler.last_epoch
                clocks |= {f"schedule/{config.name}.{name}": updates for name in config.scheduler.given}
        # A model that moves its optimisers itself logs a step when it is over, others while it is under way.
        ahead = 0 if self.model.automatic_optimization else 1
        return {name: max(updates - ahead, 0) for name, updates in clocks.items()}
