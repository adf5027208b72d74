"""Residual encoder and decoder for autoencoders.

Source of the blocks: He et al. 2016, "Identity mappings in deep residual networks" (normalise, activate, convolve,
twice, and add). Not from the paper: group norm in place of batch norm (Wu and He 2018), so that the bound of an image
does not depend on its neighbours; SiLU in place of ReLU.
"""

from dataclasses import dataclass

from torch import nn

from genzoo.networks.architectures import EncoderDecoder, channels_by_level, halvings
from genzoo.networks.conditioning import ImageLayers, Shape, VectorLayers, code_length, length_beside_code, maps_of
from genzoo.networks.layers import LayersInTurn, Residual
from genzoo.networks.normalisation import norm_of_maps
from genzoo.networks.upsampling import Upsampling, doubling


class ResidualBlock(Residual):
    """``(N, C, H, W)`` to the same shape: the input plus two convolutions of it."""

    def __init__(self, channels: int) -> None:
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [*norm_of_maps("group", channels), nn.SiLU(), nn.Conv2d(channels, channels, 3, padding=1)]
        super().__init__(LayersInTurn(*layers))


@dataclass(frozen=True)
class ResidualEncoderDecoder(EncoderDecoder):
    """Residual blocks at every size of the feature map, strided convolutions down, upsampling up.

    Args:
        width: Channels next to the image; they double with each halving, up to 16 times as many.
        blocks: Residual blocks at every size.
        upsampling: How the decoder doubles sizes: ``transposed`` convolution, or ``resize`` and convolution.
    """

    width: int = 32
    blocks: int = 1
    upsampling: Upsampling = "resize"

    def encoder(self, data_shape: Shape, code_shape: Shape, condition_shape: Shape = ()) -> nn.Module:
        """A network from ``(N, C, H, W)`` to ``(N, *code_shape)``."""
        number, size = halvings(data_shape)
        fan_in, layers = data_shape[0] + maps_of(condition_shape, data_shape), list[nn.Module]()
        for channels in channels_by_level(self.width, number):
            layers += [nn.Conv2d(fan_in, channels, 4, stride=2, padding=1), *self._blocks(channels)]
            fan_in = channels
        bottleneck = nn.Linear(fan_in * size * size, code_length(code_shape, self))
        return ImageLayers(*layers, *norm_of_maps("group", fan_in), nn.SiLU(), nn.Flatten(), bottleneck)

    def decoder(self, code_shape: Shape, data_shape: Shape, condition_shape: Shape = ()) -> nn.Module:
        """A network from ``(N, *code_shape)`` to ``(N, C, H, W)``, without an output activation."""
        number, size = halvings(data_shape)
        channels = channels_by_level(self.width, number)[::-1]
        in_features = code_length(code_shape, self) + length_beside_code(condition_shape, self, "MLPEncoderDecoder")
        layers: list[nn.Module] = [
            nn.Linear(in_features, channels[0] * size * size),
            nn.Unflatten(1, (channels[0], size, size)),
        ]
        # The last doubling ends in maps of the image's size, and a further convolution makes the image of them.
        for fan_in, fan_out in zip(channels, [*channels[1:], self.width], strict=True):
            layers += [*self._blocks(fan_in), *doubling(fan_in, fan_out, self.upsampling)]
        layers += [*norm_of_maps("group", self.width), nn.SiLU(), nn.Conv2d(self.width, data_shape[0], 3, padding=1)]
        return VectorLayers(*layers)

    def _blocks(self, channels: int) -> list[nn.Module]:
        return [ResidualBlock(channels) for _ in range(self.blocks)]
