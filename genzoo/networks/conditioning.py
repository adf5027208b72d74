"""How networks take a condition: a vector ``(K,)``, an image ``(C, H, W)`` or one-hot tokens ``(L, V)`` per item.

Beside a vector every condition stands flattened. Beside an image another image of its size stands as channels, and all
else, flattened, as maps that are constant over the image.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from genzoo.spec import is_image

Shape = Sequence[int]
"""Of one item, without the batch."""


def concatenate(x: Tensor, condition: Tensor | None) -> Tensor:
    """Flattens and puts a condition beside: ``(N, ...)`` of D numbers and ``(N, ...)`` of K to ``(N, D + K)``."""
    vector = x.flatten(1)
    return vector if condition is None else torch.cat([vector, condition.flatten(1)], dim=1)


def concatenate_maps(images: Tensor, condition: Tensor | None) -> Tensor:
    """Puts a condition beside images, as channels: ``(N, D, H, W)`` to ``(N, D + K, H, W)``.

    Args:
        images: Or feature maps.
        condition: ``(N, K, H, W)``; or K numbers for each image, in any shape, which become constant maps.
    """
    if condition is None:
        return images
    if condition.ndim != 4:
        condition = condition.flatten(1)[:, :, None, None].expand(-1, -1, *images.shape[2:])
    return torch.cat([images, condition], dim=1)


class ConditionedLayers(nn.Sequential, ABC):
    """Layers in turn, of an input ``x`` that a condition is joined with first.

    It is a sequence rather than holds one: weights are then called in a checkpoint as those of the plain sequences that
    networks without conditions have been.
    """

    @abstractmethod
    def join(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """What the first layer gets."""

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """The output of the last layer."""
        output = self.join(x, condition)
        for layer in self:
            output = layer(output)
        return output


class VectorLayers(ConditionedLayers):
    """Layers of vectors: input and condition are flattened and concatenated."""

    def join(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """``(N, D + K)``."""
        return concatenate(x, condition)


class ImageLayers(ConditionedLayers):
    """Layers of images: the condition stands beside the input as channels."""

    def join(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """``(N, D + K, H, W)``."""
        return concatenate_maps(x, condition)


def numbers_of(condition_shape: Shape) -> int:
    """How many numbers a condition has: K, by which it widens a vector; 0 without one."""
    # Not the product alone, which is 1 where there is no condition.
    return math.prod(condition_shape) if condition_shape else 0


def maps_of(condition_shape: Shape, data_shape: Shape) -> int:
    """How many channels a condition takes beside images ``(C, H, W)``; 0 without one.

    Raises:
        ValueError: If it is an image of another size.
    """
    if not is_image(condition_shape):
        return numbers_of(condition_shape)
    if tuple(condition_shape[1:]) != tuple(data_shape[1:]):
        raise ValueError(
            f"a condition image stands beside an image as channels, for which both must have one size, but it has "
            f"{_pixels(condition_shape)} pixels and the image {_pixels(data_shape)}; bring one to the other's size"
        )
    return condition_shape[0]


def length_beside_code(condition_shape: Shape, owner: object, alternative: str) -> int:
    """How many numbers a condition puts beside a code, in networks that can only see it there; 0 without one.

    Args:
        condition_shape: Of one item.
        owner: The architecture.
        alternative: Name of one that takes images.

    Raises:
        ValueError: If it is an image, whose places would be lost in one vector.
    """
    if is_image(condition_shape):
        raise ValueError(
            f"{type(owner).__name__} puts a condition beside the code, where it must be a vector, but got images of "
            f"shape {tuple(condition_shape)}; choose {alternative}, which takes images as conditions"
        )
    return numbers_of(condition_shape)


def code_length(code_shape: Shape, owner: object) -> int:
    """D, the length of codes that are vectors, ``(D,)``.

    Raises:
        ValueError: If they are grids or anything else.
    """
    if len(code_shape) != 1:
        raise ValueError(
            f"{type(owner).__name__} takes codes that are vectors, (D,), but got codes of shape "
            f"{tuple(code_shape)}; choose networks that are made for these"
        )
    return code_shape[0]


def _pixels(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape[1:]))
