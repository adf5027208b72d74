"""Optimisers whose defaults are those of the papers, and schedules beside them."""

import copy
import inspect
import math
import warnings
from collections.abc import Callable, Iterable
from typing import Any, Literal

import torch
from lightning.pytorch.cli import ReduceLROnPlateau
from lightning.pytorch.utilities.types import (
    LRSchedulerConfigType,
    OptimizerConfig,
    OptimizerLRSchedulerConfig,
)
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from genzoo.training.optimizer_schedule import OptimizerSchedule


class AdversarialAdam(torch.optim.Adam):
    """Adam with the settings of DCGAN: learning rate 2e-4, momentum term 0.5 (Radford et al. 2016, section 4).

    A class rather than a function, so that configs and checkpoints can name it and overriding the learning
    rate alone keeps the betas.

    Args:
        params: What is optimised.
        lr: Learning rate.
        betas: Decay rates of the first and second moment.
        **kwargs: The other arguments of `torch.optim.Adam`.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 2e-4,
        betas: tuple[float, float] = (0.5, 0.999),
        **kwargs: Any,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, **kwargs)


LRSchedulerCallable = Callable[[Optimizer], ReduceLROnPlateau] | Callable[[Optimizer], LRScheduler]
"""Makes a schedule. Of the two ReduceLROnPlateau, the one that has a monitor comes first: the short name means it."""

Interval = Literal["epoch", "step"]
"""When a learning-rate schedule moves on: at the end of every epoch, or with every update of its optimiser."""


def scheduled(
    optimizer: Optimizer, scheduler: LRSchedulerCallable | None, interval: Interval, player: str | None = None
) -> OptimizerConfig | OptimizerLRSchedulerConfig:
    """Puts a learning-rate schedule, if there is one, beside its optimiser in the form that Lightning takes.

    Args:
        optimizer: Whose learning rate is scheduled.
        scheduler: Makes the schedule for an optimiser.
        interval: When the schedule moves on, unless it has an interval of its own.
        player: Whose optimiser it is, if a model has several.
    """
    if scheduler is None:
        return {"optimizer": optimizer}
    schedule = scheduler(optimizer)
    config: LRSchedulerConfigType = {"scheduler": schedule, "interval": interval}
    if isinstance(schedule, ReduceLROnPlateau):
        # Metrics come with the end of an epoch, and not of every one.
        config |= {"monitor": schedule.monitor, "interval": "epoch", "strict": False}
    if isinstance(schedule, OptimizerSchedule):
        # Named as the setting of the model that makes it.
        config |= {"interval": "step", "name": "scheduler" if player is None else f"{player}_scheduler"}
    return {"optimizer": optimizer, "lr_scheduler": config}


def learning_rate(optimizer: Optimizer, device: torch.device) -> Tensor:
    """The present learning rate of an optimiser, a scalar on the device; of the first parameters if it has several."""
    return torch.as_tensor(optimizer.param_groups[0]["lr"], dtype=torch.float32, device=device)


def tried(configure: Callable[[], Any], owner: str, by_hand: bool, epochs: int | None = None) -> list[Any]:
    """Makes optimisers and schedules as training will, and moves them once, with what is thrown away.

    Args:
        configure: Makes them, in the form of `scheduled`; what comes in other forms is left to Lightning.
        owner: Name of the model whose they are.
        by_hand: Whether the model moves its optimisers itself, once per step.
        epochs: How long training will last, if that is known.

    Returns:
        The schedules.

    Raises:
        ValueError: If torch refuses one of them or its settings, or training will.
    """
    try:
        made = configure()
        configs = [config for config in (made if isinstance(made, tuple) else (made,)) if isinstance(config, dict)]
        for config in configs:
            _move_copy(config["optimizer"], by_hand)
        entries = [config["lr_scheduler"] for config in configs if "lr_scheduler" in config]
        for entry in entries:
            _move_schedule(entry["scheduler"], epochs if entry["interval"] == "epoch" else None)
    except (ValueError, TypeError, RuntimeError, ArithmeticError) as error:
        raise ValueError(
            f"the optimisers and schedules of this {owner} cannot train it: {error}; choose others, or other settings"
        ) from error
    return [entry["scheduler"] for entry in entries]


def _move_copy(optimizer: Optimizer, by_hand: bool) -> None:
    """Moves a copy of an optimiser and of its parameters, whose gradients are zero."""
    step = type(optimizer).step
    closure = inspect.signature(step).parameters.get("closure")
    needs_closure = closure is not None and closure.default is closure.empty
    if by_hand and needs_closure:
        raise ValueError(f"{type(optimizer).__name__} computes a loss several times a step, which a game cannot")
    _require_finite_settings(optimizer)
    # A closure means the loss itself; and what is to be captured on a GPU does not move before it is there.
    if needs_closure or any(group.get("capturable") for group in optimizer.param_groups):
        return
    copied = copy.deepcopy(optimizer)
    for parameter in (parameter for group in copied.param_groups for parameter in group["params"]):
        parameter.grad = torch.zeros_like(parameter)
    # Not copied.step: a schedule may have put a function there that moves the original.
    step(copied)


def _move_schedule(schedule: Any, moves: int | None) -> None:
    if moves is not None and moves > getattr(schedule, "total_steps", moves):
        raise ValueError(f"{type(schedule).__name__} ends after {schedule.total_steps} moves, but training has {moves}")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*lr_scheduler.step.*before.*optimizer.step.*")
        try:
            schedule.step(*[0.0] * isinstance(schedule, torch.optim.lr_scheduler.ReduceLROnPlateau))
        except ArithmeticError as error:
            raise ValueError(f"{type(schedule).__name__} fails to move ({error})") from error
    _require_finite_settings(schedule.optimizer)


def _require_finite_settings(optimizer: Optimizer) -> None:
    for group in optimizer.param_groups:
        for name, value in group.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{name} of {type(optimizer).__name__} is {value}, which is not finite")
