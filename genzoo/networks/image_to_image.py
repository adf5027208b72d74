"""The networks of pix2pix (Isola et al. 2017, "Image-to-image translation with conditional adversarial networks").

From the paper (appendix 6.1): a U-Net as generator, whose skips hand the features of the condition image over at every
size; 4x4 convolutions; batch norm but in the first and the last layer of a network; LeakyReLU(0.2) on the way down,
ReLU on the way up, a final tanh; weights from N(0, 0.02^2); a discriminator that judges patches of image and condition
image side by side, and averages.

Not from the paper: latent variables, as constant maps at the bottleneck, in place of dropout that stays on in sampling;
the way down ends at 3 to 7 pixels, not at 1; logits are averaged, not probabilities; half the channels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from genzoo.networks.architectures import Players, channels_by_level, halvings
from genzoo.networks.conditioning import ImageLayers, Shape, code_length, concatenate_maps, maps_of
from genzoo.networks.deep_convolutional import initialise
from genzoo.networks.discriminator import Discriminator, LayeredDiscriminator
from genzoo.networks.upsampling import Upsampling, doubling
from genzoo.spec import is_image


def narrowing(fan_in: int, fan_out: int, stride: int, is_first: bool) -> list[nn.Module]:
    """A convolution with what follows it on the way down; batch norm does without a bias before it."""
    norm = [] if is_first else [nn.BatchNorm2d(fan_out)]
    return [nn.Conv2d(fan_in, fan_out, 4, stride, padding=1, bias=is_first), *norm, nn.LeakyReLU(0.2)]


class UNetGenerator(nn.Module):
    """From a condition image down to few pixels, where latent variables come in, and up again to an image."""

    def __init__(self, channels: Sequence[int], latent_dim: int, channels_out: int, upsampling: Upsampling) -> None:
        super().__init__()
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for level, (fan_in, fan_out) in enumerate(pairwise(channels)):
            self.down.append(nn.Sequential(*narrowing(fan_in, fan_out, 2, is_first=level == 0)))
        fan_in = channels[-1] + latent_dim
        for fan_out in channels[-2:0:-1]:
            doubled = doubling(fan_in, fan_out, upsampling, bias=False)
            self.up.append(nn.Sequential(*doubled, nn.BatchNorm2d(fan_out), nn.ReLU()))
            # As many channels again come over the skip.
            fan_in = 2 * fan_out
        self.up.append(nn.Sequential(*doubling(fan_in, channels_out, upsampling), nn.Tanh()))
        self.apply(initialise)

    def forward(self, z: Tensor, condition: Tensor) -> Tensor:
        """``(N, *latent_shape)`` and ``(N, *condition_shape)`` to ``(N, C, H, W)`` in [-1, 1]."""
        maps, skipped = condition, []
        for block in self.down:
            maps = block(maps)
            skipped.append(maps)
        # The first block up has the bottleneck below it and no skip: z stands there in place of one.
        for block, beside in zip(self.up, [z, *skipped[-2::-1]], strict=True):
            maps = block(concatenate_maps(maps, beside))
        return maps


@dataclass(frozen=True)
class ImageToImagePlayers(Players):
    """Generator and discriminator of pix2pix, for data that have an image as condition.

    Args:
        width: Channels of the layers next to the image; they double with each halving, up to 16 times as many.
        patch_halvings: Strided convolutions of the discriminator: with 1, 2 or 3 it judges patches of 16, 34 or 70
            pixels, of which the paper prefers 70 at 256 pixels.
        upsampling: How the generator doubles sizes: ``transposed`` convolution, or ``resize`` and convolution.
    """

    width: int = 32
    patch_halvings: int = 1
    upsampling: Upsampling = "transposed"

    def generator(self, latent_shape: Shape, data_shape: Shape, condition_shape: Shape = ()) -> nn.Module:
        """A network from ``(N, *latent_shape)`` and ``(N, C', H, W)`` to ``(N, C, H, W)`` in [-1, 1]."""
        channels = [self._maps_of(condition_shape, data_shape), *channels_by_level(self.width, halvings(data_shape)[0])]
        network = UNetGenerator(channels, code_length(latent_shape, self), data_shape[0], self.upsampling)
        return network.to(memory_format=torch.channels_last)

    def discriminator(self, data_shape: Shape, condition_shape: Shape = ()) -> Discriminator:
        """A network from ``(N, C, H, W)`` and ``(N, C', H, W)`` to logits ``(N,)``."""
        fan_in, size = data_shape[0] + self._maps_of(condition_shape, data_shape), data_shape[1]
        layers: list[nn.Module] = []
        for level, fan_out in enumerate(channels_by_level(self.width, self.patch_halvings + 1)):
            stride = 2 if level < self.patch_halvings else 1
            layers += narrowing(fan_in, fan_out, stride, is_first=level == 0)
            # A 4x4 kernel with a padding of 1 takes one pixel off where it does not halve.
            fan_in, size = fan_out, (size - 2) // stride + 1
        if size < 2:
            raise ValueError(f"{self.patch_halvings} patch_halvings are too many for {data_shape[1]} pixels; use fewer")
        head = nn.Sequential(nn.Conv2d(fan_in, 1, 4, padding=1), nn.AdaptiveAvgPool2d(1))
        network = LayeredDiscriminator(ImageLayers(*layers), head, (fan_in, size, size))
        return network.apply(initialise).to(memory_format=torch.channels_last)

    def _maps_of(self, condition_shape: Shape, data_shape: Shape) -> int:
        if not is_image(condition_shape):
            raise ValueError("ImageToImagePlayers need data with condition images; choose such data, or DCGANPlayers")
        return maps_of(condition_shape, data_shape)
