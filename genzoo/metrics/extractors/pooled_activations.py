"""The activations of a discriminator as features."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from genzoo.hyperparameters import whole_number
from genzoo.networks.discriminator import Discriminator


class PooledActivations(nn.Module):
    """All activations of a convolutional discriminator, each pooled to a grid of 4 x 4, in one row.

    The features that a linear classifier is trained on in Radford et al. 2016, section 5.1.

    Args:
        discriminator: Of images alone, without a condition.
        grid: Height and width to pool to.

    Example:
        >>> import torch
        >>> from genzoo import DCGANPlayers, PooledActivations
        >>> discriminator = DCGANPlayers(width=2).discriminator((1, 28, 28))
        >>> PooledActivations(discriminator)(torch.zeros(5, 1, 28, 28)).shape
        torch.Size([5, 96])
    """

    def __init__(self, discriminator: Discriminator, grid: int = 4) -> None:
        super().__init__()
        self.discriminator = discriminator
        self.grid = whole_number("grid", grid, 1)

    def forward(self, images: Tensor) -> Tensor:
        """``(N, C, H, W)`` to ``(N, D)``.

        Raises:
            ValueError: If the discriminator has no maps of activations.
        """
        # Activations of fully connected layers have no places to pool.
        maps = [output for output in self.discriminator.activations(images) if output.ndim == 4]
        if not maps:
            raise ValueError(
                f"the {type(self.discriminator).__name__} has no maps of activations, as convolutional discriminators "
                "have; choose other networks, such as DCGANPlayers"
            )
        return torch.cat([functional.adaptive_max_pool2d(each, self.grid).flatten(1) for each in maps], dim=1)
