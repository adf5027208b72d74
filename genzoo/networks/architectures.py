"""The two kinds of architecture: a value that knows sizes and builds the networks of a model.

An architecture is plain data (it goes into configs and checkpoints by its class path and its arguments);
the networks that it builds are ordinary modules.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from genzoo.hyperparameters import WholeNumbers


class EncoderDecoder(WholeNumbers, ABC):
    """Builds the networks of an autoencoder."""

    @abstractmethod
    def encoder(self, data_shape: Sequence[int], out_features: int) -> nn.Module:
        """A network from ``(N, *data_shape)`` to ``(N, out_features)``."""

    @abstractmethod
    def decoder(self, in_features: int, data_shape: Sequence[int]) -> nn.Module:
        """A network from ``(N, in_features)`` to ``(N, *data_shape)``, without an output activation."""


class Players(WholeNumbers, ABC):
    """Builds the two players of an adversarial game.

    Both take an optional condition, ``(N, condition_dim)``, as their second argument.
    """

    @abstractmethod
    def generator(self, latent_dim: int, data_shape: Sequence[int], condition_dim: int = 0) -> nn.Module:
        """A network from ``(N, latent_dim)`` to ``(N, *data_shape)``, images in [-1, 1]."""

    @abstractmethod
    def discriminator(self, data_shape: Sequence[int], condition_dim: int = 0) -> nn.Module:
        """A network from ``(N, *data_shape)`` to logits ``(N,)``."""


def concatenate(vector: Tensor, condition: Tensor | None) -> Tensor:
    """Puts a condition beside a vector: ``(N, D)`` and ``(N, C)`` to ``(N, D + C)``."""
    return vector if condition is None else torch.cat([vector, condition], dim=1)


def concatenate_maps(images: Tensor, condition: Tensor | None) -> Tensor:
    """Puts a condition beside images, as constant maps: ``(N, D, H, W)`` and ``(N, C)`` to ``(N, D + C, H, W)``."""
    if condition is None:
        return images
    maps = condition[:, :, None, None].expand(-1, -1, *images.shape[2:])
    return torch.cat([images, maps], dim=1)


def halvings(data_shape: Sequence[int]) -> tuple[int, int]:
    """How a stack of strided convolutions shrinks an image: by half while the size is even and above 4.

    Args:
        data_shape: ``(C, H, W)`` of square images.

    Returns:
        The number of halvings and the size that is left: 28 pixels give (2, 7), 32 (3, 4), 64 (4, 4).

    Raises:
        ValueError: If the shape is not that of square images, or they cannot be brought to 7 pixels or fewer.
    """
    if len(data_shape) != 3 or data_shape[1] != data_shape[2]:
        raise ValueError(f"convolutional networks need square images (C, H, H), got data of shape {tuple(data_shape)}")
    size, number = data_shape[1], 0
    while size % 2 == 0 and size > 4:
        size, number = size // 2, number + 1
    if number == 0 or size > 7:
        raise ValueError(
            f"images of {data_shape[1]} pixels cannot be halved down to 7 pixels or fewer; "
            "choose an image_size such as 28, 32, 48, 64, 128 or 256"
        )
    return number, size


def channels_by_level(width: int, number: int) -> list[int]:
    """Channels after each of the halvings: ``width``, then twice as many each time, up to 16 times as many."""
    return [width * min(2**level, 16) for level in range(number)]
