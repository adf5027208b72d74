"""Which numbers are drawn together, and under which heading: by the names that docs/metrics.md lists."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from genzoo.report.curves import Curve

# The first pattern that a quantity fits decides. What fits none is among the last.
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Overview": ("objective", "loss", "*_loss", "squared_error", "equilibrium_distance"),
    "Game": (
        *("discriminator_real", "discriminator_fake", "discriminator_accuracy", "critic_real", "critic_fake"),
        *("*_gap", "class_accuracy_*", "information", "category_accuracy", "penalty/*", "augmentation/*"),
    ),
    "Likelihood": (
        *("elbo", "reconstruction", "kl", "kl_per_dimension/*", "active_units", "feature_error"),
        *("nll*", "bits_per_dimension*"),
    ),
    "Quality": (
        *("fd/*", "fid", "frechet_*", "kernel_*", "kid*", "precision/*", "recall/*", "density/*", "coverage/*"),
        *("mode_*", "modes", "high_quality*", "*_score*", "sharpness", "diversity*", "authenticity*"),
    ),
    "Optimisation": ("*_gradient_norm", "*learning_rate", "*_weight_norm", "*_update_ratio", "schedule/*"),
    "Speed": ("speed/*", "memory/*"),
    "Other numbers": ("*",),
}
# Of which split a number is. The longest beginning that fits a name decides.
SPLITS: Mapping[str, str] = {
    "val/training/": "training images, evaluated",
    "val/": "held-out images",
    "train/": "training batches",
    "test/": "test images",
    "": "",
}
# Quantities of several players or parts that share a plot; those that fit an earlier pattern do not fit a later one.
TOGETHER: Mapping[str, str] = {
    "speed/images_per_second": "speed/images_per_second",
    "speed/*": "speed: shares of the time",
    "penalty/*": "penalty",
    "*_gradient_norm": "gradient_norm",
    "*_learning_rate": "learning_rate",
    "*_weight_norm": "weight_norm",
    "*_update_ratio": "update_ratio",
}
# What counts steps or epochs and is no measurement.
COUNTS = ("epoch",)


@dataclass(frozen=True)
class Plot:
    """Columns of ``metrics.csv`` that are drawn into one picture.

    Args:
        section: Heading that it stands under.
        title: Of the picture.
        columns: What its legend calls each column.
        by_number: Whether the columns are parts with numbers, such as latent variables, of which the latest values are
            drawn beside each other.
    """

    section: str
    title: str
    columns: dict[str, str]
    by_number: bool = False


def split_of(column: str) -> tuple[str, str]:
    """The beginning of a column's name that says of which split it is, and the quantity.

    Example:
        >>> from genzoo.report.plots import split_of
        >>> split_of("val/training/elbo")
        ('val/training/', 'elbo')
    """
    beginning = next(beginning for beginning in SPLITS if column.startswith(beginning))
    return beginning, column.removeprefix(beginning)


def section_of(quantity: str) -> str:
    """The heading that a quantity stands under."""
    return next(name for name, patterns in SECTIONS.items() if _fits(quantity, patterns))


def plots_of(columns: Iterable[str]) -> list[Plot]:
    """The plots of a run, in the order of the sections.

    Args:
        columns: Names of the columns that there are.
    """
    found: dict[str, Plot] = {}
    for column in columns:
        beginning, quantity = split_of(column)
        if quantity in COUNTS:
            continue
        section = section_of(quantity)
        numbered = re.fullmatch(r"(.+)/(\d+)", quantity)
        pattern = next((pattern for pattern in TOGETHER if fnmatchcase(quantity, pattern)), quantity)
        if numbered:
            title, label = f"{beginning}{numbered[1]}", numbered[2]
        elif pattern == quantity:
            title, label = quantity, SPLITS[beginning] or quantity
        else:
            title, label = TOGETHER[pattern], _part(quantity, pattern)
            label += "" if beginning == "train/" else f", {SPLITS[beginning]}"
        found.setdefault(title, Plot(section, title, {}, numbered is not None)).columns[column] = label
    return sorted(found.values(), key=lambda plot: _place(plot))


def is_drawn(plot: Plot, curves: Mapping[str, Curve]) -> bool:
    """Whether a plot shows more than single numbers."""
    return len(plot.columns) > 1 if plot.by_number else any(len(curves[name].steps) > 1 for name in plot.columns)


def _place(plot: Plot) -> tuple[int, int, str]:
    """Where a plot stands: by section, and in it by the first pattern that a column fits."""
    patterns = SECTIONS[plot.section]
    quantity = split_of(next(iter(plot.columns)))[1]
    order = next(place for place, pattern in enumerate(patterns) if fnmatchcase(quantity, pattern))
    return list(SECTIONS).index(plot.section), order, plot.title


def _fits(quantity: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(quantity, pattern) for pattern in patterns)


def _part(quantity: str, pattern: str) -> str:
    """What stands for the star of a pattern."""
    before, _, after = pattern.partition("*")
    return quantity.removeprefix(before).removesuffix(after)
