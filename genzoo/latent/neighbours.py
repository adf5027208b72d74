"""Neighbours: the training items that lie nearest to others, to see whether a model repeats what it was shown."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from genzoo.hyperparameters import whole_number


@dataclass(frozen=True)
class Neighbours:
    """The K nearest of N items, nearest first.

    Attributes:
        places: In what was searched, ``(N, K)``, int64.
        distances: Euclidean, ``(N, K)``, float64.
    """

    places: Tensor
    distances: Tensor


def nearest_neighbours(items: Tensor, searched: Iterable[Tensor], number: int) -> Neighbours:
    """Finds the nearest of many, of which only a part is in memory at once.

    Args:
        items: Pixels, coordinates or features, ``(N, D)``.
        searched: Parts, in their order, of what is searched, each ``(M, D)``.
        number: K, how many neighbours.

    Raises:
        ValueError: If fewer than K are searched.
    """
    # torchmetrics comes along with the metrics, and only those who search wait for it.
    from genzoo.metrics.distances import nearest

    number, seen = whole_number("number", number, 1), 0
    places = torch.empty(len(items), 0, dtype=torch.int64)
    distances = torch.empty(len(items), 0, dtype=torch.float64)
    for part in searched:
        near, where = nearest(items, part, min(number, len(part)))
        # Stable, so that of equal distances the earlier place comes first.
        distances, order = torch.cat([distances, near.cpu()], 1).sort(dim=1, stable=True)
        places = torch.cat([places, where.cpu() + seen], 1).gather(1, order)[:, :number]
        distances, seen = distances[:, :number], seen + len(part)
    if seen < number:
        raise ValueError(f"{number} neighbours were asked for, but there are only {seen} items; ask for fewer")
    return Neighbours(places, distances)
