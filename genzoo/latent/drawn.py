"""Pictures of what the functions of this room find: rows of images, or lines and dots in the plane."""

from collections.abc import Sequence
from itertools import cycle

import torch
from torch import Tensor

from genzoo.drawing import Picture, beside, captioned, labelled_rows
from genzoo.latent.neighbours import Neighbours
from genzoo.plane import BLACK, COLOURS, GREY, Plane, planar, reach
from genzoo.sampling.sampler import Sampler
from genzoo.spec import is_image

SAMPLES_BEHIND = 2000
SHARE_SHOWN = 0.995


def drawn_interpolation(sampler: Sampler, items: Tensor, names: Sequence[str], seed: int) -> Picture:
    """Draws ways from code to code.

    Args:
        sampler: What has decoded them.
        items: ``(R, C, *data_shape)``.
        names: Of the rows; those of one name have one colour.
        seed: Of the samples behind points.

    Returns:
        Of images one row below the other; of points each row as a line from dot to dot.
    """
    if is_image(sampler.data_shape):
        return labelled_rows(items, sampler.data_spec, names)
    plane = plane_behind(sampler, items.flatten(0, 1), seed)
    colours = dict(zip(dict.fromkeys(names), cycle(COLOURS), strict=False))
    for row, name in zip(items, names, strict=True):
        plane.way(row, colours[name])
        plane.dots(row[[0, -1]], BLACK, radius=3)
    plane.legend([*colours], [*colours.values()])
    return plane.picture()


def drawn_traversal(sampler: Sampler, items: Tensor, names: Sequence[str], seed: int) -> Picture:
    """Draws what latent dimensions change.

    Args:
        sampler: What has decoded them.
        items: ``(R, C, *data_shape)``.
        names: Of the rows.
        seed: Of the samples behind points.

    Returns:
        Of images one row below the other; of points each dimension as a line through the point of the code that is
        changed, with a dot at the end where the latent variable is largest.
    """
    if is_image(sampler.data_shape):
        return labelled_rows(items, sampler.data_spec, names)
    plane = plane_behind(sampler, items.flatten(0, 1), seed)
    colours = [COLOURS[row % len(COLOURS)] for row in range(len(names))]
    for row, colour in zip(items, colours, strict=True):
        plane.way(row, colour, width=2)
        plane.dots(row[-1:], colour, radius=4)
    plane.legend(names, colours)
    return plane.picture()


def drawn_neighbours(
    sampler: Sampler, x: Tensor, found: Neighbours, neighbours: Tensor, behind: Tensor, what: str
) -> Picture:
    """Draws items beside the training items that lie nearest.

    Args:
        sampler: Whose data they are.
        x: The items, ``(N, *data_shape)``.
        found: Their neighbours.
        neighbours: The same as items, ``(N, K, *data_shape)``.
        behind: Some training items, ``(M, *data_shape)``; points are drawn over them.
        what: The items are, in words.

    Returns:
        Of images a row for each, with its distance from the nearest in front; of points lines between them.
    """
    if is_image(sampler.data_shape):
        distances = [f"{float(distance):.2f}" for distance in found.distances[:, 0]]
        left = captioned(labelled_rows(x[:, None], sampler.data_spec, distances), what)
        right = labelled_rows(neighbours, sampler.data_spec, [""] * len(x))
        return beside([left, captioned(right, "nearest training images")])
    limit = 1.1 * reach(torch.cat([planar(x), planar(behind)]))
    plane = Plane(-limit, limit)
    plane.dots(behind, GREY)
    for point, others in zip(x, neighbours, strict=True):
        for other in others:
            plane.way(torch.stack([point, other]), COLOURS[1])
        plane.dots(others, COLOURS[1], radius=2)
    plane.dots(x, COLOURS[0], radius=4)
    plane.legend([what, "nearest training points"], COLOURS[:2])
    return plane.picture()


def plane_behind(sampler: Sampler, points: Tensor, seed: int) -> Plane:
    """The square that holds given points, and samples of the model, in grey, if it needs no conditions for them.

    Args:
        sampler: A model of points.
        points: ``(N, D)``, what shall be drawn.
        seed: Of the samples.
    """
    is_drawn = sampler.can_sample and sampler.condition.has_default
    samples = planar(sampler.sample(SAMPLES_BEHIND, seed=seed)) if is_drawn else torch.empty(0, 2)
    # A few samples that went far astray may lie outside, which would make all else small.
    limit = 1.1 * max(reach(points), reach(samples, SHARE_SHOWN))
    plane = Plane(-limit, limit)
    plane.dots(samples, GREY)
    return plane
