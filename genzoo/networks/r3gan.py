r"""The players of R3GAN (Huang et al. 2024, "The GAN is dead; long live the GAN! A modern GAN baseline", section 4).

From the paper: no normalisation; blocks of a 1x1, a grouped 3x3 and a 1x1 convolution with LeakyReLU(0.2) between,
wider in the middle; between sizes a bilinear resizing, and a 1x1 convolution where channels change; the generator
begins with learned maps that z modulates, channel by channel, and the discriminator ends with a depthwise convolution
as large as the maps, and a linear layer; no nonlinearity on the way of the shortcuts. Weights start as those of He et
al. 2015, but in blocks as in Fixup (Zhang et al. 2019): the last convolution from 0, the two others smaller by
:math:`L^{-1/4}`, where L is the number of blocks of the network.

Not from the paper: a tanh at the generator's output, which keeps images in [-1, 1], where the paper has no bound; the
smallest maps have 3 to 7 pixels, as the image size has it, not always 4; channels double from the image on, up to 16
times as many, not up to 768; a condition stands beside z, as there, but as maps beside the discriminator's image, where
the paper has a projection.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from genzoo.networks.architectures import Players, channels_by_level, halvings
from genzoo.networks.conditioning import ImageLayers, Shape, code_length, length_beside_code, maps_of
from genzoo.networks.discriminator import Discriminator, LayeredDiscriminator
from genzoo.networks.layers import Concatenation, LayersInTurn, Residual

SLOPE = 0.2


def scaled(layer: nn.Conv2d | nn.Linear, gain: float = 1.0) -> nn.Conv2d | nn.Linear:
    """Draws the weights of a layer so that what it makes has a deviation of ``gain`` times its input's."""
    nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
    with torch.no_grad():
        layer.weight.mul_(gain)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class Bottleneck(Residual):
    """``(N, C, H, W)`` to the same shape: 1x1, 3x3 and 1x1 convolutions, of which the last starts from 0.

    Args:
        channels: C.
        between: Channels of the 3x3 convolution.
        group: Of how many channels it looks at a time.
        gain: Of the first two convolutions at the start.

    Raises:
        ValueError: If the channels between are no whole number of groups.
    """

    def __init__(self, channels: int, between: int, group: int, gain: float) -> None:
        number = max(between // group, 1)
        if between > group and between % group != 0:
            raise ValueError(f"{between} channels cannot be divided into groups of {group}; choose a width that can be")
        last = nn.Conv2d(between, channels, 1, bias=False)
        nn.init.zeros_(last.weight)
        layers = [scaled(nn.Conv2d(channels, between, 1), gain), nn.LeakyReLU(SLOPE, inplace=True)]
        layers += [
            scaled(nn.Conv2d(between, between, 3, padding=1, groups=number), gain),
            nn.LeakyReLU(SLOPE, inplace=True),
        ]
        super().__init__(LayersInTurn(*layers, last))


class Basis(nn.Module):
    """Learned maps, each as strong as a linear function of a code makes it: ``(N, D)`` to ``(N, C, H, H)``."""

    def __init__(self, code: int, channels: int, size: int) -> None:
        super().__init__()
        self.maps = nn.Parameter(torch.randn(channels, size, size))
        self.strength = scaled(nn.Linear(code, channels, bias=False))

    def forward(self, z: Tensor) -> Tensor:
        """The modulated maps."""
        strength: Tensor = self.strength(z)
        return strength[:, :, None, None] * self.maps


@dataclass(frozen=True)
class R3GANPlayers(Players):
    """Generator and discriminator of R3GAN, of images of 28, 32, 48, 64, 128 or 256 pixels.

    To be used with `RelativisticPairing`, `R1` and `R2`. The generator takes every condition but an image, beside z;
    the discriminator takes any beside the image, as channels. `SpectrallyNormalised` refuses them, since some of their
    weights start from 0.

    Args:
        width: Channels at the size of the image; they double with each halving, up to 16 times as many.
        depth: Blocks at every size, 2 in the paper.
        expansion: How many times as many channels blocks have in the middle, 2 in the paper.
        group: Channels of each group of the 3x3 convolutions, 16 in the paper; fewer channels are one group.
    """

    width: int = 32
    depth: int = 2
    expansion: int = 2
    group: int = 16

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("depth", "expansion", "group"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")

    def generator(self, latent_shape: Shape, data_shape: Shape, condition_shape: Shape = ()) -> nn.Module:
        """A network from ``(N, *latent_shape)`` to ``(N, C, H, W)`` in [-1, 1]."""
        channels, size = self._levels(data_shape)
        beside = length_beside_code(condition_shape, self, "MLPPlayers or ImageToImagePlayers")
        code = code_length(latent_shape, self) + beside
        layers: list[nn.Module] = [Concatenation(), Basis(code, channels[-1], size)]
        layers += self._blocks(channels[-1], len(channels))
        for fan_in, fan_out in pairwise(channels[::-1]):
            # A convolution of single pixels before a linear resizing gives what it gives behind it, in less time.
            layers += [*matched(fan_in, fan_out), nn.Upsample(scale_factor=2, mode="bilinear")]
            layers += self._blocks(fan_out, len(channels))
        layers += [scaled(nn.Conv2d(channels[0], data_shape[0], 1)), nn.Tanh()]
        return LayersInTurn(*layers).to(memory_format=torch.channels_last)

    def discriminator(self, data_shape: Shape, condition_shape: Shape = ()) -> Discriminator:
        """A network from ``(N, C, H, W)`` to logits ``(N,)``."""
        channels, size = self._levels(data_shape)
        fan_in, last = data_shape[0] + maps_of(condition_shape, data_shape), channels[-1]
        layers: list[nn.Module] = [scaled(nn.Conv2d(fan_in, channels[0], 1))]
        layers += self._blocks(channels[0], len(channels))
        for fan_in, fan_out in pairwise(channels):
            # To half the size, what lies between four pixels is their mean.
            layers += [nn.AvgPool2d(2), *matched(fan_in, fan_out), *self._blocks(fan_out, len(channels))]
        layers += [scaled(nn.Conv2d(last, last, size, groups=last, bias=False)), nn.Flatten()]
        network = LayeredDiscriminator(ImageLayers(*layers), scaled(nn.Linear(last, 1, bias=False)), (last,))
        return network.to(memory_format=torch.channels_last)

    def _levels(self, data_shape: Shape) -> tuple[list[int], int]:
        """Channels at every size from the image's down, and the smallest size."""
        number, size = halvings(data_shape)
        return channels_by_level(self.width, number + 1), size

    def _blocks(self, channels: int, levels: int) -> list[nn.Module]:
        gain = nn.init.calculate_gain("leaky_relu", SLOPE) * (levels * self.depth) ** -0.25
        between = self.expansion * channels
        return [Bottleneck(channels, between, self.group, gain) for _ in range(self.depth)]


def matched(fan_in: int, fan_out: int) -> list[nn.Module]:
    """What brings maps from some channels to others: nothing where they are as many."""
    return [] if fan_in == fan_out else [scaled(nn.Conv2d(fan_in, fan_out, 1, bias=False))]
