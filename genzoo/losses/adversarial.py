r"""What the two players of the adversarial game want, as functions of the discriminator's logits.

With D = sigmoid(logit) the value of the game is (Goodfellow et al. 2014, equation 1)

.. math:: V(D, G) = E_x[\log D(x)] + E_z[\log(1 - D(G(z)))].

All is computed from logits, in float32 or float64: :math:`-\log D = \mathrm{softplus}(-l)` and
:math:`-\log(1 - D) = \mathrm{softplus}(l)` never overflow.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import softplus

from genzoo.precision import at_least_float32


class AdversarialObjective(ABC):
    """The losses of both players; each is minimised by its own player."""

    @abstractmethod
    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """What the discriminator minimises: logits ``(N,)`` of real and of generated images to a scalar."""

    @abstractmethod
    def generator_loss(self, fake_logits: Tensor) -> Tensor:
        """What the generator minimises: logits ``(N,)`` of generated images to a scalar."""


@dataclass(frozen=True)
class Minimax(AdversarialObjective):
    r"""The zero-sum game itself: the discriminator minimises -V(D, G), the generator V(D, G).

    .. math::
        L_D = -E[\log D(x)] - E[\log(1 - D(G(z)))], \qquad L_G = E[\log(1 - D(G(z)))]

    The generator's gradient vanishes where the discriminator is sure: :math:`dL_G/dl = -D`.
    Source: Goodfellow et al. 2014, equation 1 and Algorithm 1.
    """

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """-V(D, G)."""
        return softplus(-at_least_float32(real_logits)).mean() + softplus(at_least_float32(fake_logits)).mean()

    def generator_loss(self, fake_logits: Tensor) -> Tensor:
        """E[log(1 - D(G(z)))], never above 0."""
        return -softplus(at_least_float32(fake_logits)).mean()


@dataclass(frozen=True)
class NonSaturating(Minimax):
    r"""The same discriminator; the generator maximises log D(G(z)) instead.

    .. math:: L_G = -E[\log D(G(z))]

    Its gradient is strongest where the discriminator is sure: :math:`dL_G/dl = D - 1`.
    Source: Goodfellow et al. 2014, section 3.
    """

    def generator_loss(self, fake_logits: Tensor) -> Tensor:
        """-E[log D(G(z))], never below 0."""
        return softplus(-at_least_float32(fake_logits)).mean()
