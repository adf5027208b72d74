r"""The choice of what normalises maps or vectors between the layers of a network.

.. math:: y = \gamma \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta

What the choices differ in is where mean and variance are taken: of each channel over the batch (``batch``, Ioffe and
Szegedy 2015), of each channel of each item (``instance``, Ulyanov et al. 2016), of groups of channels of each item
(``group``, Wu and He 2018), or of all values of each item (``layer``, Ba et al. 2016). Batch norm alone mixes the items
of a batch, which penalties of a discriminator's gradient do not go with: layer norm is what Gulrajani et al. 2017
recommend in its place.

Not from the papers: layer norm of maps has a gain and a bias per channel, not per value; group norm has up to 8 groups,
not 32.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _NormBase

from genzoo.networks.layers import TakesCondition

Norm = Literal["batch", "instance", "group", "layer", "none"]
"""What normalises maps."""

VectorNorm = Literal["batch", "group", "layer", "none"]
"""What normalises vectors, whose features have no places that a mean could be taken of."""

NORMS = (_NormBase, nn.GroupNorm, nn.LayerNorm)
"""All layers of torch that divide by a deviation: the first is what batch norm and instance norm of any kind are."""


def norm_of_maps(norm: Norm, channels: int) -> list[nn.Module]:
    """The layer that normalises maps ``(N, C, H, W)``; no layer for ``none``."""
    if norm == "batch":
        return [nn.BatchNorm2d(channels)]
    if norm == "instance":
        return [nn.InstanceNorm2d(channels, affine=True)]
    return _norm_of_groups(norm, channels)


def norm_of_vectors(norm: VectorNorm, features: int) -> list[nn.Module]:
    """The layer that normalises vectors ``(N, F)``; no layer for ``none``."""
    return [nn.BatchNorm1d(features)] if norm == "batch" else _norm_of_groups(norm, features)


def _norm_of_groups(norm: Literal["group", "layer", "none"], channels: int) -> list[nn.Module]:
    if norm == "none":
        return []
    numbers = (8, 4, 2, 1) if norm == "group" else (1,)
    return [nn.GroupNorm(next(number for number in numbers if channels % number == 0), channels)]


def makes_bias_idle(norm: Norm) -> bool:
    """Whether a bias before the norm has no effect, since the mean of its channel is subtracted again."""
    return norm in ("batch", "instance")


class ConditionalBatchNorm2d(TakesCondition):
    r"""Batch norm whose gain and bias depend on a condition c.

    .. math:: y = (\gamma + \Delta\gamma\, c) \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta + \Delta\beta\, c

    Source: de Vries et al. 2017, equations 3 and 4. Not from it: the changes are linear in the condition, not a
    perceptron's, as in Miyato and Koyama 2018. They start from 0, gain and bias from 1 and 0. Without a condition, and
    for a missing class, which is encoded as zeros, it is plain batch norm.

    Args:
        channels: C, of the maps.
        numbers: K, of a condition.
    """

    def __init__(self, channels: int, numbers: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        # Gains first, then biases; no linear layer, which initialisations of whole networks would not leave at 0.
        self.weight = nn.Parameter(torch.zeros(2 * channels, numbers))
        self.bias = nn.Parameter(torch.cat([torch.ones(channels), torch.zeros(channels)]))

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """``(N, C, H, W)`` and K numbers for each item, in any shape, to ``(N, C, H, W)``."""
        if condition is None:
            gain, bias = self.bias[None].chunk(2, dim=1)
        else:
            gain, bias = functional.linear(condition.flatten(1), self.weight, self.bias).chunk(2, dim=1)
        normalised: Tensor = self.norm(x)
        return normalised * gain[:, :, None, None] + bias[:, :, None, None]
