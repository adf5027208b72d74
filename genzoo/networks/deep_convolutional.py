"""The networks of DCGAN (Radford et al. 2016, section 3 and figure 1).

From the paper: no pooling and no hidden fully connected layers, strided convolutions in the discriminator
and transposed ones in the generator, 4x4 at the base of the generator; batch norm everywhere but at the
generator's output and the discriminator's input; ReLU and a final tanh in the generator, LeakyReLU(0.2) in
the discriminator; weights from N(0, 0.02^2). With ``width=128`` at 64 pixels the generator is that of
figure 1 (1024, 512, 256, 128 channels).

Not from the paper: kernels of 4x4 instead of 5x5 (each output pixel is then touched equally often, as in the
authors' later code and in PyTorch's tutorial); the depth follows the image size; batch norm's scales start
from N(1, 0.02^2) as in the authors' code; the discriminator gives logits.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from genzoo.networks.architectures import Players, channels_by_level, halvings
from genzoo.networks.conditioning import ImageLayers, Shape, code_length, concatenate, length_beside_code, maps_of
from genzoo.networks.discriminator import Discriminator, LayeredDiscriminator
from genzoo.networks.normalisation import NORMS, Norm, makes_bias_idle, norm_of_maps
from genzoo.networks.upsampling import Upsampling, doubling


def initialise(module: nn.Module) -> None:
    """Draws the weights of one layer as in the paper: N(0, 0.02^2), the scales of norms N(1, 0.02^2)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, NORMS):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


class DCGANGenerator(nn.Module):
    """Transposed convolutions from a 1x1 map of latent variables to an image.

    Args:
        latent_dim: Number of latent variables, those of a condition included.
        data_shape: ``(C, H, W)`` of the images.
        width: Channels before the last layer.
        upsampling: How sizes are doubled.
        norm: What follows all convolutions but the last.
    """

    def __init__(
        self, latent_dim: int, data_shape: Shape, width: int, upsampling: Upsampling, norm: Norm = "batch"
    ) -> None:
        super().__init__()
        number, size = halvings(data_shape)
        channels = channels_by_level(width, number)[::-1]
        # Before batch norm, which subtracts the mean, a bias would have no effect. Behind it an activation may work in
        # place, which saves memory: no gradient needs what batch norm gave.
        bias = not makes_bias_idle(norm)
        layers: list[nn.Module] = [nn.ConvTranspose2d(latent_dim, channels[0], size, bias=bias)]
        for fan_in, fan_out in pairwise(channels):
            layers += [*norm_of_maps(norm, fan_in), nn.ReLU(inplace=True)]
            layers += doubling(fan_in, fan_out, upsampling, bias=bias)
        layers += [*norm_of_maps(norm, width), nn.ReLU(inplace=True)]
        layers += [*doubling(width, data_shape[0], upsampling), nn.Tanh()]
        self.layers = nn.Sequential(*layers).apply(initialise)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """``(N, *latent_shape)`` and ``(N, *condition_shape)`` to ``(N, C, H, W)`` in [-1, 1]."""
        images: Tensor = self.layers(concatenate(z, condition)[:, :, None, None])
        return images


class DCGANDiscriminator(LayeredDiscriminator):
    """Strided convolutions from an image, with a condition as maps beside it, to a logit.

    Args:
        data_shape: ``(C, H, W)`` of the images, with the maps of a condition among the channels.
        width: Channels after the first layer.
        norm: What follows all convolutions but the first.
    """

    def __init__(self, data_shape: Shape, width: int, norm: Norm = "batch") -> None:
        number, size = halvings(data_shape)
        channels = channels_by_level(width, number)
        layers: list[nn.Module] = [
            nn.Conv2d(data_shape[0], width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        for fan_in, fan_out in pairwise(channels):
            layers.append(nn.Conv2d(fan_in, fan_out, 4, stride=2, padding=1, bias=not makes_bias_idle(norm)))
            layers += [*norm_of_maps(norm, fan_out), nn.LeakyReLU(0.2, inplace=True)]
        # As large as what is left of the image: the whole of it makes one logit.
        head = nn.Conv2d(channels[-1], 1, size)
        super().__init__(ImageLayers(*layers), head, (channels[-1], size, size))
        self.apply(initialise)


@dataclass(frozen=True)
class DCGANPlayers(Players):
    """Generator and discriminator of DCGAN; a condition stands beside z in the one, beside the image in the other.

    Args:
        width: Channels of the layers next to the image; they double with each halving, up to 16 times as many.
        upsampling: How the generator doubles sizes: ``transposed`` convolution (the paper's), or ``resize`` and
            convolution.
        discriminator_norm: ``batch`` norm in the discriminator (the paper's), or another or ``none``, as penalties of
            its gradient want it: they ask for that of each item by itself.
        generator_norm: The same in the generator.
    """

    width: int = 64
    upsampling: Upsampling = "transposed"
    discriminator_norm: Norm = "batch"
    generator_norm: Norm = "batch"

    def generator(self, latent_shape: Shape, data_shape: Shape, condition_shape: Shape = ()) -> nn.Module:
        """A network from ``(N, *latent_shape)`` to ``(N, C, H, W)`` in [-1, 1]."""
        beside = length_beside_code(condition_shape, self, "MLPPlayers or ImageToImagePlayers")
        code = code_length(latent_shape, self) + beside
        network = DCGANGenerator(code, data_shape, self.width, self.upsampling, self.generator_norm)
        # With weights in this order a processor trains on 275 images of 32 pixels a second in place of 240.
        return network.to(memory_format=torch.channels_last)

    def discriminator(self, data_shape: Shape, condition_shape: Shape = ()) -> Discriminator:
        """A network from ``(N, C, H, W)`` to logits ``(N,)``."""
        channels, *size = data_shape
        seen = [channels + maps_of(condition_shape, data_shape), *size]
        network = DCGANDiscriminator(seen, self.width, self.discriminator_norm)
        return network.to(memory_format=torch.channels_last)
