"""Concepts: the samples that show what a word stands for, a class, a measured attribute, or a choice by hand."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Concept:
    """Samples that show something.

    Attributes:
        name: What they show.
        measured_by: What tells whether they do, in words.
        places: Of the samples that were picked, in their series, ``(K,)``, int64.
        showing: How many show it of those that were looked at.
        looked_at: How many were looked at.
    """

    name: str
    measured_by: str
    places: Tensor
    showing: int
    looked_at: int


def pick(name: str, shows: Tensor, number: int, measured_by: str) -> Concept:
    """Picks the first samples that show a concept.

    Not those that show it best: they would be none of the usual ones.

    Args:
        name: Of the concept.
        shows: Which samples show it, ``(N,)``, booleans.
        number: K, how many to pick.
        measured_by: What has told so, for the message.

    Raises:
        ValueError: If too few show it.
    """
    places, looked_at = shows.nonzero()[:, 0], len(shows)
    if len(places) < number:
        raise ValueError(
            f"of {looked_at} samples that were looked at {len(places)} show{'s' * (len(places) == 1)} '{name}' "
            f"({measured_by}), but {number} are wanted; look at more (--candidates), ask for fewer (--examples), or "
            "name another concept"
        )
    return Concept(name, measured_by, places[:number], len(places), looked_at)


def sure_of(logits: Tensor, label: int, probability: float = 0.9) -> Tensor:
    """Which samples a classifier is sure to be of a class.

    Args:
        logits: Of the classes, ``(N, number_of_classes)``.
        label: The class.
        probability: How sure it has to be, at least.

    Returns:
        ``(N,)``, booleans.
    """
    return logits.softmax(1)[:, label] >= probability


def chosen(name: str, number_looked_at: int) -> Concept:
    """Samples that were chosen by hand, such as ``#3,17,25``: by their places in the series.

    Args:
        name: The places behind a ``#``, with commas between them.
        number_looked_at: How many samples there are.

    Raises:
        ValueError: If they are no places of samples.
    """
    texts = [text.strip() for text in name.removeprefix("#").split(",")]
    if not all(text.isdecimal() for text in texts):
        raise ValueError(f"'{name}' should be places of samples behind a #, with commas between them, as #3,17,25")
    places = [int(text) for text in texts]
    if max(places) >= number_looked_at:
        raise ValueError(
            f"'{name}' asks for sample {max(places)}, but only the first {number_looked_at} are looked at, from 0; "
            "look at more (--candidates)"
        )
    return Concept(name, "chosen by hand", torch.tensor(places), len(places), number_looked_at)
