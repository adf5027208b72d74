r"""Affine augmentation: one affine map of the plane and one of the colours for each image.

Source: Karras et al., "Training generative adversarial networks with limited data", NeurIPS 2020, section 2.2 and
appendix B.

From the paper: the changes of its first three groups, their order and strengths (those of its authors' code), and that
each is made with the same probability p; an image's map is the product of those of its changes, by which it is
resampled once; outside the image lies its mirror image. Not from the paper: pixels are interpolated linearly, where the
paper takes images of twice the size and a wavelet's filter; its filters, noise and cutout are missing.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

from genzoo.augmentations.augmentation import Augmentation, OccasionalAugmenter, require_probability, some_of
from genzoo.losses.objectives import AdversarialObjective
from genzoo.noise import Noise
from genzoo.precision import at_least_float32
from genzoo.schedules.schedule import Schedule, extremes_of
from genzoo.spec import DataSpec

Group = Literal["blitting", "geometry", "colour"]

# The farthest shift by whole pixels, in shares of the size.
FARTHEST_SHIFT = 1 / 8
# Standard deviations: in shares of the size, of logarithms to base 2, and of values in [-1, 1].
SHIFT = 1 / 8
SCALE = 0.2
STRETCH = 0.2
BRIGHTNESS = 0.2
CONTRAST = 0.5
SATURATION = 1.0

HIGHEST = 0.8
"""The highest probability with which changes do not leak, about (section 2.2)."""


@dataclass(frozen=True)
class AffineAugment(Augmentation):
    """Mirrors, turns, moves, stretches and recolours images.

    Source: Karras et al. 2020, appendix B.

    Args:
        groups: Which changes are made. ``blitting``, from pixels to pixels: mirror image, turns by 90 degrees, shifts
            by whole pixels up to 1/8 of the size. ``geometry``: scaling of both axes by the same and by inverse
            factors, turns by any angle, shifts by any length. ``colour``: brightness, contrast, luma flip and, of
            images that are not grey, turns of hue, and saturation.
        probability: Of each change. The default is for `AdaptiveAugment`, which multiplies it; by itself it should
            stay below about 0.8, so that enough images stay as they are to tell how those of the data lie.
    """

    groups: tuple[Group, ...] = ("blitting", "geometry", "colour")
    probability: float | Schedule = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "groups", some_of("groups of AffineAugment", self.groups, Group))
        require_probability("AffineAugment", self.probability)

    def require_fit(self, spec: DataSpec, objective: AdversarialObjective) -> None:
        """Asks for square images, since turned ones must fit, in grey or in three colours."""
        super().require_fit(spec, objective)
        channels, height, width = spec["shape"]
        if channels not in (1, 3) or height != width:
            raise ValueError(
                f"AffineAugment changes square images of 1 or 3 channels, but the data have shape {(*spec['shape'],)}; "
                "choose DiffAugment, or leave the augmentation out"
            )

    @property
    def leaks(self) -> bool:
        """Above a probability of 0.8."""
        return extremes_of(self.probability)[1] > HIGHEST

    def build(self) -> "AffineAugmenter":
        """The module, which has no state."""
        return AffineAugmenter(self.groups, self.probability)


class AffineAugmenter(OccasionalAugmenter):
    """Makes the changes of `AffineAugment`.

    Args:
        groups: Which.
        probability: Of each.
    """

    def __init__(self, groups: tuple[Group, ...], probability: float | Schedule) -> None:
        super().__init__(probability)
        self.groups = groups

    def forward(self, items: Tensor, noise: Noise) -> Tensor:
        """Changes images ``(N, C, H, H)`` in [-1, 1]."""
        images = at_least_float32(items)
        # Autocast would multiply matrices in half precision, which cannot tell a pixel from its neighbour.
        with torch.autocast(images.device.type, enabled=False):
            if {"blitting", "geometry"} & {*self.groups}:
                images = resampled(images, self._way_back(images, noise))
            if "colour" in self.groups:
                images = self._recoloured(images, noise)
        return images.to(items.dtype)

    def _way_back(self, images: Tensor, noise: Noise) -> Tensor:
        """Maps from the places of pixels in changed images to where they come from, ``(N, 3, 3)``.

        The way back along several maps is the product of their inverses in opposite order. Each inverse is distributed
        as its map is, so that what is drawn is taken for it.
        """
        number, size = len(images), images.shape[3]
        way = torch.eye(3, dtype=images.dtype, device=images.device)
        for group, maps in (("blitting", self._blitting), ("geometry", self._geometry)):
            if group in self.groups:
                for each in maps(number, size, noise):
                    way = way @ each.to(images.dtype)
        return way

    def _blitting(self, number: int, size: int, noise: Noise) -> Iterator[Tensor]:
        mirror, quarters, *shift = noise.uniform(number, 4).unbind(1)
        side = self.sometimes(1.0 - 2.0 * (2.0 * mirror).floor(), 1.0, noise)
        yield _scaling(side, torch.ones_like(side))
        # Sines and cosines of right angles are whole numbers, but for their rounding.
        yield _rotation(math.pi / 2.0 * self.sometimes((4.0 * quarters).floor(), 0.0, noise)).round()
        farthest = FARTHEST_SHIFT * size
        yield _translation(self.sometimes((farthest * (2.0 * torch.stack(shift, 1) - 1.0)).round(), 0.0, noise))

    def _geometry(self, number: int, size: int, noise: Noise) -> Iterator[Tensor]:
        scale, stretch, *shift = noise.normal(number, 4).unbind(1)
        angles = math.pi * (2.0 * noise.uniform(number, 2) - 1.0)
        # An image is turned before or after it is stretched, or twice: with probability p at least once.
        once = 1.0 - (1.0 - self.probability) ** 0.5
        factor = self.sometimes((SCALE * scale).exp2(), 1.0, noise)
        yield _scaling(factor, factor)
        yield _rotation(self.sometimes(angles[:, 0], 0.0, noise, once))
        factor = self.sometimes((STRETCH * stretch).exp2(), 1.0, noise)
        yield _scaling(factor, 1.0 / factor)
        yield _rotation(self.sometimes(angles[:, 1], 0.0, noise, once))
        yield _translation(self.sometimes(SHIFT * size * torch.stack(shift, 1), 0.0, noise))

    def _recoloured(self, images: Tensor, noise: Noise) -> Tensor:
        draws, turns = noise.normal(len(images), 3), noise.uniform(len(images), 2)
        brightness, contrast, saturation, flip, hue = torch.cat([draws, turns], 1)[..., None, None, None].unbind(1)
        brightness = self.sometimes(BRIGHTNESS * brightness, 0.0, noise)
        contrast = self.sometimes((CONTRAST * contrast).exp2(), 1.0, noise)
        flip = self.sometimes(1.0 - 2.0 * (2.0 * flip).floor(), 1.0, noise)
        # What is grey in a colour lies along the axis (1, 1, 1), about which hue turns and of which saturation is the
        # distance.
        grey = images.mean(1, keepdim=True)
        luma = flip * (grey + brightness)
        if images.shape[1] == 1:
            return contrast * luma
        hue = self.sometimes(math.pi * (2.0 * hue - 1.0), 0.0, noise)
        saturation = self.sometimes((SATURATION * saturation).exp2(), 1.0, noise)
        chroma = images - grey
        normal = (chroma.roll(1, 1) - chroma.roll(-1, 1)) / math.sqrt(3.0)
        return contrast * (luma + saturation * (hue.cos() * chroma + hue.sin() * normal))


def resampled(images: Tensor, way: Tensor) -> Tensor:
    """Images whose pixels come from other places, between which is interpolated linearly.

    Args:
        images: ``(N, C, H, H)``; outside lies what a mirror at their outermost pixels shows.
        way: ``(N, 3, 3)``, maps from the place (right, down, 1) of a pixel, counted in pixels from the middle, to that
            which it comes from.

    Returns:
        ``(N, C, H, H)``; gradients of any order reach the images, and none the maps.
    """
    # In the units of torch, in which -1 and 1 are the outermost pixels.
    size = images.shape[3]
    right = torch.linspace(-1.0, 1.0, size, dtype=images.dtype, device=images.device)
    down, moved = right[:, None], 2.0 / (size - 1)
    rows = way[:, :2, :, None, None].unbind(1)
    # What `affine_grid` makes by multiplying many small matrices, in half the time.
    grid = torch.stack([row[:, 0] * right + row[:, 1] * down + row[:, 2] * moved for row in rows], 3)
    found: Tensor = _Resampling.apply(images, grid)
    return found


class _Resampling(torch.autograd.Function):
    """Linear in the images: the gradient is what the transposed map makes, whose gradient is made by this one again.

    Torch's own gradient can be differentiated from torch 2.14 on.
    """

    @staticmethod
    def forward(ctx: Any, images: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        return functional.grid_sample(images, grid, padding_mode="reflection", align_corners=True)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return _TransposedResampling.apply(*gradients, *ctx.saved_tensors), None


class _TransposedResampling(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gradient: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        with torch.enable_grad():
            images = torch.zeros_like(gradient, requires_grad=True)
            found = functional.grid_sample(images, grid, padding_mode="reflection", align_corners=True)
        return torch.autograd.grad(found, images, gradient)[0]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return _Resampling.apply(*gradients, *ctx.saved_tensors), None


def _scaling(right: Tensor, down: Tensor) -> Tensor:
    """Maps ``(N, 3, 3)`` of factors ``(N,)``."""
    zero, one = torch.zeros_like(right), torch.ones_like(right)
    return torch.stack([right, zero, zero, zero, down, zero, zero, zero, one], 1).view(-1, 3, 3)


def _rotation(angle: Tensor) -> Tensor:
    """Maps ``(N, 3, 3)`` of angles ``(N,)`` in radians."""
    zero, one, sine, cosine = torch.zeros_like(angle), torch.ones_like(angle), angle.sin(), angle.cos()
    return torch.stack([cosine, -sine, zero, sine, cosine, zero, zero, zero, one], 1).view(-1, 3, 3)


def _translation(shift: Tensor) -> Tensor:
    """Maps ``(N, 3, 3)`` of shifts ``(N, 2)`` in pixels, right and down."""
    unmoved = torch.eye(3, dtype=shift.dtype, device=shift.device)[:, :2].expand(len(shift), 3, 2)
    return torch.cat([unmoved, functional.pad(shift, (0, 1), value=1.0)[..., None]], 2)
