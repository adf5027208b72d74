"""Convolutional encoder and decoder for autoencoders."""

from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from genzoo.networks.architectures import EncoderDecoder, channels_by_level, halvings
from genzoo.networks.conditioning import ImageLayers, Shape, VectorLayers, code_length, length_beside_code, maps_of
from genzoo.networks.upsampling import Upsampling, doubling


@dataclass(frozen=True)
class ConvolutionalEncoderDecoder(EncoderDecoder):
    """Strided 4x4 convolutions down, upsampling, ReLU between, one linear layer at the bottleneck.

    The number of layers follows the image size; channels double with each halving, up to 16 times as many. Without
    batch norm: the bound of an image then does not depend on its neighbours in the batch.

    Args:
        width: Channels after the first convolution.
        upsampling: How the decoder doubles sizes: ``transposed`` convolution, or ``resize`` and convolution.
    """

    width: int = 32
    upsampling: Upsampling = "transposed"

    def encoder(self, data_shape: Shape, code_shape: Shape, condition_shape: Shape = ()) -> nn.Module:
        """A network from ``(N, C, H, W)`` to ``(N, *code_shape)``."""
        number, size = halvings(data_shape)
        channels = [data_shape[0] + maps_of(condition_shape, data_shape), *channels_by_level(self.width, number)]
        layers: list[nn.Module] = []
        # Kernels of twice the stride: every pixel is seen equally often, which 3x3 with stride 2 would not do.
        for fan_in, fan_out in pairwise(channels):
            layers += [nn.Conv2d(fan_in, fan_out, 4, stride=2, padding=1), nn.ReLU()]
        bottleneck = nn.Linear(channels[-1] * size * size, code_length(code_shape, self))
        return ImageLayers(*layers, nn.Flatten(), bottleneck)

    def decoder(self, code_shape: Shape, data_shape: Shape, condition_shape: Shape = ()) -> nn.Module:
        """A network from ``(N, *code_shape)`` to ``(N, C, H, W)``, without an output activation."""
        number, size = halvings(data_shape)
        channels = [*reversed(channels_by_level(self.width, number)), data_shape[0]]
        in_features = code_length(code_shape, self) + length_beside_code(condition_shape, self, "MLPEncoderDecoder")
        layers: list[nn.Module] = [
            nn.Linear(in_features, channels[0] * size * size),
            nn.Unflatten(1, (channels[0], size, size)),
        ]
        for fan_in, fan_out in pairwise(channels):
            layers += [nn.ReLU(), *doubling(fan_in, fan_out, self.upsampling)]
        return VectorLayers(*layers)
