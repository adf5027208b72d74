"""The numbers of a run, ``metrics.csv``, as curves."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

METRICS = "metrics.csv"


@dataclass(frozen=True)
class Curve:
    """One quantity over the steps.

    Args:
        steps: Counted from 0, ascending.
        values: As many; some may be no finite number.
    """

    steps: list[int]
    values: list[float]


def read_curves(path: Path) -> dict[str, Curve]:
    """The columns of a file of metrics.

    A last row that is cut off, as of a run that is still going, and cells that hold no number are left out.

    Args:
        path: The file.

    Returns:
        Curves by the name of their column, those without any value left out; none if there is no file, or no column of
        steps in it.
    """
    if not path.is_file():
        return {}
    columns: dict[str, dict[int, float]] = {}
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        for row in csv.DictReader(line for line in file if line.endswith("\n") and "\0" not in line):
            step = _number(row.pop("step", None))
            if step is None or not step.is_integer():
                continue
            for name, cell in row.items():
                # A row that is longer than the head has its rest under no name.
                if name and (value := _number(cell)) is not None:
                    columns.setdefault(name, {})[int(step)] = value
    return {name: Curve(sorted(column), [column[step] for step in sorted(column)]) for name, column in columns.items()}


def thinned(curve: Curve, most: int) -> Curve:
    """A curve of fewer points that looks the same: of each stretch of steps the lowest and the highest point.

    Args:
        curve: Of any number of points.
        most: How many it may have, at least 2.
    """
    number = len(curve.steps)
    if number <= most:
        return curve
    kept = {0, number - 1}
    stretches = max(1, (most - 2) // 2)
    for stretch in range(stretches):
        places = range(number * stretch // stretches, number * (stretch + 1) // stretches)
        if finite := [place for place in places if math.isfinite(curve.values[place])]:
            kept |= {min(finite, key=curve.values.__getitem__), max(finite, key=curve.values.__getitem__)}
    return Curve([curve.steps[place] for place in sorted(kept)], [curve.values[place] for place in sorted(kept)])


def aligned(curves: Sequence[Curve]) -> tuple[list[int], list[list[float | None]]]:
    """Curves on common steps.

    Returns:
        The steps of all of them, and for each curve a value for every step, rounded to 6 digits; None where it has
        none, or one that is no finite number.
    """
    steps = sorted({step for curve in curves for step in curve.steps})
    found = [dict(zip(curve.steps, map(finite, curve.values), strict=True)) for curve in curves]
    return steps, [[values.get(step) for step in steps] for values in found]


def finite(value: float) -> float | None:
    """A number as JSON can hold it, rounded to 6 digits; None for what is not finite."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _number(cell: object) -> float | None:
    try:
        return float(str(cell))
    except ValueError:
        return None
