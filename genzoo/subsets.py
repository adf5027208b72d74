"""Choosing images: functions of labels and a seed, the same on every machine and in every version of NumPy.

A bit generator's raw stream never changes between versions of NumPy, which `numpy.random.Generator` does not
promise of its permutations. So a held-out set stays the same set for as long as its data does.
"""

import hashlib
from collections.abc import Iterable
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from genzoo.noise import counter_seed


class Purpose(IntEnum):
    """What images are chosen for. Each purpose is a seed of its own, and none depends on the run's seed."""

    VALIDATION = 0
    SUBSET = 1
    SEEN = 2
    TEST = 3
    EMBEDDED = 4
    EXCERPT = 5
    LABELLED = 6


def shuffled(count: int, *counters: int) -> NDArray[np.int64]:
    """A permutation of ``0 ... count - 1`` that is a function of the counters alone."""
    # Stable, so that even equal numbers are in one order on every machine.
    return np.random.PCG64(counter_seed(*counters)).random_raw(count).argsort(kind="stable")


def choose_some(total: int, count: int, seed: int = Purpose.EXCERPT) -> NDArray[np.int64]:
    """Chooses from all images alike, whatever order they are in.

    The first of a file may be of one class, and those at even distances too, where classes come in turn. A smaller
    choice is part of a larger one with the same seed.

    Args:
        total: N, how many images there are.
        count: How many to choose; all if there are fewer.
        seed: What the choice is a function of, besides their number.

    Returns:
        ``(min(count, N),)``, indices in ascending order.
    """
    return np.sort(shuffled(total, seed)[:count])


def choose_balanced(labels: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """Chooses equally many images of every class, or as equally many as the sizes of the classes allow.

    A smaller choice is part of a larger one with the same seed.

    Args:
        labels: ``(N,)``, class of each image.
        count: How many to choose, at most N.
        seed: What the choice is a function of, besides the labels.

    Returns:
        ``(count,)``, indices in ascending order.
    """
    return _first(_places_within_class(labels, seed), labels, count)


def choose_proportional(labels: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """Chooses from every class in proportion to its size, to within one image where classes are alike.

    Args:
        labels: ``(N,)``, class of each image.
        count: How many to choose, at most N.
        seed: What the choice is a function of, besides the labels.

    Returns:
        ``(count,)``, indices in ascending order.
    """
    # With the half, each class gives its share rounded to the nearest image; without, it would be rounded up.
    return _first((_places_within_class(labels, seed) + 0.5) / np.bincount(labels)[labels], labels, count)


def draws_of(names: Iterable[str], purpose: Purpose) -> NDArray[np.float64]:
    """A number in [0, 1) for each name that is a function of the name and the purpose alone.

    Returns:
        ``(N,)``, float64.
    """
    # File names on Linux are bytes of any kind, which Python escapes so where they are not UTF-8.
    keys = (f"{purpose.value}/{name}".encode(errors="surrogateescape") for name in names)
    # 48 bits, which a float64 holds exactly: two machines cannot round them differently.
    return np.array([int.from_bytes(hashlib.sha256(key).digest()[:6], "big") / 2**48 for key in keys], np.float64)


def choose_by_draw(labels: NDArray[np.int64], draws: NDArray[np.float64], fraction: float) -> NDArray[np.int64]:
    """Chooses each image whose draw is below a fraction, whatever others there are.

    So about that fraction of each class is chosen, and an image that comes or goes leaves all others where they are,
    but for two exceptions: of a class that is large enough for one image the lowest draw is chosen if no other is, and
    of no class all images are chosen.

    Args:
        labels: ``(N,)``, class of each image.
        draws: ``(N,)``, in [0, 1).
        fraction: How much to choose.

    Returns:
        Indices in ascending order; at least one, unless the fraction is 0.0 or there is but one image of each class.
    """
    _, classes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    # Class by class, and by draw within each: the first and the last of a class are its lowest and highest draw.
    by_draw = np.lexsort((draws, classes))
    lasts = np.cumsum(sizes) - 1
    lowest, highest = by_draw[lasts - sizes + 1], by_draw[lasts]
    chosen = draws < fraction
    chosen[lowest[np.round(fraction * sizes) >= 1]] = True
    # Of many small classes the lowest draw of all is chosen, lest a split be empty.
    if fraction > 0 and not chosen.any() and (sizes > 1).any():
        chosen[min(lowest[sizes > 1], key=lambda place: draws[place])] = True
    chosen[highest[np.bincount(classes, chosen) == sizes]] = False
    return np.flatnonzero(chosen)


def count_of(fraction: float, total: int) -> int:
    """How many of ``total`` images a fraction is: none for 0.0, else at least one."""
    return max(1, round(fraction * total)) if fraction > 0 and total > 0 else 0


def require_fraction(name: str, value: float) -> None:
    """Raises a `ValueError` that names the argument unless 0 <= value < 1."""
    if not 0.0 <= value < 1.0:
        raise ValueError(f"{name} is {value}, but must be at least 0 and less than 1")


def _first(places: NDArray[np.int64] | NDArray[np.float64], labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The indices of the ``count`` lowest places; among equal places the lower class comes first."""
    return np.sort(np.lexsort((labels, places))[:count])


def _places_within_class(labels: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """For each image its place, from 0 on, in the shuffled queue of its class."""
    order = shuffled(len(labels), seed)
    class_by_class = order[np.argsort(labels[order], kind="stable")]
    sizes = np.bincount(labels)
    places = np.empty(len(labels), np.int64)
    places[class_by_class] = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return places
