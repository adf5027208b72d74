"""What a model's public methods are given: conditions in the forms that people write, and checks of the rest."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genzoo.names import nearest

Conditions = Tensor | NDArray[Any] | Sequence[Any] | int | str
"""Conditions of samples: a class for all of them, by its number or its name, or one for each; or vectors."""

MANY = 20


def labels_of(y: Conditions, number: int, class_names: Sequence[str]) -> Tensor:
    """Class labels, whichever way they are given.

    Args:
        y: One class for all, or a sequence of one for each; each by its number or its name.
        number: How many labels are wanted.
        class_names: Of the classes, in the order of their numbers.

    Returns:
        ``(number,)``, int64.

    Raises:
        ValueError: If they are of another number or are no classes.
    """
    plain = y.tolist() if isinstance(y, np.ndarray | np.generic) else y
    if isinstance(plain, str):
        plain = _number_of(plain, class_names)
    elif isinstance(plain, Sequence):
        plain = [_number_of(each, class_names) if isinstance(each, str) else each for each in plain]
    labels = _as_tensor(plain)
    last = len(class_names) - 1
    if labels is None or (
        labels.numel() and (labels.dtype == torch.bool or not torch.can_cast(labels.dtype, torch.int64))
    ):
        raise ValueError(f"y should be classes, by their numbers from 0 to {last} or their names, got {_described(y)}")
    labels = labels.long()
    labels = labels.expand(number) if labels.ndim == 0 else labels
    if labels.shape != (number,):
        raise ValueError(
            f"y should have the shape ({number},), one condition per image, or be one class for all, got "
            f"{tuple(labels.shape)}"
        )
    if number and (labels.min() < 0 or labels.max() > last):
        raise ValueError(f"labels should lie in 0 to {last}, got {int(labels.min())} to {int(labels.max())}")
    return labels


def vectors_of(y: Conditions, number: int, length: int) -> Tensor:
    """Conditions that are vectors, whichever way they are given.

    Args:
        y: One vector for all, or one for each.
        number: How many are wanted.
        length: Of a vector.

    Returns:
        ``(number, length)``, floats.

    Raises:
        ValueError: If they are of another number or length, or no numbers.
    """
    vectors = _as_tensor(y)
    if vectors is not None and vectors.shape == (length,):
        vectors = vectors.expand(number, length)
    if vectors is None or vectors.shape != (number, length):
        raise ValueError(
            f"y should have the shape ({number}, {length}), one condition per image, or be one vector of {length} "
            f"numbers for all, got {_described(y)}"
        )
    return vectors if vectors.is_floating_point() else vectors.float()


def require_floats(values: Any, shape: tuple[int, ...], reader: str, remedy: str) -> None:
    """Asks for floats ``(N, *shape)``.

    Args:
        values: What was given.
        shape: Of one item.
        reader: Who takes them, for the message.
        remedy: What to do about others.

    Raises:
        ValueError: If type or shape differ.
    """
    if not isinstance(values, Tensor) or not values.is_floating_point() or tuple(values.shape[1:]) != shape:
        wanted = ", ".join(["N", *map(str, shape)])
        if isinstance(values, np.ndarray):
            remedy = f"make a tensor of this NumPy array with torch.from_numpy, and {remedy}"
        raise ValueError(f"{reader} takes floats of shape ({wanted}), got {_described(values)}; {remedy}")


def _number_of(name: str, class_names: Sequence[str]) -> int:
    if name in class_names:
        return list(class_names).index(name)
    known = ", ".join(class_names) if len(class_names) <= MANY else f"{len(class_names)} classes"
    raise ValueError(f"there is no class {name!r}; {nearest(name, class_names)}there are {known}")


def _as_tensor(values: Any) -> Tensor | None:
    """Numbers as a tensor; None if they are none, or rows of different lengths."""
    try:
        # NumPy reads lists of arrays, of tensors and of NumPy's numbers alike.
        return values if isinstance(values, Tensor) else torch.as_tensor(np.asarray(values))
    except (TypeError, ValueError, RuntimeError):
        return None


def _described(values: Any) -> str:
    if isinstance(values, Tensor | np.ndarray):
        return f"{str(values.dtype).removeprefix('torch.')} of shape {tuple(values.shape)}"
    text = repr(values)
    return text if len(text) <= 80 else f"{text[:80]} ..."
