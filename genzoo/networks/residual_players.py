r"""Residual players of games.

Sources: Gulrajani et al. 2017 (appendix F) and Miyato et al. 2018 (appendix B.4, figure 8; tables 4 to 6). From
them: blocks of two 3x3 convolutions, each behind a norm (or none) and ReLU, and a shortcut; the generator's blocks
double sizes by nearest neighbours before the first convolution, the discriminator's halve them by the mean after the
second; the discriminator's first block has no ReLU in front, its last one keeps the size, and its features are summed
over all places; the condition in the generator's batch norm (Miyato and Koyama 2018). With ``width=64`` at 128 pixels
the channels are those of table 6. Weights start as in the authors' code: Glorot and Bengio 2010, with a gain of
:math:`\sqrt 2` in the 3x3 convolutions of blocks.

Not from the papers: the depth follows the image size; on shortcuts 1x1 convolutions come before a doubling and after a
halving, which gives the same in less time; the generator's last convolution starts with the gain of those in blocks;
`SelfAttention` (Zhang et al. 2019) and `MinibatchDeviation` (Karras et al. 2018) may be added.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from genzoo.networks.architectures import Players, channels_by_level, halvings
from genzoo.networks.attention import SelfAttention
from genzoo.networks.conditioning import ImageLayers, Shape, code_length, length_beside_code, maps_of
from genzoo.networks.discriminator import Discriminator, LayeredDiscriminator
from genzoo.networks.layers import Concatenation, LayersInTurn, Residual
from genzoo.networks.minibatch_deviation import MinibatchDeviation
from genzoo.networks.normalisation import ConditionalBatchNorm2d, Norm, norm_of_maps

GeneratorCondition = Literal["concatenated", "batch_norm"]
"""Where a generator takes its condition: beside z, or in its batch norm."""

MakesNorm = Callable[[int], list[nn.Module]]
"""The layers that normalise so many channels: one or none."""


def convolutions(
    fan_in: int, between: int, fan_out: int, norm: MakesNorm, first: list[nn.Module], last: list[nn.Module]
) -> LayersInTurn:
    """Two 3x3 convolutions, each behind a norm and ReLU; ``first`` resizes before them, ``last`` behind them."""
    before = [*norm(fan_in), nn.ReLU(), *first, nn.Conv2d(fan_in, between, 3, padding=1)]
    return LayersInTurn(*before, *norm(between), nn.ReLU(), nn.Conv2d(between, fan_out, 3, padding=1), *last)


def doubling_block(fan_in: int, fan_out: int, norm: MakesNorm) -> Residual:
    """``(N, fan_in, H, W)`` to ``(N, fan_out, 2H, 2W)``."""
    shortcut = nn.Sequential(nn.Conv2d(fan_in, fan_out, 1), nn.Upsample(scale_factor=2))
    return Residual(convolutions(fan_in, fan_out, fan_out, norm, [nn.Upsample(scale_factor=2)], []), shortcut)


def halving_block(fan_in: int, fan_out: int, norm: MakesNorm) -> Residual:
    """``(N, fan_in, H, W)`` to ``(N, fan_out, H/2, W/2)``."""
    shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(fan_in, fan_out, 1))
    return Residual(convolutions(fan_in, fan_in, fan_out, norm, [], [nn.AvgPool2d(2)]), shortcut)


def first_block(fan_in: int, fan_out: int, norm: MakesNorm) -> Residual:
    """The same of images, where a ReLU in front would lose what is below 0."""
    layers = [nn.Conv2d(fan_in, fan_out, 3, padding=1), *norm(fan_out), nn.ReLU()]
    layers += [nn.Conv2d(fan_out, fan_out, 3, padding=1), nn.AvgPool2d(2)]
    return Residual(LayersInTurn(*layers), nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(fan_in, fan_out, 1)))


def keeping_block(fan_in: int, fan_out: int, norm: MakesNorm) -> Residual:
    """``(N, fan_in, H, W)`` to ``(N, fan_out, H, W)``."""
    shortcut = None if fan_in == fan_out else nn.Conv2d(fan_in, fan_out, 1)
    return Residual(convolutions(fan_in, fan_out, fan_out, norm, [], []), shortcut)


def initialise(module: nn.Module) -> None:
    """Draws the weights of one layer: Glorot's, with a gain of 2^(1/2) in 3x3 convolutions; biases are 0."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight, gain=math.sqrt(2.0) if module.weight.shape[2:] == (3, 3) else 1.0)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def conditional_batch_norm(numbers: int, channels: int) -> list[nn.Module]:
    """Batch norm by a condition of so many numbers."""
    return [ConditionalBatchNorm2d(channels, numbers)]


class SumOverPlaces(nn.Module):
    """``(N, C, H, W)`` to ``(N, C)``."""

    def forward(self, x: Tensor) -> Tensor:
        """The sums."""
        return x.sum((2, 3))


@dataclass(frozen=True)
class ResidualPlayers(Players):
    """Residual generator and discriminator, of images of 28, 32, 48, 64, 128 or 256 pixels.

    The generator takes every condition but an image, beside z or in its batch norm; the discriminator takes any beside
    the image, as channels.

    Args:
        width: Channels next to the image; they double with each halving, up to 16 times as many.
        depth: Blocks at every size, at least 1; the discriminator has one more at the smallest.
        generator_norm: Of the generator, ``batch`` in the papers.
        discriminator_norm: Of the discriminator: ``none`` with `SpectrallyNormalised` in Miyato et al. 2018, ``layer``
            with a `GradientPenalty` in Gulrajani et al. 2017.
        generator_condition: ``concatenated`` to z, or in the generator's ``batch_norm``, which must then be its norm.
        attention_size: Height of the feature maps behind which both players have a `SelfAttention`, such as half or a
            quarter of the image's; 0: they have none.
        deviation_group: Items per group of a `MinibatchDeviation` in front of the discriminator's last block, 4 in
            Karras et al. 2018; it mixes the items of a batch. 0: there is none.
    """

    width: int = 32
    depth: int = 1
    generator_norm: Norm = "batch"
    discriminator_norm: Norm = "none"
    generator_condition: GeneratorCondition = "concatenated"
    attention_size: int = 0
    deviation_group: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.depth < 1:
            raise ValueError(f"depth must be at least 1, got {self.depth}")

    def generator(self, latent_shape: Shape, data_shape: Shape, condition_shape: Shape = ()) -> nn.Module:
        """A network from ``(N, *latent_shape)`` to ``(N, C, H, W)`` in [-1, 1]."""
        if self.generator_condition == "batch_norm" and self.generator_norm != "batch":
            raise ValueError(
                "generator_condition batch_norm puts the condition into batch norm, but generator_norm is "
                f"{self.generator_norm}; choose batch, or concatenated conditions"
            )
        number, size = self._halvings(data_shape)
        code = code_length(latent_shape, self)
        beside = length_beside_code(condition_shape, self, "MLPPlayers or ImageToImagePlayers")
        norm: MakesNorm = partial(norm_of_maps, self.generator_norm)
        layers: list[nn.Module] = []
        if self.generator_condition == "concatenated":
            layers, code = [Concatenation()], code + beside
        elif beside:
            norm = partial(conditional_batch_norm, beside)
        channels = channels_by_level(self.width, number)[::-1]
        layers += [nn.Linear(code, channels[0] * size**2), nn.Unflatten(1, (channels[0], size, size))]
        layers += self._attention(size, channels[0])
        for level, (fan_in, fan_out) in enumerate(pairwise([channels[0], *channels]), start=1):
            layers += [doubling_block(fan_in, fan_out, norm), *self._further(fan_out, norm)]
            layers += self._attention(size * 2**level, fan_out)
        layers += [*norm(self.width), nn.ReLU(), nn.Conv2d(self.width, data_shape[0], 3, padding=1), nn.Tanh()]
        return LayersInTurn(*layers).apply(initialise).to(memory_format=torch.channels_last)

    def discriminator(self, data_shape: Shape, condition_shape: Shape = ()) -> Discriminator:
        """A network from ``(N, C, H, W)`` to logits ``(N,)``."""
        if self.deviation_group == 1:
            raise ValueError("a deviation_group of 1 has no deviation; choose 0 (none), or 2 or more, such as 4")
        number, _ = self._halvings(data_shape)
        norm: MakesNorm = partial(norm_of_maps, self.discriminator_norm)
        channels = [data_shape[0] + maps_of(condition_shape, data_shape), *channels_by_level(self.width, number)]
        layers: list[nn.Module] = []
        for level, (fan_in, fan_out) in enumerate(pairwise(channels), start=1):
            block = first_block if level == 1 else halving_block
            layers += [block(fan_in, fan_out, norm), *self._further(fan_out, norm)]
            layers += self._attention(data_shape[1] // 2**level, fan_out)
        last = channels[-1]
        if self.deviation_group:
            layers += [MinibatchDeviation(self.deviation_group), keeping_block(last + 1, last, norm)]
        else:
            layers += [keeping_block(last, last, norm)]
        layers += [*norm(last), nn.ReLU(), SumOverPlaces()]
        network = LayeredDiscriminator(ImageLayers(*layers), nn.Linear(last, 1), (last,))
        return network.apply(initialise).to(memory_format=torch.channels_last)

    def _halvings(self, data_shape: Shape) -> tuple[int, int]:
        number, size = halvings(data_shape)
        sizes = [size * 2**level for level in range(number)]
        if self.attention_size not in (0, *sizes):
            raise ValueError(
                f"attention_size must be a size of maps that both players have at {data_shape[1]} pixels, "
                f"{', '.join(map(str, sizes))}, or 0 for none, got {self.attention_size}"
            )
        return number, size

    def _further(self, channels: int, norm: MakesNorm) -> list[nn.Module]:
        return [keeping_block(channels, channels, norm) for _ in range(self.depth - 1)]

    def _attention(self, size: int, channels: int) -> list[nn.Module]:
        return [SelfAttention(channels)] if size == self.attention_size else []
