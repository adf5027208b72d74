r"""Objectives that judge real and generated items by each other, not each by itself.

Source: Jolicoeur-Martineau, "The relativistic discriminator: a key element missing from standard GAN", ICLR 2019. With
:math:`f = \mathrm{softplus}`, so that :math:`f(-m) = -\log \mathrm{sigmoid}(m)`, the critic's margin m is turned into
the probability that the real item is the real one.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import softplus

from genzoo.losses.objectives import AdversarialObjective
from genzoo.precision import at_least_float32


class RelativisticObjective(AdversarialObjective):
    """The critic learns which items are the real ones, the generator to turn its answers round."""

    is_relativistic: ClassVar[bool] = True

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """The negative log-probability that the real ones are the real ones."""
        return self.loss(at_least_float32(real_logits), at_least_float32(fake_logits))

    def generator_loss(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        """The negative log-probability that the generated ones are: the critic's loss with the two kinds exchanged.

        Raises:
            ValueError: If there are no logits of real items.
        """
        if real_logits is None:
            raise ValueError(
                f"the generator's loss of {type(self).__name__} compares generated items with real ones, but got the "
                "logits of generated items only; give those of as many real ones as real_logits"
            )
        return self.loss(at_least_float32(fake_logits), at_least_float32(real_logits))

    @abstractmethod
    def loss(self, higher: Tensor, lower: Tensor) -> Tensor:
        """What is lacking for one kind of item to have the higher scores: ``(N,)`` and ``(N,)`` to a scalar."""

    def report(self, real_logits: Tensor, fake_logits: Tensor) -> dict[str, Tensor]:
        """The scores, and the share of pairs, by place in the batch, in which the real item has the higher one."""
        is_right = (at_least_float32(real_logits) > at_least_float32(fake_logits)).float()
        return super().report(real_logits, fake_logits) | {"discriminator_accuracy": is_right}


@dataclass(frozen=True)
class RelativisticPairing(RelativisticObjective):
    r"""Each real item against one generated item.

    .. math:: L_D = E[f(-(C(x) - C(G(z))))], \qquad L_G = E[f(C(x) - C(G(z)))]

    Items are paired by their place in the batch. Each generated item is pulled past its own real one, so that dropping
    a mode costs something. Source: Jolicoeur-Martineau 2019 (RpGAN); Huang et al. 2024 (R3GAN), which add `R1` and
    `R2`, without which it need not converge.
    """

    def loss(self, higher: Tensor, lower: Tensor) -> Tensor:
        """The mean of f over the margins of pairs."""
        return softplus(lower - higher).mean()


@dataclass(frozen=True)
class RelativisticAverage(RelativisticObjective):
    r"""Each item against the mean of the other kind.

    .. math::
        L_D &= E_x[f(-(C(x) - E_z C(G(z))))] + E_z[f(C(G(z)) - E_x C(x))] \\
        L_G &= E_z[f(-(C(G(z)) - E_x C(x)))] + E_x[f(C(x) - E_z C(G(z)))]

    Means are those of one batch on one device: gradients accumulated over four batches are not quite those of one
    batch of their joint size. `report` compares pairs nevertheless, since an image's share in a comparison with the
    mean would depend on the batch it comes in. Source: Jolicoeur-Martineau 2019, section 4.3 and Algorithm 2 (RaSGAN).
    """

    def loss(self, higher: Tensor, lower: Tensor) -> Tensor:
        """The mean of f over the margins of items to the mean of the other kind, of both kinds."""
        return softplus(lower.mean() - higher).mean() + softplus(lower - higher.mean()).mean()
