"""What the weights of a discriminator have to obey after each of its updates."""

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import nn

from genzoo.losses.regularisation import Regularisation
from genzoo.schedules.schedule import Schedule, require_positive, value_at


class Constraint(Regularisation):
    """Moves the discriminator's weights to where they are allowed to be, whenever it has moved; no term of a loss."""

    @property
    def limits_slope(self) -> bool:
        """It does, by way of the weights, unless a constraint says that it does not."""
        return True

    @abstractmethod
    def constrain(self, discriminator: nn.Module) -> None:
        """Changes weights in place, as a function of them alone, so that they stay equal on all devices.

        Args:
            discriminator: That has just moved.
        """


@dataclass(frozen=True)
class WeightClipping(Constraint):
    r"""Keeps each weight of a critic of the Wasserstein distance within bounds, and with them how steep it can be.

    .. math:: w \leftarrow \min(\max(w, -c), c)

    Source: Arjovsky et al. 2017, Algorithm 1 (WGAN). All parameters are clipped, those of batch norm too, as in the
    authors' code; buffers are not. How steep a critic can then be depends on its layers and is not known.

    Args:
        bound: c, above 0.
    """

    bound: float | Schedule = 0.01

    def __post_init__(self) -> None:
        require_positive("bound of WeightClipping", self.bound)

    def constrain(self, discriminator: nn.Module) -> None:
        """Clips all parameters."""
        bound = value_at(self.bound, 0)
        with torch.no_grad():
            for parameter in discriminator.parameters():
                parameter.clamp_(-bound, bound)
