"""Samples beside the training items that lie nearest."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from genzoo.callbacks.picture_kinds.kind import PictureKind, PictureName
from genzoo.callbacks.picture_kinds.scene import Scene
from genzoo.data.arrays import Batch
from genzoo.drawing import Picture
from genzoo.hyperparameters import WholeNumbers
from genzoo.latent.drawn import drawn_neighbours
from genzoo.latent.neighbours import nearest_neighbours

# Of the training items that are searched: some 85,000 images of 28 x 28, or 5,400 of 64 x 64 in colour.
MOST_VALUES = 2**26
POINTS_BEHIND = 4096


@dataclass(frozen=True)
class NeighboursPicture(WholeNumbers, PictureKind):
    """A few samples, each in front of the training items that are nearest to it in pixels: does it repeat them?

    Of large data sets a fixed choice is searched.

    Args:
        number: How many samples; a conditional model has one of each class.
        nearest: How many neighbours of each.
    """

    number: int = 8
    nearest: int = 6

    name: ClassVar[PictureName] = "neighbours"

    def fits(self, scene: Scene) -> bool:
        """Models that can draw samples have it, if they are trained on a data module."""
        return scene.model.can_sample and scene.data is not None and "train" in scene.data.parts

    def draw(self, scene: Scene) -> Picture:
        """Draws a row for each sample, as ``genzoo latent neighbours`` does."""
        assert scene.data is not None
        y = scene.conditions(1, self.number)
        samples = scene.model.sample(self.number if y is None else len(y), y, scene.seed)
        x = samples.as_subclass(Tensor).cpu().float()
        searched = max(1, MOST_VALUES // math.prod(scene.model.data_shape))
        number = min(self.nearest, searched, len(scene.data.parts["train"]))
        # Pixels are taken from 0 to 1.
        scale = 0.5 if scene.shows_images else 1.0
        parts = (scale * items.flatten(1) for items, _ in scene.data.training_batches(searched))
        found = nearest_neighbours(scale * x.flatten(1), parts, number)
        neighbours = picked(scene.data.training_batches(searched), found.places)
        behind = torch.empty(0, *x.shape[1:])
        if not scene.shows_images:
            behind = torch.cat([items for items, _ in scene.data.training_batches(POINTS_BEHIND)])
        return drawn_neighbours(scene.model.acting, x, found, neighbours, behind, "samples")


def picked(batches: Iterable[Batch], places: Tensor) -> Tensor:
    """Picks items out of batches.

    Args:
        batches: Of items ``(N, ...)`` in all, and of their labels.
        places: Of those that are wanted among all, of any shape.

    Returns:
        ``(*places.shape, ...)``.
    """
    wanted, start, found = places.flatten(), 0, []
    order = wanted.argsort()
    for items, _ in batches:
        inside = wanted[order][(wanted[order] >= start) & (wanted[order] < start + len(items))]
        found.append(items[inside - start])
        start += len(items)
    items_in_order: Tensor = torch.cat(found)[order.argsort()]
    return items_in_order.reshape(*places.shape, *items_in_order.shape[1:])
