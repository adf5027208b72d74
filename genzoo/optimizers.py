"""Optimisers whose defaults are those of the papers, and schedules beside them."""

from collections.abc import Iterable
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
