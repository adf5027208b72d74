"""Labels of the items of a data set: whether they are what the spec says, and which of them training may see."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genzoo.spec import MISSING_LABEL
from genzoo.subsets import Purpose, choose_balanced


def require_classes(labels: NDArray[np.int64], class_names: Sequence[str], source: str) -> None:
    """Refuses labels that are no place in the list of classes.

    Args:
        labels: ``(N,)``.
        class_names: Of the classes; none where all labels should be 0.
        source: Where they are from, for the message.

    Raises:
        ValueError: With the first of them.
    """
    count = len(class_names)
    if len(wrong := np.flatnonzero((labels < 0) | (labels >= max(count, 1)))):
        allowed = f"its {count} classes have labels from 0 to {count - 1}" if count else "it has no class_names"
        raise ValueError(
            f"{source} has label {labels[wrong[0]]} at place {wrong[0]}, but {allowed}; correct the labels or "
            "class_names"
        )


def require_tokens(labels: NDArray[Any], tokens: Sequence[int], source: str) -> None:
    """Refuses labels that are no sequences of tokens.

    Args:
        labels: Whatever stands for labels.
        tokens: ``[length, vocabulary]``, as the spec has them.
        source: Where they are from, for the message.

    Raises:
        ValueError: If type or shape differ, or with the first that lies outside the vocabulary.
    """
    length, vocabulary = tokens
    if labels.dtype != np.int64 or labels.shape[1:] != (length,):
        raise ValueError(
            f"{source} has {labels.dtype} labels of shape {labels.shape[1:]}, but the tokens of its spec are int64 of "
            f"shape {(length,)}; correct the labels or the spec"
        )
    if len(wrong := np.argwhere((labels < 0) | (labels >= vocabulary))):
        raise ValueError(
            f"{source} has token {labels[tuple(wrong[0])]} at place {wrong[0][0]}, but its spec has tokens from 0 to "
            f"{vocabulary - 1}; correct the labels or the spec"
        )


def require_enough_labels(labelled: int, labels: NDArray[Any], class_names: Sequence[str], source: str) -> None:
    """Refuses to keep more labels than there are, or labels that are no classes.

    Args:
        labelled: How many labels shall be kept.
        labels: Of all items that are trained on.
        class_names: Of the classes.
        source: Whose they are, for the message.

    Raises:
        ValueError: If it cannot be done.
    """
    if labels.ndim != 1 or not len(class_names):
        raise ValueError(f"labelled is {labelled}, but {source} has no classes; leave labelled out")
    if labelled > len(labels):
        raise ValueError(
            f"labelled is {labelled}, but there are only {len(labels)} training items; choose fewer, or leave "
            "labelled out"
        )


def some_labelled(labels: NDArray[np.int64], number: int) -> NDArray[np.int64]:
    """Keeps the labels of some items, equally many of each class, as a function of the labels alone.

    Args:
        labels: ``(N,)``.
        number: How many to keep.

    Returns:
        ``(N,)``, with -1 in place of all others.
    """
    known = np.full_like(labels, MISSING_LABEL)
    kept = choose_balanced(labels, number, Purpose.LABELLED)
    known[kept] = labels[kept]
    return known
