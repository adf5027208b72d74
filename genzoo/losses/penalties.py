r"""What keeps a discriminator smooth: penalties on the gradient of its logits with respect to the items.

Each is added to the discriminator's loss and differentiated again by it: gradients of gradients lose too much in half
precision, so that all is computed in float32 (float64 stays), outside autocast. A discriminator with batch norm mixes
the items of a batch, which makes the gradient of one of them meaningless.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genzoo.noise import Noise
from genzoo.precision import at_least_float32
from genzoo.schedules.schedule import Schedule, at_step, extremes_of, value_at


class Penalty(ABC):
    """A term of the discriminator's loss that is more than a function of its logits.

    Attributes:
        name: What it is called in the log.
    """

    @property
    def name(self) -> str:
        """That of its class."""
        return type(self).__name__

    def at(self, step: int) -> "Penalty | None":
        """What it is at a step: its settings have the values of their schedules. None: nothing is added then.

        Args:
            step: How many updates of the discriminator there have been.
        """
        return at_step(self, step)

    def constrain(self, discriminator: nn.Module) -> None:  # noqa: B027 - most add to the loss, and constrain nothing
        """Called once the discriminator has moved, for what keeps its weights within bounds."""

    @abstractmethod
    def __call__(self, score: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        """What is added to the discriminator's loss, a scalar; no gradient reaches the items.

        Args:
            score: Gives the logits ``(N,)`` of items, each for itself; a condition is already bound to it. It is
                differentiated twice, which compiled networks cannot be.
            real: ``(N, *data_shape)``, as the discriminator is shown them.
            fake: ``(N, *data_shape)``, the same of generated items.
            noise: Of its own, where a penalty draws random numbers.
        """


@dataclass(frozen=True)
class R1(Penalty):
    r"""Asks for a discriminator that is flat at the data, where it has to be at the equilibrium of the game.

    .. math:: R_1 = \frac\gamma2 E_x \|\nabla_x l(x)\|^2

    Source: Mescheder et al. 2018, equation 9.

    Args:
        gamma: Its weight, >= 0. The square of the gradient grows with the number of values of an item: larger images
            take a larger one.
    """

    gamma: float | Schedule = 10.0

    def __post_init__(self) -> None:
        _require_weight("gamma of R1", self.gamma)

    def __call__(self, score: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        """Half of gamma times the mean squared norm of the gradient at real items."""
        return value_at(self.gamma, 0) / 2.0 * gradients_at(score, real).square().sum(1).mean()


@dataclass(frozen=True)
class R2(Penalty):
    r"""The same at generated items.

    .. math:: R_2 = \frac\gamma2 E_z \|\nabla_x l(G(z))\|^2

    Source: Mescheder et al. 2018, equation 10; with `R1` and `RelativisticPairing`, Huang et al. 2024.

    Args:
        gamma: Its weight, >= 0.
    """

    gamma: float | Schedule = 10.0

    def __post_init__(self) -> None:
        _require_weight("gamma of R2", self.gamma)

    def __call__(self, score: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        """Half of gamma times the mean squared norm of the gradient at generated items."""
        return value_at(self.gamma, 0) / 2.0 * gradients_at(score, fake).square().sum(1).mean()


@dataclass(frozen=True)
class GradientPenalty(Penalty):
    r"""Asks for slope 1 between real and generated items, which a critic of the Wasserstein distance has there.

    .. math:: \lambda E (\|\nabla_{\hat x} l(\hat x)\| - 1)^2, \qquad \hat x = \epsilon x + (1 - \epsilon) G(z), \quad
        \epsilon \sim U[0, 1)

    Source: Gulrajani et al. 2017, equation 3 and Algorithm 1 (WGAN-GP).

    Args:
        weight: lambda, >= 0.
    """

    weight: float | Schedule = 10.0

    def __post_init__(self) -> None:
        _require_weight("weight of GradientPenalty", self.weight)

    def __call__(self, score: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        """The mean squared distance of the gradient's norm from 1, weighted."""
        # One number for each pair, not for the batch, whose items would all lie equally far along their way.
        epsilon = noise.uniform(len(real), *[1] * (real.dim() - 1))
        between = epsilon * at_least_float32(real) + (1.0 - epsilon) * at_least_float32(fake)
        # vector_norm has gradient 0 at 0, where that of a square root of squares is NaN: a new critic may be constant.
        norms: Tensor = torch.linalg.vector_norm(gradients_at(score, between), dim=1)
        return value_at(self.weight, 0) * (norms - 1.0).square().mean()


def gradients_at(score: Callable[[Tensor], Tensor], items: Tensor) -> Tensor:
    """The gradient of each item's logit with respect to the item, to be differentiated once more.

    Args:
        score: As for a `Penalty`.
        items: ``(N, *data_shape)``; no gradient reaches them.

    Returns:
        ``(N, values of an item)``, float32 whatever the items and autocast are; float64 stays.
    """
    items = at_least_float32(items.detach()).requires_grad_()
    with torch.autocast(items.device.type, enabled=False):
        # No logit depends on another item, so that the gradient of their sum holds those of all of them.
        (gradients,) = torch.autograd.grad(score(items).sum(), items, create_graph=True)
    return gradients.flatten(1)


def _require_weight(name: str, value: float | Schedule) -> None:
    lowest, highest = extremes_of(value)
    if not 0.0 <= lowest <= highest < math.inf:
        raise ValueError(f"{name} must be finite and not negative, got {value}")
