"""Attributes of items that can be measured: of images how bright, wide, tall and symmetric they are; of points where.

An image is measured by its ink a, its values brought from [-1, 1] to [0, 1] and averaged over the channels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from genzoo.spec import is_image


@dataclass(frozen=True)
class Attribute:
    """A measure, and the words for items that have much and little of it.

    Args:
        name: Of what is measured.
        high: The word for items with a high value.
        low: The word for items with a low value.
        measure: Items ``(N, *data_shape)`` to values ``(N,)``.
    """

    name: str
    high: str
    low: str
    measure: Callable[[Tensor], Tensor]

    def shown(self, x: Tensor, word: str) -> Tensor:
        """Which of some items stand out by a word, as ``bright``: by a standard deviation from the mean of them all.

        Args:
            x: The items, ``(N, *data_shape)``.
            word: ``high`` or ``low``.

        Returns:
            ``(N,)``, booleans.
        """
        values = self.measure(x)
        distances = values - values.mean() if word == self.high else values.mean() - values
        # Where all are alike, the deviation is 0 or a rounding error, and none stands out.
        return distances > values.std().clamp_min(1e-6)


def brightness(images: Tensor) -> Tensor:
    r"""The mean of the ink.

    .. math:: \tfrac{1}{HW} \sum_{ij} a_{ij}

    Args:
        images: ``(N, C, H, W)`` in [-1, 1].

    Returns:
        ``(N,)``, in [0, 1].
    """
    return _ink(images).mean((1, 2))


def width(images: Tensor) -> Tensor:
    r"""The width of the bar whose ink is spread as much, in pixels.

    .. math:: \sqrt{1 + 12 \operatorname{Var} j}, \qquad p(j) = \sum_i a_{ij} / \sum_{ij} a_{ij}

    Evenly inked bars have their own width, since positions in k pixels have the variance (k^2 - 1) / 12. What is black
    throughout counts as one pixel wide.

    Args:
        images: ``(N, C, H, W)`` in [-1, 1].

    Returns:
        ``(N,)``, in pixels.
    """
    return _extent(_ink(images).sum(1))


def height(images: Tensor) -> Tensor:
    """The same as `width`, of rows in place of columns."""
    return _extent(_ink(images).sum(2))


def symmetry(images: Tensor) -> Tensor:
    r"""The share of the ink that stays where it is when an image is mirrored left to right.

    .. math:: 1 - \frac{\sum_{ij} |a_{ij} - a_{i, W + 1 - j}|}{2 \sum_{ij} a_{ij}}

    Args:
        images: ``(N, C, H, W)`` in [-1, 1].

    Returns:
        ``(N,)``, in [0, 1]; 1 for what is its own mirror image.
    """
    ink = _ink(images)
    moved = (ink - ink.flip(2)).abs().sum((1, 2)) / 2.0
    return 1.0 - moved / ink.sum((1, 2)).clamp_min(_TINY)


def first_coordinate(points: Tensor) -> Tensor:
    """How far to the right points lie: ``(N, D)`` to ``(N,)``."""
    return points[:, 0].float()


def second_coordinate(points: Tensor) -> Tensor:
    """How far up points lie: ``(N, D)`` to ``(N,)``."""
    return points[:, 1].float()


ATTRIBUTES_OF_IMAGES = (
    Attribute("brightness", "bright", "dark", brightness),
    Attribute("width", "wide", "narrow", width),
    Attribute("height", "tall", "short", height),
    Attribute("symmetry", "symmetric", "lopsided", symmetry),
)
ATTRIBUTES_OF_POINTS = (
    Attribute("first coordinate", "right", "left", first_coordinate),
    Attribute("second coordinate", "upper", "lower", second_coordinate),
)


def attributes_of(data_shape: Sequence[int]) -> tuple[Attribute, ...]:
    """The attributes that items of a shape have."""
    return ATTRIBUTES_OF_IMAGES if is_image(data_shape) else ATTRIBUTES_OF_POINTS[: data_shape[0]]


_TINY = 1e-12


def _ink(images: Tensor) -> Tensor:
    """Values in [0, 1], ``(N, H, W)``."""
    return images.float().clamp(-1.0, 1.0).add(1.0).mean(1) / 2.0


def _extent(ink: Tensor) -> Tensor:
    """The extent of ink along a line, ``(N, K)`` to ``(N,)``."""
    places = torch.arange(ink.shape[1], dtype=torch.float32, device=ink.device)
    shares = ink / ink.sum(1, keepdim=True).clamp_min(_TINY)
    mean = shares @ places
    variance = (shares * (places - mean[:, None]).square()).sum(1)
    return (1.0 + 12.0 * variance).sqrt()
