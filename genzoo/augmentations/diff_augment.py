"""Differentiable augmentation.

Source: Zhao et al., "Differentiable augmentation for data-efficient GAN training", NeurIPS 2020.

From the paper: the three policies and their ranges, in the order in which they are named; each image draws numbers of
its own. Values are those of images in [-1, 1], so that what is moved in or cut out is grey. Not from the paper: a
probability below 1, with which each policy is applied.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from genzoo.augmentations.augmentation import Augmentation, OccasionalAugmenter, require_probability, some_of
from genzoo.noise import Noise
from genzoo.schedules.schedule import Schedule

Policy = Literal["colour", "translation", "cutout"]

# Shares of the image's size, as in the paper, rounded to whole pixels as in its authors' first code; their later one
# rounds down, which makes of the farthest shift of 28 pixels 3 in place of 4.
TRANSLATION = 1 / 8
CUTOUT = 1 / 2


@dataclass(frozen=True)
class DiffAugment(Augmentation):
    """Changes colours, moves images and cuts squares out of them.

    Source: Zhao et al. 2020.

    Args:
        policies: What is done to each image, one after the other. ``colour``: brightness moves by up to 1/2,
            saturation is multiplied by up to 2, contrast by 1/2 to 3/2. ``translation``: by up to 1/8 of the size
            along both axes, with grey moved in. ``cutout``: a square of half the size becomes grey; its centre is
            anywhere in the image, so that the edge may cut it.
        probability: With which an image is changed by a policy, by each of them on its own, so that images of which one
            thing alone is changed, and unchanged ones, are shown too. In the paper it is 1.
    """

    policies: tuple[Policy, ...] = ("colour", "translation", "cutout")
    probability: float | Schedule = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "policies", some_of("policies of DiffAugment", self.policies, Policy))
        require_probability("DiffAugment", self.probability)

    def build(self) -> "DiffAugmenter":
        """The module, which has no state."""
        return DiffAugmenter(self.policies, self.probability)


class DiffAugmenter(OccasionalAugmenter):
    """Applies policies of `DiffAugment`, one after the other.

    Args:
        policies: Their names.
        probability: Of each.
    """

    def __init__(self, policies: tuple[Policy, ...], probability: float | Schedule = 1.0) -> None:
        super().__init__(probability)
        self.policies = policies

    def forward(self, items: Tensor, noise: Noise) -> Tensor:
        """Changes images ``(N, C, H, W)`` in [-1, 1]; grey ones have no saturation."""
        changed = items
        for policy in self.policies:
            changed = self.sometimes(POLICIES[policy](changed, noise), changed, noise)
        # Noise is float32, and so is what is computed with it.
        return changed.to(items.dtype)


def _recoloured(images: Tensor, noise: Noise) -> Tensor:
    brightness, saturation, contrast = (noise.uniform(len(images), 1, 1, 1) for _ in range(3))
    images = images + (brightness - 0.5)
    grey = images.mean(1, keepdim=True)
    images = grey + 2.0 * saturation * (images - grey)
    level = images.mean((1, 2, 3), keepdim=True)
    return level + (0.5 + contrast) * (images - level)


def _translated(images: Tensor, noise: Noise) -> Tensor:
    for dimension in (2, 3):
        size = images.shape[dimension]
        farthest = int(TRANSLATION * size + 0.5)
        shift = _whole_numbers(noise, len(images), 2 * farthest + 1) - farthest
        source = _places(images, dimension) - shift
        is_inside = (source >= 0) & (source < size)
        # Places outside are read at the edge, and what is read there is thrown away.
        moved = images.gather(dimension, source.clamp(0, size - 1).expand_as(images))
        images = torch.where(is_inside, moved, 0.0)
    return images


def _cut_out(images: Tensor, noise: Noise) -> Tensor:
    is_cut_out = torch.ones_like(images[:, :1], dtype=torch.bool)
    for dimension in (2, 3):
        size = images.shape[dimension]
        length = int(CUTOUT * size + 0.5)
        # A square of even length has its centre between two pixels, or on either edge: one place more.
        start = _whole_numbers(noise, len(images), size + 1 - length % 2) - length // 2
        place = _places(images, dimension)
        is_cut_out = is_cut_out & (place >= start) & (place < start + length)
    return torch.where(is_cut_out, 0.0, images)


def _whole_numbers(noise: Noise, number: int, count: int) -> Tensor:
    """One of 0 to count - 1 for each image, all equally likely, ``(number, 1, 1, 1)``."""
    return (noise.uniform(number, 1, 1, 1) * count).long()


def _places(images: Tensor, dimension: int) -> Tensor:
    """The places of pixels along a dimension, shaped so that they stand beside images."""
    shape = [1] * images.dim()
    shape[dimension] = -1
    return torch.arange(images.shape[dimension], device=images.device).view(shape)


POLICIES: dict[Policy, Callable[[Tensor, Noise], Tensor]] = {
    "colour": _recoloured,
    "translation": _translated,
    "cutout": _cut_out,
}
