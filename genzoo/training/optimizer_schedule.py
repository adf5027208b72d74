r"""Learning rate and betas of an optimiser that follow schedules.

Not from torch, whose own learning-rate schedules change the learning rate alone (and `OneCycleLR` the first beta).
"""

import math
from typing import Any

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from genzoo.schedules.schedule import Schedule, extremes_of, value_at


class OptimizerSchedule(LRScheduler):
    r"""Moves settings of an optimiser with each of its updates: after n updates they have the value of step n.

    It moves with every update, whatever the model's ``scheduler_interval`` is. Given to a run that goes on and had
    none, it counts from there, as all schedules of torch do.

    Adam's correction of the bias of its moments is that of constant betas: torch divides the second moment after n
    updates by :math:`1 - \beta_{2,n}^n` with the beta of that update. The weights of the gradients in it add up to
    :math:`1 - \prod_{i \le n} \beta_{2,i}`, which is more where beta2 rises. Until both are near 1 the moment is
    overestimated then, and the steps are shorter than with an exact correction.

    Args:
        optimizer: Of which kind is free as long as only ``lr`` is given; betas are those of Adam and those like it.
        lr: Learning rate, >= 0; None leaves that of the optimiser.
        beta1: Decay rate of the first moment, in [0, 1); None likewise.
        beta2: Decay rate of the second moment, in [0, 1); None likewise.

    Attributes:
        given: What was given, by name.

    Raises:
        ValueError: If a value is none that the setting can have, or the optimiser has no betas.

    Example:
        >>> import torch
        >>> from genzoo.schedules import Linear
        >>> from genzoo.training import OptimizerSchedule
        >>> adam = torch.optim.Adam([torch.zeros(1, requires_grad=True)])
        >>> schedule = OptimizerSchedule(adam, beta2=Linear(start=0.9, end=0.99, steps=2))
        >>> adam.param_groups[0]["betas"]
        (0.9, 0.9)
        >>> adam.step()
        >>> schedule.step()
        >>> adam.param_groups[0]["betas"]
        (0.9, 0.945)
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr: float | Schedule | None = None,
        beta1: float | Schedule | None = None,
        beta2: float | Schedule | None = None,
    ) -> None:
        settings = {"lr": lr, "beta1": beta1, "beta2": beta2}
        self.given = {name: value for name, value in settings.items() if value is not None}
        for name, value in self.given.items():
            lowest, highest = extremes_of(value)
            if not 0.0 <= lowest <= highest < (math.inf if name == "lr" else 1.0):
                allowed = "finite and not negative" if name == "lr" else "at least 0 and below 1"
                raise ValueError(f"{name} of OptimizerSchedule must be {allowed}, got {value}")
            if name != "lr" and not all("betas" in group for group in optimizer.param_groups):
                raise ValueError(
                    f"{name} of OptimizerSchedule is one of the betas of Adam and those like it, but "
                    f"{type(optimizer).__name__} has none; leave it out, or choose another optimiser"
                )
        super().__init__(optimizer)

    def values_at(self, step: int) -> dict[str, float]:
        """What was given, after a number of updates."""
        return {name: value_at(value, step) for name, value in self.given.items()}

    def get_lr(self) -> list[float | Tensor]:
        """The learning rate of each group of parameters."""
        return [self.values_at(self.last_epoch).get("lr", group["lr"]) for group in self.optimizer.param_groups]

    def step(self, epoch: int | None = None) -> None:
        """Moves on, as all schedules of torch do when they are made, too."""
        super().step(epoch)
        values = self.values_at(self.last_epoch)
        for group in self.optimizer.param_groups:
            if "betas" in group:
                group["betas"] = tuple(values.get(f"beta{n}", beta) for n, beta in enumerate(group["betas"], 1))

    def state_dict(self) -> dict[str, Any]:
        """Where it is; what it follows is among the model's hyperparameters."""
        return {name: value for name, value in super().state_dict().items() if name != "given"}
