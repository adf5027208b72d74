"""Labels of so many samples in the shares that the labels of data have."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genzoo.subsets import choose_some


def classes_like(labels: NDArray[Any] | Tensor, number: int) -> Tensor:
    """Classes in turn, each as often as its share of the data asks for, to the nearest whole number.

    Args:
        labels: Of the data, ``(N,)``, int64.
        number: How many are wanted, more or fewer than N.

    Returns:
        ``(number,)``, int64.
    """
    labels = np.asarray(labels)
    counts, remainders = np.divmod(np.bincount(labels) * number, len(labels))
    # Rounded down, the shares leave some samples over; the classes with the largest remainders get one more each.
    counts[np.argsort(-remainders, kind="stable")[: number - counts.sum()]] += 1
    classes = np.repeat(np.arange(len(counts)), counts)
    place_in_class = np.arange(number) - np.repeat(np.cumsum(counts) - counts, counts)
    # The samples of a class lie at even distances, so that the shares hold wherever one looks.
    return torch.from_numpy(classes[np.lexsort((classes, (place_in_class + 0.5) / counts[classes]))])


def items_like(labels: NDArray[Any] | Tensor, number: int) -> Tensor:
    """All labels of the data as often as they fit, then a fixed choice of them.

    Args:
        labels: Of the data, ``(N, ...)``.
        number: How many are wanted, more or fewer than N.

    Returns:
        ``(number, ...)``, of the same type.
    """
    labels, total = np.asarray(labels), len(labels)
    rest = choose_some(total, number % total)
    return torch.from_numpy(labels[np.concatenate([np.tile(np.arange(total), number // total), rest])])
