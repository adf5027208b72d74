"""What samples depend on besides noise: a class, a vector, an image, tokens, or nothing.

A condition is a value made from the spec of the data (`condition_from`). It says what the networks get of each item's
label, what users may pass in its place, and under which conditions samples are scored and shown.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from genzoo.hyperparameters import WholeNumbers
from genzoo.sampling.given import Given, images_of, labels_of, require_labels, tokens_of, vectors_of
from genzoo.sampling.shares import classes_like, items_like
from genzoo.spec import MISSING_LABEL, DataSpec, to_float

# Of a grid of pictures: those of the thousand classes of stacked digits would fit no screen.
MAX_CLASS_ROWS = 20


class Condition(ABC):
    """What each item is conditioned on.

    Labels are what the batches of the data have; the condition is what the networks get, one float32 array per item.
    """

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of what the networks get per item, ``()`` for nothing."""

    @property
    def has_default(self) -> bool:
        """Whether samples can be drawn without naming a condition."""
        return False

    @abstractmethod
    def encode(self, y: Tensor) -> Tensor | None:
        """Labels ``(N, ...)`` of a batch as the networks get them, ``(N, *shape)``, float32.

        Raises:
            ValueError: If they are of another shape or type than those of the data.
        """

    @abstractmethod
    def given(self, y: Given | None, number: int) -> Tensor | None:
        """What a user passes, in the form in which a batch has its labels.

        Args:
            y: One condition for all, or one for each; None where there is a default.
            number: N, how many are wanted.

        Returns:
            Labels of N items.

        Raises:
            ValueError: If they are of another number, shape or range, or missing.
        """

    def of_data(self, y: Given, number: int) -> Tensor | None:
        """As `given`, for labels of items that are there, some of which may be missing."""
        return self.given(y, number)

    @abstractmethod
    def blank(self, number: int) -> Tensor:
        """Labels of ``number`` items such as the data have, all zero."""

    @abstractmethod
    def like(self, labels: NDArray[Any] | Tensor, number: int) -> Tensor | None:
        """The conditions under which samples are compared with data: those of the data, in their shares.

        Args:
            labels: Of the M items of the data, in the form of their array; images as bytes.
            number: N, how many samples there are, more or fewer than M.

        Returns:
            Labels of N items, in the form in which a batch has them. Classes come in turn, each as often as its share
            of the data asks for, to the nearest whole number. All others are those of the data as often as they fit,
            then a fixed choice of them.
        """

    def grid(self, columns: int, examples: Tensor | None) -> Tensor | None:
        """The conditions of a grid of pictures.

        Args:
            columns: Pictures in a row.
            examples: Labels of some items of the data, as a batch has them; None where there are none.

        Returns:
            One row per class, of at most 20 classes; all others are those of the examples.
        """
        return examples


@dataclass(frozen=True)
class NoCondition(Condition):
    """Nothing: the labels of the data are left out of account."""

    def __str__(self) -> str:
        return "no labels"

    @property
    def shape(self) -> tuple[int, ...]:
        """Empty."""
        return ()

    @property
    def has_default(self) -> bool:
        """Always."""
        return True

    def encode(self, y: Tensor) -> None:
        """Nothing."""

    def given(self, y: Given | None, number: int) -> None:
        """Refuses whatever is given."""
        if y is not None:
            raise ValueError("this model is unconditional: it cannot sample under a given y; leave y out")

    def blank(self, number: int) -> Tensor:
        """Zeros ``(number,)``, int64, which stand for labels where there are none."""
        return torch.zeros(number, dtype=torch.int64)

    def like(self, labels: NDArray[Any] | Tensor, number: int) -> None:
        """Nothing."""

    def grid(self, columns: int, examples: Tensor | None) -> None:
        """Nothing."""


@dataclass(frozen=True)
class ClassCondition(Condition):
    """A class: labels ``(N,)``, int64, become one-hot vectors; that of a missing label, -1, is all zero.

    Args:
        class_names: One name per class, in the order of their numbers.
    """

    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        # The lists of plain data would make the value unequal to that with a tuple, and unhashable.
        object.__setattr__(self, "class_names", tuple(self.class_names))

    def __str__(self) -> str:
        return f"{len(self.class_names)} class{'es' * (len(self.class_names) > 1)}"

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of classes."""
        return (len(self.class_names),)

    @property
    def has_default(self) -> bool:
        """Classes come in turn."""
        return True

    def encode(self, y: Tensor) -> Tensor:
        """One-hot vectors."""
        require_labels(y, (), torch.int64)
        # A missing label, -1, gets an entry of its own in front, which is cut off; what is no label is still refused.
        return functional.one_hot(y + 1, len(self.class_names) + 1)[:, 1:].float()

    def given(self, y: Given | None, number: int) -> Tensor:
        """Classes by their numbers or names; left out, all classes in turn."""
        if y is None:
            return torch.arange(number) % len(self.class_names)
        return labels_of(y, number, self.class_names)

    def of_data(self, y: Given, number: int) -> Tensor:
        """Classes by their numbers or names; -1 is a missing label, which training may meet too."""
        return labels_of(y, number, self.class_names, lowest=MISSING_LABEL)

    def blank(self, number: int) -> Tensor:
        """Class 0."""
        return torch.zeros(number, dtype=torch.int64)

    def like(self, labels: NDArray[Any] | Tensor, number: int) -> Tensor:
        """Classes in the shares that they have among the labels that are there."""
        known = np.asarray(labels)
        return classes_like(known[known != MISSING_LABEL], number)

    def grid(self, columns: int, examples: Tensor | None) -> Tensor:
        """One row per class, of the first 20."""
        return torch.arange(min(len(self.class_names), MAX_CLASS_ROWS)).repeat_interleave(columns)


@dataclass(frozen=True)
class VectorCondition(WholeNumbers, Condition):
    """A vector of numbers, such as attributes: labels ``(N, length)``, float32.

    Args:
        length: How many numbers.
    """

    length: int

    def __str__(self) -> str:
        return f"vectors of {self.length} numbers"

    @property
    def shape(self) -> tuple[int, ...]:
        """The length."""
        return (self.length,)

    def encode(self, y: Tensor) -> Tensor:
        """The vectors as they are."""
        require_labels(y, self.shape)
        return y.float()

    def given(self, y: Given | None, number: int) -> Tensor:
        """One vector for all, or one for each."""
        if y is None:
            raise ValueError(f"sampling needs y: one condition of {self.length} numbers per image")
        return vectors_of(y, number, self.length)

    def blank(self, number: int) -> Tensor:
        """Zeros."""
        return torch.zeros(number, self.length)

    def like(self, labels: NDArray[Any] | Tensor, number: int) -> Tensor:
        """The vectors of the data."""
        return items_like(labels, number)


@dataclass(frozen=True)
class ImageCondition(WholeNumbers, Condition):
    """An image, such as the edges of what is to be drawn: labels ``(N, C, H, W)``, floats in [-1, 1].

    Args:
        data_shape: ``(C, H, W)``.
    """

    data_shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"condition images of {' x '.join(map(str, self.data_shape))}"

    @property
    def shape(self) -> tuple[int, ...]:
        """That of an image."""
        return self.data_shape

    def encode(self, y: Tensor) -> Tensor:
        """The images as they are."""
        require_labels(y, self.shape)
        return y.float()

    def given(self, y: Given | None, number: int) -> Tensor:
        """One image for all, or one for each, in the size that the model sees."""
        if y is None:
            raise ValueError(f"sampling needs y: one condition image {self.data_shape} per sample")
        return images_of(y, number, self.data_shape)

    def blank(self, number: int) -> Tensor:
        """Grey images."""
        return torch.zeros(number, *self.data_shape)

    def like(self, labels: NDArray[Any] | Tensor, number: int) -> Tensor:
        """The images of the data."""
        images = items_like(labels, number)
        return to_float(images) if images.dtype == torch.uint8 else images


@dataclass(frozen=True)
class TokenCondition(WholeNumbers, Condition):
    """A sequence of tokens, such as the words of a caption: labels ``(N, length)``, int64, become one-hot vectors.

    Args:
        length: Of a sequence.
        vocabulary: How many tokens there are.
    """

    length: int
    vocabulary: int

    def __str__(self) -> str:
        return f"sequences of {self.length} tokens out of {self.vocabulary}"

    @property
    def shape(self) -> tuple[int, ...]:
        """Length and vocabulary."""
        return (self.length, self.vocabulary)

    def encode(self, y: Tensor) -> Tensor:
        """One-hot vectors."""
        require_labels(y, (self.length,), torch.int64)
        return functional.one_hot(y, self.vocabulary).float()

    def given(self, y: Given | None, number: int) -> Tensor:
        """One sequence for all, or one for each."""
        if y is None:
            raise ValueError(f"sampling needs y: one sequence of {self.length} tokens per item")
        return tokens_of(y, number, self.length, self.vocabulary)

    def blank(self, number: int) -> Tensor:
        """Token 0."""
        return torch.zeros(number, self.length, dtype=torch.int64)

    def like(self, labels: NDArray[Any] | Tensor, number: int) -> Tensor:
        """The sequences of the data."""
        return items_like(labels, number)


def condition_from(spec: DataSpec) -> Condition:
    """What data can be conditioned on: their condition images, else tokens, attributes or classes, else nothing."""
    if image := spec.get("condition_image"):
        return ImageCondition(tuple(image))
    if tokens := spec.get("tokens"):
        return TokenCondition(*tokens)
    if attributes := spec.get("attribute_names"):
        return VectorCondition(len(attributes))
    if class_names := spec.get("class_names"):
        return ClassCondition(tuple(class_names))
    return NoCondition()


def required_condition(spec: DataSpec, owner: str) -> Condition:
    """As `condition_from`, for a model that cannot do without.

    Args:
        spec: Of the data.
        owner: Name of the model, for the message.

    Raises:
        ValueError: If the data have nothing of the kind.
    """
    condition = condition_from(spec)
    if not condition.shape:
        raise ValueError(
            f"a {owner} needs data with class labels, attributes, tokens or condition images, but these have none; "
            "choose other data, or a model that is not conditional"
        )
    return condition
