"""The forms in which people write conditions, each turned into what a batch of data has."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genzoo.names import nearest

Given = Tensor | NDArray[Any] | Sequence[Any] | int | str
"""Conditions as people give them: one for all items, or one for each; classes by their numbers or their names."""

MANY = 20


def labels_of(y: Given, number: int, class_names: Sequence[str], lowest: int = 0) -> Tensor:
    """Class labels, whichever way they are given.

    Args:
        y: One class for all, or a sequence of one for each; each by its number or its name.
        number: How many labels are wanted.
        class_names: Of the classes, in the order of their numbers.
        lowest: The smallest label; -1 where labels may be missing.

    Returns:
        ``(number,)``, int64.

    Raises:
        ValueError: If they are of another number or are no classes.
    """
    plain = y.tolist() if isinstance(y, np.ndarray | np.generic) else y
    # A name is a sequence too, of letters.
    if isinstance(plain, str):
        plain = number_of_class(plain, class_names)
    elif isinstance(plain, Sequence):
        plain = [number_of_class(each, class_names) if isinstance(each, str) else each for each in plain]
    labels = _as_tensor(plain)
    last = len(class_names) - 1
    if labels is None or (labels.numel() and not _are_whole(labels)):
        raise ValueError(f"y should be classes, by their numbers from 0 to {last} or their names, got {described(y)}")
    labels = labels.long()
    labels = labels.expand(number) if labels.ndim == 0 else labels
    if labels.shape != (number,):
        raise ValueError(
            f"y should have the shape ({number},), one condition per image, or be one class for all, got "
            f"{tuple(labels.shape)}"
        )
    if number and (labels.min() < lowest or labels.max() > last):
        raise ValueError(f"labels should lie in {lowest} to {last}, got {int(labels.min())} to {int(labels.max())}")
    return labels


def vectors_of(y: Given, number: int, length: int) -> Tensor:
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
    vectors = _for_each(y, number, (length,))
    if vectors is None:
        raise ValueError(
            f"y should have the shape ({number}, {length}), one condition per image, or be one vector of {length} "
            f"numbers for all, got {described(y)}"
        )
    return vectors if vectors.is_floating_point() else vectors.float()


def images_of(y: Given, number: int, shape: tuple[int, ...]) -> Tensor:
    """Conditions that are images, whichever way they are given.

    Args:
        y: One image in [-1, 1] for all, or one for each.
        number: How many are wanted.
        shape: ``(C, H, W)`` of an image.

    Returns:
        ``(number, C, H, W)``, floats in [-1, 1].

    Raises:
        ValueError: If they are of another number, shape or range, or no floats.
    """
    images = _for_each(y, number, shape)
    if images is None or not images.is_floating_point():
        raise ValueError(
            f"y should be floats of the shape {(number, *shape)}, one image per sample, or one image {shape} for all, "
            f"got {described(y)}; bring images there with genzoo.spec.to_size, and bytes to [-1, 1] with "
            "genzoo.spec.to_float"
        )
    # One for all is repeated without a copy, and looked at once.
    given = images[:1] if images.stride(0) == 0 else images
    if not given.numel():
        return images
    lowest, highest = (float(value) for value in given.aminmax())
    # Resizing may overstep the range by a rounding error.
    if max(-lowest, highest) > 1.001:
        raise ValueError(
            f"images in y should have values from -1 to 1, got {lowest:g} to {highest:g}; bring bytes there with "
            "genzoo.spec.to_float"
        )
    return images


def tokens_of(y: Given, number: int, length: int, vocabulary: int) -> Tensor:
    """Conditions that are sequences of tokens, whichever way they are given.

    Args:
        y: One sequence for all, or one for each.
        number: How many are wanted.
        length: Of a sequence.
        vocabulary: How many tokens there are.

    Returns:
        ``(number, length)``, int64.

    Raises:
        ValueError: If they are of another number or length, or no tokens.
    """
    tokens = _for_each(y, number, (length,))
    if tokens is None or not _are_whole(tokens):
        raise ValueError(
            f"y should be whole numbers of the shape ({number}, {length}), one sequence of tokens per item, or one "
            f"sequence of {length} for all, got {described(y)}"
        )
    tokens = tokens.long()
    if tokens.numel() and (tokens.min() < 0 or tokens.max() >= vocabulary):
        raise ValueError(f"tokens should lie in 0 to {vocabulary - 1}, got {int(tokens.min())} to {int(tokens.max())}")
    return tokens


def require_labels(y: Tensor, shape: tuple[int, ...], dtype: torch.dtype | None = None) -> None:
    """Asks for labels of the kind that a condition is made of.

    Args:
        y: Of a batch, ``(N, *shape)``.
        shape: Of one item's.
        dtype: Their type; None: any type.

    Raises:
        ValueError: If shape or type differ. Values are not looked at, for which a step would wait for the device.
    """
    if tuple(y.shape[1:]) != shape or y.ndim == 0 or dtype not in (None, y.dtype):
        kind = "" if dtype is None else f"{str(dtype).removeprefix('torch.')} "
        wanted = ", ".join(["N", *map(str, shape)])
        raise ValueError(
            f"the model depends on {kind}labels of shape ({wanted}), but those of the batch are {described(y)}; "
            "give data that have such labels, or a model for those that they have"
        )


def number_of_class(name: str, class_names: Sequence[str]) -> int:
    """The number of a class that is called by its name, in letters of either case.

    Args:
        name: Of the class.
        class_names: Of all of them, in the order of their numbers.

    Raises:
        ValueError: If there is none.
    """
    # Exactly first: names may differ in their capital letters alone.
    if name in class_names:
        return list(class_names).index(name)
    folded = [each.casefold() for each in class_names]
    if name.casefold() in folded:
        return folded.index(name.casefold())
    known = ", ".join(class_names) if len(class_names) <= MANY else f"{len(class_names)} classes"
    raise ValueError(f"there is no class {name!r}; {nearest(name, class_names)}there are {known}")


def _as_tensor(values: Any) -> Tensor | None:
    """Numbers as a tensor; None if they are none, or rows of different lengths."""
    try:
        # NumPy reads lists of arrays, of tensors and of NumPy's numbers alike.
        return values if isinstance(values, Tensor) else torch.as_tensor(np.asarray(values))
    except (TypeError, ValueError, RuntimeError):
        return None


def _for_each(y: Any, number: int, shape: tuple[int, ...]) -> Tensor | None:
    """Conditions of one shape, one for each of so many items; None if they are neither that nor one for all."""
    values = _as_tensor(y)
    if values is not None and values.shape == shape:
        values = values.expand(number, *shape)
    return values if values is not None and values.shape == (number, *shape) else None


def _are_whole(values: Tensor) -> bool:
    """Whether the numbers are of a type that counts."""
    # torch would cast truth values to integers too.
    return values.dtype != torch.bool and torch.can_cast(values.dtype, torch.int64)


def described(values: Any) -> str:
    """What was given, for a message: type and shape of an array, or the beginning of anything else."""
    if isinstance(values, Tensor | np.ndarray):
        return f"{str(values.dtype).removeprefix('torch.')} of shape {tuple(values.shape)}"
    text = repr(values)
    return text if len(text) <= 80 else f"{text[:80]} ..."
