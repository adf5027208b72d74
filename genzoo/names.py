"""Names that are nearly right."""

import difflib
from collections.abc import Iterable


def nearest(asked: str, known: Iterable[str]) -> str:
    """The question whether the most similar of the known names was meant; empty if none is similar."""
    near = difflib.get_close_matches(asked, list(known), n=1, cutoff=0.5)
    return f"did you mean {near[0]}? " if near else ""
