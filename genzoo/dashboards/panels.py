"""Panels as values, which name what genzoo logs: what a dashboard shows, apart from how any program writes it down."""

import re
from dataclasses import dataclass

STEP = "trainer/global_step"
"""The axis of all curves: the steps of training, under the name that Lightning logs them by."""


@dataclass(frozen=True)
class Panel:
    """Something that is drawn of what a run has logged.

    Args:
        title: What stands above it.
        names: Regular expressions of the whole names that it shows; a name without special signs is one.
    """

    title: str
    names: tuple[str, ...]

    def shows(self, name: str) -> bool:
        """Whether what is logged under a name is in the panel."""
        return any(re.fullmatch(pattern, name) for pattern in self.names)


@dataclass(frozen=True)
class Curves(Panel):
    """Numbers over the steps of training, a line for each run and name; a histogram over the steps is drawn as one.

    Args:
        title: What stands above it.
        names: As for every panel.
        bounds: What the vertical axis shows, from and to; None leaves an end to the numbers.
        is_logarithmic: Whether that axis is logarithmic.
    """

    bounds: tuple[float | None, float | None] = (None, None)
    is_logarithmic: bool = False

    @property
    def pattern(self) -> str | None:
        """One regular expression for all names; None where each is a plain name."""
        is_plain = all(re.fullmatch(r"[\w/]+", name) for name in self.names)
        return None if is_plain else f"^({'|'.join(self.names)})$"


@dataclass(frozen=True)
class Bars(Panel):
    """The last value of numbers, a bar for each run; their names are plain."""


@dataclass(frozen=True)
class Pictures(Panel):
    """Pictures by the step that they were drawn at; their names are plain."""


@dataclass(frozen=True)
class Table(Panel):
    """The rows of one table, of all runs together; its name is plain."""


@dataclass(frozen=True)
class Section:
    """Panels under a heading.

    Args:
        name: The heading.
        panels: In the order in which they stand.
        is_open: Whether they are seen before the heading is clicked at.
    """

    name: str
    panels: tuple[Panel, ...]
    is_open: bool = True
