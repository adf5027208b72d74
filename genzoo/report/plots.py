"""Which numbers are drawn together, and under which heading: as on the dashboard, and all others below."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from genzoo.dashboards.layout import SECTIONS
from genzoo.dashboards.panels import Curves, Panel
from genzoo.report.curves import Curve

# Of which split a number is. The longest beginning that fits a name decides.
SPLITS: Mapping[str, str] = {
    "val/training/": "training images, evaluated",
    "val/": "held-out images",
    "train/": "training batches",
    "test/": "test images",
    "": "",
}
OTHER = "Other numbers"
HEADINGS = (*(section.name for section in SECTIONS), OTHER)
# What counts epochs and is no measurement.
COUNTS = ("epoch",)
NO_BOUNDS: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True)
class Plot:
    """Columns of ``metrics.csv`` that are drawn into one picture.

    Args:
        section: Heading that it stands under.
        title: Of the picture.
        columns: What its legend calls each column.
        by_number: Whether the columns are parts with numbers, such as latent variables, of which the latest values are
            drawn beside each other; the legend then calls them by their numbers.
        bounds: What the vertical axis shows, from and to; None leaves an end to the numbers.
        is_logarithmic: Whether that axis is logarithmic.
    """

    section: str
    title: str
    columns: dict[str, str]
    by_number: bool = False
    bounds: tuple[float | None, float | None] = NO_BOUNDS
    is_logarithmic: bool = False


def split_of(column: str) -> tuple[str, str]:
    """The beginning of a column's name that says of which split it is, and the quantity.

    Example:
        >>> from genzoo.report.plots import split_of
        >>> split_of("val/training/elbo")
        ('val/training/', 'elbo')
    """
    beginning = next(beginning for beginning in SPLITS if column.startswith(beginning))
    return beginning, column.removeprefix(beginning)


def plots_of(columns: Iterable[str]) -> list[Plot]:
    """The plots of a run, in the order of the dashboard; each column stands in the first that shows it.

    Args:
        columns: Names of the columns that there are.
    """
    left = [column for column in columns if column not in COUNTS]
    plots = []
    for section, panel in _panels():
        shown = [column for column in left if panel.shows(column)]
        # The parts of a quantity, which the dashboard has as a histogram.
        parts = [column for column in left if column not in shown and panel.shows(_part_of(column)[0])]
        if shown:
            plots.append(Plot(section, panel.title, _called(shown), False, panel.bounds, panel.is_logarithmic))
        if parts:
            plots.append(Plot(section, panel.title, {column: _part_of(column)[1] for column in parts}, True))
        left = [column for column in left if column not in {*shown, *parts}]
    quantities: dict[str, list[str]] = {}
    for column in left:
        quantities.setdefault(split_of(column)[1], []).append(column)
    return plots + [Plot(OTHER, quantity, _called(found)) for quantity, found in quantities.items()]


def is_drawn(plot: Plot, curves: Mapping[str, Curve]) -> bool:
    """Whether a plot shows more than single numbers."""
    return len(plot.columns) > 1 if plot.by_number else any(len(curves[name].steps) > 1 for name in plot.columns)


def _panels() -> Iterator[tuple[str, Curves]]:
    """The panels that have curves, in the order in which they stand, each with its heading."""
    seen: set[Panel] = set()
    for section in SECTIONS:
        for panel in section.panels:
            if isinstance(panel, Curves) and panel not in seen:
                seen.add(panel)
                yield section.name, panel


def _part_of(column: str) -> tuple[str, str]:
    """The quantity that a column with a number at its end is a part of, and the number; empty if it has none."""
    numbered = re.fullmatch(r"(.+)/(\d+)", column)
    return (numbered[1], numbered[2]) if numbered else ("", "")


def _called(columns: list[str]) -> dict[str, str]:
    """What a legend calls columns: by their split where they are one quantity, else by what tells them apart."""
    splits = [split_of(column) for column in columns]
    if len({quantity for _, quantity in splits}) == 1:
        return {column: SPLITS[beginning] or column for column, (beginning, _) in zip(columns, splits, strict=True)}
    if len({beginning for beginning, _ in splits}) == 1:
        return {column: quantity for column, (_, quantity) in zip(columns, splits, strict=True)}
    return {column: column for column in columns}
