"""Values that change while a model is trained, as data: a number that goes from one value to another over some steps.

A schedule is a function of the step alone. It has no state: a resumed run goes on where it was, and every checkpoint
carries it among the hyperparameters. Wherever a setting may follow one, its type says so: ``float | Schedule``.
"""

import dataclasses
import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast

from genzoo.hyperparameters import whole_number
from genzoo.names import numbered

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
        # At the end it is that to the last bit, which a bound may ask for.
        return self.start + (self.end - self.start) * self.way(step / self.steps) if step < self.steps else self.end

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


@dataclass(frozen=True)
class HalfLife(Schedule):
    r"""The decay of an average in which a value counts half as much once it is so many steps old.

    .. math:: d = 2^{-1 / h}

    Source: the generator's average in Karras et al. 2020 (ADA) is given by its half-life.

    Args:
        steps: h, more than 0; a schedule where the average should reach back farther as training goes on.
    """

    steps: float | Schedule

    def __post_init__(self) -> None:
        lowest, highest = extremes_of(self.steps)
        if not 0.0 < lowest <= highest < math.inf:
            raise ValueError(f"steps of HalfLife must be finite and more than 0, got {self.steps}")

    def at(self, step: int) -> float:
        """The decay d."""
        return _decay(value_at(self.steps, step))

    @property
    def extremes(self) -> tuple[float, float]:
        """Those of its half-lives, with which the decay rises."""
        lowest, highest = extremes_of(self.steps)
        return _decay(lowest), _decay(highest)


def _decay(half_life: float) -> float:
    return math.pow(2.0, -1.0 / half_life)


def value_at(value: float | Schedule, step: int) -> float:
    """A setting at a step, whether it follows a schedule or not."""
    return value.at(step) if isinstance(value, Schedule) else value


def extremes_of(value: float | Schedule) -> tuple[float, float]:
    """The lowest and the highest value that a setting takes."""
    return value.extremes if isinstance(value, Schedule) else (value, value)


def require_not_negative(name: str, value: float | Schedule) -> None:
    """Refuses a setting, such as a weight, that is or ever becomes negative or not finite.

    Args:
        name: Of the setting, for the message.
        value: Of the setting.

    Raises:
        ValueError: If it does.
    """
    _require_from_zero(name, value, operator.le, "not negative")


def require_positive(name: str, value: float | Schedule) -> None:
    """Refuses a setting, such as a deviation to divide by, that is or ever becomes 0, negative or not finite.

    Args:
        name: Of the setting, for the message.
        value: Of the setting.

    Raises:
        ValueError: If it does.
    """
    _require_from_zero(name, value, operator.lt, "above 0")


def _require_from_zero(
    name: str, value: float | Schedule, is_bound_of: Callable[[float, float], bool], said: str
) -> None:
    lowest, highest = extremes_of(value)
    if not (is_bound_of(0.0, lowest) and lowest <= highest < math.inf):
        raise ValueError(f"{name} must be finite and {said}, got {value}")


def at_step(settings: AnySettings, step: int) -> AnySettings:
    """A frozen dataclass with the numbers of a step in the place of its schedules; itself if it has none.

    Those of the values that it holds, such as a penalty's augmentation, are among them.

    Args:
        settings: Such as a penalty or an objective.
        step: How many steps have been taken.

    Example:
        >>> from genzoo.losses.penalties import R1
        >>> from genzoo.schedules import Linear, at_step
        >>> at_step(R1(gamma=Linear(start=10.0, end=0.0, steps=100)), 50)
        R1(gamma=5.0)
    """
    held: Any = settings
    if not dataclasses.is_dataclass(held) or isinstance(held, type):
        return settings
    before = {field.name: getattr(held, field.name) for field in dataclasses.fields(held)}
    now = {name: _value_at_step(value, step) for name, value in before.items()}
    changed = {name: value for name, value in now.items() if value is not before[name]}
    return cast(AnySettings, dataclasses.replace(held, **changed)) if changed else settings


def _value_at_step(value: Any, step: int) -> Any:
    if isinstance(value, Schedule):
        return value.at(step)
    if isinstance(value, tuple):
        now = tuple(_value_at_step(each, step) for each in value)
        return now if any(each is not before for each, before in zip(now, value, strict=True)) else value
    return at_step(value, step)


def schedules_within(name: str, setting: Any) -> dict[str, Schedule]:
    """The schedules that a setting is or holds, however deep, by name.

    Args:
        name: Of the setting.
        setting: A schedule or number, a dataclass, a list of them, or a partial, whose arguments count.

    Returns:
        By the name and the names of fields behind points, ``augmentation.probability``; entries of a list are named by
        their classes.

    Example:
        >>> from genzoo.losses.penalties import R1, R2
        >>> from genzoo.schedules import Linear
        >>> from genzoo.schedules.schedule import schedules_within
        >>> schedules_within("penalties", [R1(Linear(start=1.0, end=0.0, steps=9)), R2()])
        {'penalties.R1.gamma': Linear(start=1.0, end=0.0, steps=9)}
    """
    if isinstance(setting, Schedule):
        return {name: setting}
    parts: dict[str, Any] = {}
    if dataclasses.is_dataclass(setting):
        parts = {field.name: getattr(setting, field.name) for field in dataclasses.fields(setting)}
    elif isinstance(setting, partial):
        parts = setting.keywords
    elif isinstance(setting, list | tuple):
        for entry in setting:
            parts[numbered(type(entry).__name__, parts)] = entry
    found = (schedules_within(f"{name}.{part}", value) for part, value in parts.items())
    return {name: schedule for each in found for name, schedule in each.items()}
