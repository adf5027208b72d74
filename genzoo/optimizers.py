"""Optimisers whose defaults are those of the papers, and schedules beside them."""

import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import torch
from lightning.pytorch.cli import LRSchedulerCallable, ReduceLROnPlateau
from lightning.pytorch.utilities.types import (
    LRSchedulerConfigType,
    OptimizerConfig,
    OptimizerLRSchedulerConfig,
)
from torch import Tensor
from torch.optim import Optimizer


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


Interval = Literal["epoch", "step"]
"""When a learning-rate schedule moves on: at the end of every epoch, or with every update of its optimiser."""


def scheduled(
    optimizer: Optimizer, scheduler: LRSchedulerCallable | None, interval: Interval
) -> OptimizerConfig | OptimizerLRSchedulerConfig:
    """Puts a learning-rate schedule, if there is one, beside its optimiser in the form that Lightning takes.

    Args:
        optimizer: Whose learning rate is scheduled.
        scheduler: Makes the schedule for an optimiser.
        interval: When the schedule moves on.
    """
    if scheduler is None:
        return {"optimizer": optimizer}
    schedule = scheduler(optimizer)
    config: LRSchedulerConfigType = {"scheduler": schedule, "interval": interval}
    if isinstance(schedule, ReduceLROnPlateau):
        config["monitor"] = schedule.monitor
    return {"optimizer": optimizer, "lr_scheduler": config}


def renew_settings(checkpoint: dict[str, Any], configs: Sequence[OptimizerConfig | OptimizerLRSchedulerConfig]) -> None:
    """Puts the settings of new optimisers and schedules into a checkpoint, in place of those that it was made with.

    What the optimisers have learnt of the gradients stays, unless a new one is of another kind. A schedule becomes
    what it would be had it been the schedule from the start; one that watches a metric goes on from the new learning
    rate, and one that the run did not have begins now.

    Args:
        checkpoint: Of Lightning; its entries ``optimizer_states`` and ``lr_schedulers`` are changed.
        configs: What `scheduled` made, new and unused.
    """
    stored_schedules: list[dict[str, Any]] = checkpoint["lr_schedulers"]
    entries: list[Any] = [config.get("lr_scheduler") for config in configs]
    schedules = [entry["scheduler"] for entry in entries if entry is not None]
    if len(stored_schedules) == len(schedules):
        for schedule, stored in zip(schedules, stored_schedules, strict=True):
            _catch_up(schedule, stored)
    checkpoint["lr_schedulers"] = [schedule.state_dict() for schedule in schedules]
    checkpoint["optimizer_states"] = [
        _with_settings(config["optimizer"].state_dict(), stored)
        for config, stored in zip(configs, checkpoint["optimizer_states"], strict=True)
    ]


def _catch_up(schedule: Any, stored: dict[str, Any]) -> None:
    if isinstance(schedule, ReduceLROnPlateau):
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*lr_scheduler.step.*before.*optimizer.step.*")
        for _ in range(stored["last_epoch"]):
            schedule.step()


def _with_settings(new: dict[str, Any], stored: dict[str, Any]) -> dict[str, Any]:
    """The stored state of an optimiser with new settings; the new state where the two are of different kinds."""
    kinds = [[set(group) - {"initial_lr"} for group in state["param_groups"]] for state in (new, stored)]
    if kinds[0] != kinds[1]:
        return new
    groups = [
        fresh | {"params": old["params"]}
        for fresh, old in zip(new["param_groups"], stored["param_groups"], strict=True)
    ]
    return {"state": stored["state"], "param_groups": groups}
