"""Names that are nearly right, and names that are taken."""

import difflib
from collections.abc import Container, Iterable


def nearest(asked: str, known: Iterable[str]) -> str:
    """The question whether the most similar of the known names was meant; empty if none is similar."""
    near = difflib.get_close_matches(asked, list(known), n=1, cutoff=0.5)
    return f"did you mean {near[0]}? " if near else ""


def numbered(name: str, taken: Container[str]) -> str:
    """A name, with a number if it is taken: ``R1``, ``R1_2``, ``R1_3``."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free
