"""The two kinds of architecture: a value that knows sizes and builds the networks of a model.

An architecture is plain data (it goes into configs and checkpoints by its class path and its arguments);
the networks that it builds are ordinary modules.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import nn

from genzoo.hyperparameters import Settings
from genzoo.networks.conditioning import Shape
from genzoo.networks.discriminator import Discriminator


class EncoderDecoder(Settings, ABC):
    """Builds the networks of an autoencoder.

    Shapes are those of one item. Both networks take a condition, ``(N, *condition_shape)``, as their second argument.
    """

    @abstractmethod
    def encoder(self, data_shape: Shape, code_shape: Shape, condition_shape: Shape = ()) -> nn.Module:
        """A network from ``(N, *data_shape)`` to ``(N, *code_shape)``."""

    @abstractmethod
    def decoder(self, code_shape: Shape, data_shape: Shape, condition_shape: Shape = ()) -> nn.Module:
        """A network from ``(N, *code_shape)`` to ``(N, *data_shape)``, without an output activation."""


class Players(Settings, ABC):
    """Builds the two players of an adversarial game.

    Shapes are those of one item. Both take a condition, ``(N, *condition_shape)``, as their second argument.
    """

    @abstractmethod
    def generator(self, latent_shape: Shape, data_shape: Shape, condition_shape: Shape = ()) -> nn.Module:
        """A network from ``(N, *latent_shape)`` to ``(N, *data_shape)``, images in [-1, 1]."""

    @abstractmethod
    def discriminator(self, data_shape: Shape, condition_shape: Shape = ()) -> Discriminator:
        """A network from ``(N, *data_shape)`` to logits ``(N,)``."""


@dataclass(frozen=True)
class WrappedPlayers(Players):
    """Other players, of which a subclass changes the discriminator alone.

    Args:
        players: The others.
    """

    players: Players

    def generator(self, latent_shape: Shape, data_shape: Shape, condition_shape: Shape = ()) -> nn.Module:
        """That of the others, ``(N, *latent_shape)`` and a condition as theirs to ``(N, *data_shape)``."""
        return self.players.generator(latent_shape, data_shape, condition_shape)


def halvings(data_shape: Shape) -> tuple[int, int]:
    """How a stack of strided convolutions shrinks an image: by half while the size is even and above 4.

    4x4 is the base of DCGAN. Sizes that can be halved only to more than 7 are refused: the layer between the base and
    the code has a weight for every place in it.

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
    """Channels after each of the halvings: ``width``, then twice as many each time, up to 16 times as many.

    Without the limit, every further halving would make a network four times as large.

    Raises:
        ValueError: If the width is no number of channels.
    """
    if width < 1:
        raise ValueError(f"width must be at least 1, got {width}")
    return [width * min(2**level, 16) for level in range(number)]
