r"""What the two players of the adversarial game want, as functions of the discriminator's logits.

With D = sigmoid(logit) the value of the game is (Goodfellow et al. 2014, equation 1)

.. math:: V(D, G) = E_x[\log D(x)] + E_z[\log(1 - D(G(z)))].

All is computed from logits, in float32 or float64: :math:`-\log D = \mathrm{softplus}(-l)` and
:math:`-\log(1 - D) = \mathrm{softplus}(l)` never overflow.

Where sigmoid(logit) is no probability the discriminator is called a critic, and its logits C(x) scores: they are
reported as they are.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import relu, softplus

from genzoo.precision import at_least_float32
from genzoo.schedules.schedule import Schedule, at_step, extremes_of, value_at


class AdversarialObjective(ABC):
    """The losses of both players; each is minimised by its own player.

    Attributes:
        is_relativistic: Whether the generator's loss asks for the logits of real items too.
        is_zero_sum: Whether the generator's loss is minus the discriminator's, but for the term of real items.
        needs_limited_slope: Whether the discriminator could lower its loss without end by growing steeper.
    """

    is_relativistic: ClassVar[bool] = False
    is_zero_sum: ClassVar[bool] = False
    needs_limited_slope: ClassVar[bool] = False

    @property
    def threshold(self) -> float | None:
        """The logit above which an item is taken for real; None where scores have no such meaning."""
        return None

    def at(self, step: int) -> "AdversarialObjective":
        """What it is at a step: its settings have the values of their schedules.

        Args:
            step: How many updates of the discriminator there have been.
        """
        return at_step(self, step)

    @abstractmethod
    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """What the discriminator minimises: logits ``(N,)`` of real and of generated items to a scalar."""

    @abstractmethod
    def generator_loss(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        """What the generator minimises: logits ``(N,)`` of generated items to a scalar.

        Args:
            fake_logits: ``(N,)``, of generated items.
            real_logits: ``(N,)``, of real items; given to a relativistic objective, of no meaning to others.
        """

    def report(self, real_logits: Tensor, fake_logits: Tensor) -> dict[str, Tensor]:
        """What is logged of the discriminator: unless an objective says more, scores without a unit.

        Args:
            real_logits: ``(N,)``, of real items.
            fake_logits: ``(N,)``, of generated items.

        Returns:
            Numbers ``(N,)`` by name. ``discriminator_real`` and ``discriminator_fake`` are reserved for probabilities,
            ``discriminator_accuracy`` for a share of right answers: alarms read them as such.
        """
        return {"critic_real": at_least_float32(real_logits), "critic_fake": at_least_float32(fake_logits)}


@dataclass(frozen=True)
class Minimax(AdversarialObjective):
    r"""The zero-sum game itself: the discriminator minimises -V(D, G), the generator V(D, G).

    .. math::
        L_D = -E[\log D(x)] - E[\log(1 - D(G(z)))], \qquad L_G = E[\log(1 - D(G(z)))]

    The generator's gradient vanishes where the discriminator is sure: :math:`dL_G/dl = -D`.
    Source: Goodfellow et al. 2014, equation 1 and Algorithm 1.

    With a real label t below 1 (one-sided label smoothing, Salimans et al. 2016, section 3.4) the discriminator is to
    be no surer of real items than t,

    .. math:: L_D = -E[t \log D(x) + (1 - t) \log(1 - D(x))] - E[\log(1 - D(G(z)))], \qquad
        D^*(x) = t \, p(x) / (p(x) + p_G(x)),

    and nothing changes for generated items, nor for the generator. D is then even at t/2, not at 1/2.

    Args:
        real_label: t, above 1/2 and at most 1, such as 0.9; 1 is the game of 2014.
    """

    is_zero_sum: ClassVar[bool] = True

    real_label: float | Schedule = 1.0

    def __post_init__(self) -> None:
        lowest, highest = extremes_of(self.real_label)
        if not 0.5 < lowest <= highest <= 1.0:
            raise ValueError(
                f"real_label of {type(self).__name__} must be above 1/2 and at most 1, such as 0.9, got "
                f"{self.real_label}"
            )

    @property
    def _even(self) -> float:
        """D of an item that is as likely real as generated; of a label that follows a schedule the highest counts."""
        return extremes_of(self.real_label)[1] / 2.0

    @property
    def threshold(self) -> float | None:
        """The logit of t/2, which is 0 with a label of 1."""
        return math.log(self._even) - math.log(1.0 - self._even)

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """-V(D, G), or, with a real label below 1, the cross-entropy with it."""
        real, fake = at_least_float32(real_logits), at_least_float32(fake_logits)
        # log D - log(1 - D) is the logit.
        return (softplus(-real) + (1.0 - value_at(self.real_label, 0)) * real).mean() + softplus(fake).mean()

    def generator_loss(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        """E[log(1 - D(G(z)))], never above 0."""
        return -softplus(at_least_float32(fake_logits)).mean()

    def report(self, real_logits: Tensor, fake_logits: Tensor) -> dict[str, Tensor]:
        """How well real and generated items are told apart, each ``(N,)``.

        D(x) and D(G(z)); the share of right answers; and the distance to the game's equilibrium, where D = 1/2
        everywhere (Goodfellow et al. 2014, theorem 1), as the mean of abs(D - 1/2) over both kinds of item. With a
        real label of t, t/2 takes the place of 1/2 in all of this; of a label that follows a schedule the highest
        counts, since an evaluation knows of no step.
        """
        real, fake = at_least_float32(real_logits).sigmoid(), at_least_float32(fake_logits).sigmoid()
        even = self._even
        return {
            "discriminator_real": real,
            "discriminator_fake": fake,
            "discriminator_accuracy": _accuracy(real, fake, even),
            "equilibrium_distance": ((real - even).abs() + (fake - even).abs()) / 2.0,
        }


@dataclass(frozen=True)
class NonSaturating(Minimax):
    r"""The same discriminator; the generator maximises log D(G(z)) instead.

    .. math:: L_G = -E[\log D(G(z))]

    Its gradient is strongest where the discriminator is sure: :math:`dL_G/dl = D - 1`.
    Source: Goodfellow et al. 2014, section 3.

    Args:
        real_label: As for `Minimax`.
    """

    is_zero_sum: ClassVar[bool] = False

    def generator_loss(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        """-E[log D(G(z))], never below 0."""
        return softplus(-at_least_float32(fake_logits)).mean()


@dataclass(frozen=True)
class LeastSquares(AdversarialObjective):
    r"""The discriminator learns labels, 1 for real and 0 for generated items, by least squares; no sigmoid.

    .. math::
        L_D = \tfrac12 E[(C(x) - 1)^2] + \tfrac12 E[C(G(z))^2], \qquad L_G = \tfrac12 E[(C(G(z)) - 1)^2]

    Generated items far from the boundary between the labels are pulled towards it even on the right side of it.
    Source: Mao et al. 2017, equation 2 with the labels of equation 9 (a = 0, b = c = 1).
    """

    @property
    def threshold(self) -> float | None:
        """Half-way between the labels."""
        return 0.5

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Half the squared distances to the labels 1 and 0."""
        real, fake = at_least_float32(real_logits), at_least_float32(fake_logits)
        return 0.5 * (real - 1.0).square().mean() + 0.5 * fake.square().mean()

    def generator_loss(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        """Half the squared distance to the label of real items."""
        return 0.5 * (at_least_float32(fake_logits) - 1.0).square().mean()

    def report(self, real_logits: Tensor, fake_logits: Tensor) -> dict[str, Tensor]:
        """The scores, which aim at 1 and 0, and the share of those on their own side of 1/2."""
        scores = super().report(real_logits, fake_logits)
        return scores | {"discriminator_accuracy": _accuracy(scores["critic_real"], scores["critic_fake"], 0.5)}


@dataclass(frozen=True)
class Hinge(AdversarialObjective):
    r"""The discriminator leaves alone what it has got right by a margin of 1.

    .. math::
        L_D = E[\max(0, 1 - C(x))] + E[\max(0, 1 + C(G(z)))], \qquad L_G = -E[C(G(z))]

    Sources: Lim and Ye 2017; Miyato et al. 2018, equations 16 and 17.
    """

    @property
    def threshold(self) -> float | None:
        """Half-way between the margins."""
        return 0.0

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """What is lacking to the margins."""
        return relu(1.0 - at_least_float32(real_logits)).mean() + relu(1.0 + at_least_float32(fake_logits)).mean()

    def generator_loss(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        """The negative score; its gradient is the same however sure the discriminator is."""
        return -at_least_float32(fake_logits).mean()

    def report(self, real_logits: Tensor, fake_logits: Tensor) -> dict[str, Tensor]:
        """The scores, and the share of those on their own side of 0."""
        scores = super().report(real_logits, fake_logits)
        return scores | {"discriminator_accuracy": _accuracy(scores["critic_real"], scores["critic_fake"], 0.0)}


@dataclass(frozen=True)
class Wasserstein(AdversarialObjective):
    r"""The critic estimates the distance by which mass must be moved, the generator shortens it.

    .. math:: L_D = E[C(G(z))] - E[C(x)], \qquad L_G = -E[C(G(z))]

    -L_D approaches the Wasserstein-1 distance, in the units of the data, if the critic is 1-Lipschitz, which a
    `GradientPenalty` asks it to be; `WeightClipping` bounds its slope by an unknown number, and with it the loss by a
    multiple of the distance. Without either the loss has no bound. Scores have a meaning up to a constant only, so that
    no threshold parts real from generated. Source: Arjovsky et al. 2017, equations 2 and 3.
    """

    is_zero_sum: ClassVar[bool] = True
    needs_limited_slope: ClassVar[bool] = True

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """The negative estimate of the distance."""
        return at_least_float32(fake_logits).mean() - at_least_float32(real_logits).mean()

    def generator_loss(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        """The part of the distance that the generator moves."""
        return -at_least_float32(fake_logits).mean()


def _accuracy(real: Tensor, fake: Tensor, threshold: float) -> Tensor:
    """The share of each pair that is on its own side of a threshold, ``(N,)``: 0, 1/2 or 1."""
    return ((real > threshold).float() + (fake < threshold).float()) / 2.0
