"""Values that change while a model is trained, as data: a number that goes from one value to another over some steps.

A schedule is a function of the step alone. It has no state: a resumed run goes on where it was, and every checkpoint
carries it among the hyperparameters. Wherever a setting may follow one, its type says so: ``float | Schedule``.
"""

import dataclasses
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from genzoo.hyperparameters import whole_number

AnySettings = TypeVar("AnySettings")


class Schedule(ABC):
    """A number as a function of the step."""

    @abstractmethod
    def at(self, step: int) -> float:
        """Its value.

        Args:
            step: How many steps have been taken, from 0 on.
        """

    @property
    @abstractmethod
    def extremes(self) -> tuple[float, float]:
        """The lowest and the highest value that it ever takes, for whoever must refuse some."""


@dataclass(frozen=True)
class Ramp(Schedule):
    """Goes from one value to another, and stays there.

    Args:
        start: Value at step 0.
        end: Value from step ``steps`` on.
        steps: How long it takes, at least 1.
    """

    start: float
    end: float
    steps: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", whole_number(f"steps of {type(self).__name__}", self.steps, 1))
        for name in ("start", "end"):
            if not math.isfinite(value := getattr(self, name)):
                raise ValueError(f"{name} of {type(self).__name__} must be finite, got {value}")

    def at(self, step: int) -> float:
        """The value on the way, by the share of the way that is behind."""
        return self.start + (self.end - self.start) * self.way(min(step / self.steps, 1.0))

    @abstractmethod
    def way(self, share: float) -> float:
        """How far it has come, 0 to 1, once a share of the steps is over, 0 to 1; it never turns back."""

    @property
    def extremes(self) -> tuple[float, float]:
        """Its two ends."""
        return min(self.start, self.end), max(self.start, self.end)


@dataclass(frozen=True)
class Linear(Ramp):
    """By the same amount in each step."""

    def way(self, share: float) -> float:
        """The share itself."""
        return share


@dataclass(frozen=True)
class Cosine(Ramp):
    r"""Slowly at first and at last: :math:`(1 - \cos \pi s) / 2` of the way after a share s of the steps."""

    def way(self, share: float) -> float:
        """Half a period of a cosine."""
        return (1.0 - math.cos(math.pi * share)) / 2.0


def value_at(value: float | Schedule, step: int) -> float:
    """A setting at a step, whether it follows a schedule or not."""
    return value.at(step) if isinstance(value, Schedule) else value


def extremes_of(value: float | Schedule) -> tuple[float, float]:
    """The lowest and the highest value that a setting takes."""
    return value.extremes if isinstance(value, Schedule) else (value, value)


def at_step(settings: AnySettings, step: int) -> AnySettings:
    """A frozen dataclass with the numbers of a step in the place of its schedules; itself if it has none.

    Args:
        settings: Such as a penalty or an objective.
        step: How many steps have been taken.

    Example:
        >>> from genzoo.losses.penalties import R1
        >>> from genzoo.schedules import Linear, at_step
        >>> at_step(R1(gamma=Linear(start=10.0, end=0.0, steps=100)), 50)
        R1(gamma=5.0)
    """
    scheduled = {name: value.at(step) for name, value in schedules_of(settings).items()}
    return dataclasses.replace(cast(Any, settings), **scheduled) if scheduled else settings


def schedules_of(settings: Any) -> dict[str, Schedule]:
    """The fields of a frozen dataclass that follow a schedule, by name; none of anything else."""
    names = [field.name for field in dataclasses.fields(settings)] if dataclasses.is_dataclass(settings) else []
    values = {name: getattr(settings, name) for name in names}
    return {name: value for name, value in values.items() if isinstance(value, Schedule)}
