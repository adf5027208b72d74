"""Two ways to double the size of a feature map."""

from typing import Literal

from torch import nn

Upsampling = Literal["transposed", "resize"]
"""By a transposed convolution, as in DCGAN; or by a nearest-neighbour resize and a convolution, which cannot make
checkerboards (Odena et al. 2016, "Deconvolution and checkerboard artifacts")."""


def doubling(in_channels: int, out_channels: int, upsampling: Upsampling, bias: bool = True) -> list[nn.Module]:
    """Layers from ``(N, in_channels, H, W)`` to ``(N, out_channels, 2H, 2W)``."""
    if upsampling == "transposed":
        # With a kernel of twice the stride every pixel is a sum of equally many terms, if of other weights.
        return [nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1, bias=bias)]
    return [nn.Upsample(scale_factor=2), nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=bias)]
