r"""What keeps a discriminator smooth: penalties on the gradient of its logits with respect to the items.

Each is added to the discriminator's loss and differentiated again by it: gradients of gradients lose too much in half
precision, so that all is computed in float32 (float64 stays), outside autocast. A discriminator with batch norm mixes
the items of a batch, which makes the gradient of one of them meaningless. Where a logit is one of a pack of consecutive
items, so is its gradient, of which all holds that is said here of an item's; random numbers, as those of
`GradientPenalty`, are drawn for each item.
"""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor

from genzoo.losses.regularisation import Regularisation
from genzoo.noise import Noise
from genzoo.precision import at_least_float32
from genzoo.schedules.schedule import Schedule, require_not_negative, require_positive, value_at

Scoring: TypeAlias = Callable[[Tensor], Tensor]
"""Gives the logits of items, ``(N, *data_shape)`` to ``(N,)``, or one of each pack of consecutive ones."""

Side = Literal["both", "above"]
"""From where a slope is drawn to 1."""


class Penalty(Regularisation):
    """A term of the discriminator's loss that is more than a function of its logits.

    Attributes:
        name: What it is called in the log.
    """

    @property
    def name(self) -> str:
        """That of its class."""
        return type(self).__name__

    @property
    def limits_slope(self) -> bool:
        """It does not, unless a penalty says that it does."""
        return False

    @property
    def compares_passes(self) -> bool:
        """Whether it compares logits of several passes, between which nothing but the items should change."""
        return False

    @abstractmethod
    def __call__(self, score: Scoring, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        """What is added to the discriminator's loss, a scalar; no gradient reaches the items.

        Args:
            score: Gives the logits of items, each for itself; a condition is already bound to it. It is differentiated
                twice, which compiled networks cannot be.
            real: ``(N, *data_shape)``, as the discriminator is shown them.
            fake: ``(N, *data_shape)``, the same of generated items.
            noise: Of its own, where a penalty draws random numbers.
        """


class SlopePenalty(Penalty):
    """One of the gradient of an item's logit with respect to the item."""

    @property
    def limits_slope(self) -> bool:
        """That is what it is for."""
        return True


@dataclass(frozen=True)
class R1(SlopePenalty):
    r"""Asks for a discriminator that is flat at the data, where it has to be at the equilibrium of the game.

    .. math:: R_1 = \frac\gamma2 E_x \|\nabla_x l(x)\|^2

    Source: Mescheder et al. 2018, equation 9.

    Args:
        gamma: Its weight, >= 0. The square of the gradient grows with the number of values of an item: larger images
            take a larger one.
    """

    gamma: float | Schedule = 10.0

    def __post_init__(self) -> None:
        require_not_negative("gamma of R1", self.gamma)

    def __call__(self, score: Scoring, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        """Half of gamma times the mean squared norm of the gradient at real items."""
        return value_at(self.gamma, 0) / 2.0 * gradients_at(score, real).square().sum(1).mean()


@dataclass(frozen=True)
class R2(SlopePenalty):
    r"""The same at generated items.

    .. math:: R_2 = \frac\gamma2 E_z \|\nabla_x l(G(z))\|^2

    Source: Mescheder et al. 2018, equation 10; with `R1` and `RelativisticPairing`, Huang et al. 2024.

    Args:
        gamma: Its weight, >= 0.
    """

    gamma: float | Schedule = 10.0

    def __post_init__(self) -> None:
        require_not_negative("gamma of R2", self.gamma)

    def __call__(self, score: Scoring, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        """Half of gamma times the mean squared norm of the gradient at generated items."""
        return value_at(self.gamma, 0) / 2.0 * gradients_at(score, fake).square().sum(1).mean()


@dataclass(frozen=True)
class GradientPenalty(SlopePenalty):
    r"""Asks for slope 1 between real and generated items, which a critic of the Wasserstein distance has there.

    .. math:: \lambda E (\|\nabla_{\hat x} l(\hat x)\| - 1)^2, \qquad \hat x = \epsilon x + (1 - \epsilon) G(z), \quad
        \epsilon \sim U[0, 1)

    Source: Gulrajani et al. 2017, equation 3 and Algorithm 1 (WGAN-GP). From one side alone, ``above``,

    .. math:: \lambda E (\max(0, \|\nabla_{\hat x} l(\hat x)\| - 1))^2,

    it only keeps the critic from being steeper than 1 (Gulrajani et al., section 4, name it; Petzka et al. 2018).

    Args:
        weight: lambda, >= 0.
        side: Whether slopes on ``both`` sides of 1 are penalised, or those ``above``.
    """

    weight: float | Schedule = 10.0
    side: Side = "both"

    def __post_init__(self) -> None:
        require_not_negative("weight of GradientPenalty", self.weight)
        if self.side not in (known := get_args(Side)):
            raise ValueError(f"side of GradientPenalty must be {' or '.join(known)}, got {self.side!r}")

    def __call__(self, score: Scoring, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        """The mean squared distance of the gradient's norm from 1, or from what is below 1, weighted."""
        # One number for each pair, not for the batch, whose items would all lie equally far along their way.
        epsilon = noise.uniform(len(real), *[1] * (real.dim() - 1))
        between = epsilon * at_least_float32(real) + (1.0 - epsilon) * at_least_float32(fake)
        excess = slopes_at(score, between) - 1.0
        return value_at(self.weight, 0) * (excess if self.side == "both" else excess.relu()).square().mean()


@dataclass(frozen=True)
class DRAGAN(SlopePenalty):
    r"""Asks for slope 1 around the data, so that the discriminator has no sharp peaks at them.

    .. math:: \lambda E (\|\nabla_x l(x + \delta)\| - 1)^2, \qquad \delta \sim N(0, c I)

    Source: Kodali et al. 2017, for any objective, theirs being that of Goodfellow et al. The perturbation is the
    paper's. Their code takes another, :math:`\alpha s u / 2` with :math:`\alpha, u \sim U[0, 1)` and s the deviation
    of all values of the batch: there the penalty of an image would depend on its neighbours.

    Args:
        weight: lambda, >= 0; the paper's is 10.
        deviation: The square root of c, > 0, in units of the data: 0.1 is about as far as their code moves images in
            [-1, 1].
    """

    weight: float | Schedule = 10.0
    deviation: float | Schedule = 0.1

    def __post_init__(self) -> None:
        require_not_negative("weight of DRAGAN", self.weight)
        require_positive("deviation of DRAGAN", self.deviation)

    def __call__(self, score: Scoring, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        """The mean squared distance of the gradient's norm from 1, weighted."""
        near = at_least_float32(real) + value_at(self.deviation, 0) * noise.normal(*real.shape)
        return value_at(self.weight, 0) * (slopes_at(score, near) - 1.0).square().mean()


def slopes_at(score: Scoring, items: Tensor) -> Tensor:
    """The norms of `gradients_at`, one for each logit."""
    # vector_norm has gradient 0 at 0, where that of a square root of squares is NaN: a new critic may be constant.
    norms: Tensor = torch.linalg.vector_norm(gradients_at(score, items), dim=1)
    return norms


def gradients_at(score: Scoring, items: Tensor) -> Tensor:
    """The gradient of each logit with respect to the item that it is of, to be differentiated once more.

    Args:
        score: As for a `Penalty`. Of fewer logits than items each is one of a pack of as many consecutive items as it
            takes, and its gradient that with respect to all of them.
        items: ``(N, *data_shape)``; no gradient reaches them.

    Returns:
        ``(logits, values of an item or of a pack)``, float32 whatever the items and autocast are; float64 stays.
    """
    items = at_least_float32(items.detach()).requires_grad_()
    with torch.autocast(items.device.type, enabled=False):
        logits = score(items)
        # No logit depends on what another is of, so that the gradient of their sum holds those of all of them.
        (gradients,) = torch.autograd.grad(logits.sum(), items, create_graph=True)
    return gradients.reshape(len(logits), -1)
