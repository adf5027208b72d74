"""``genzoo latent invert``: the latent variables of given items, and what the model makes of them."""

import argparse
import sys
from typing import Any

import torch
from torch import Tensor

from genzoo.cli.latent_tools.drawn import Drawn
from genzoo.cli.latent_tools.items import (
    Items,
    add_condition_options,
    add_data_option,
    condition_names,
    given_items,
    items_of_test_set,
)
from genzoo.cli.plain_parser import PlainParser
from genzoo.drawing import Picture, labelled_rows
from genzoo.hyperparameters import whole_number
from genzoo.latent.drawn import plane_behind
from genzoo.latent.inversion import Inversion, invert
from genzoo.plane import BLACK, COLOURS
from genzoo.sampling.capabilities import Encodes
from genzoo.sampling.sampler import Sampler, in_eval_mode
from genzoo.spec import is_image

# Of the test set, for the mean item.
MOST_ITEMS = 10_000


def add_options(parser: PlainParser) -> None:
    """Adds the options of this tool."""
    parser.add_argument(
        "--items",
        nargs="+",
        metavar="ITEM",
        help="image files, or places in the test set; left out, the first items of the test set",
    )
    parser.add_argument("--number", type=int, default=8, help="how many first items (default: %(default)s)")
    parser.add_argument("--starts", type=int, default=4, help="draws to start from (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=300, help="of Adam, from each start (default: %(default)s)")
    parser.add_argument("--learning_rate", type=float, default=0.1, help="of the first step (default: %(default)s)")
    parser.add_argument(
        "--prior_weight", type=float, default=0.0, help="of the log-density of the code (default: %(default)s)"
    )
    add_data_option(parser)
    add_condition_options(parser)


def draw(sampler: Sampler, options: argparse.Namespace) -> Drawn:
    """Draws given items, their reconstructions if the model encodes, and what the codes that were found become."""
    starts = whole_number("--starts", options.starts, 1)
    steps = whole_number("--steps", options.steps)
    if options.learning_rate <= 0.0:
        raise ValueError(f"--learning_rate is {options.learning_rate:g}, but must be more than 0")
    if options.prior_weight < 0.0:
        raise ValueError(f"--prior_weight is {options.prior_weight:g}, but must be at least 0")
    names = options.items or [str(place) for place in range(whole_number("--number", options.number, 1))]
    items = given_items(names, sampler, options)
    found = invert(sampler, items.x, items.y, starts, steps, options.learning_rate, options.prior_weight, options.seed)
    reconstructions = _reconstructions(sampler, items)
    errors = {"inversion": found.errors.cpu()}
    if reconstructions is not None:
        errors["reconstruction"] = _errors(reconstructions, items.x)
    # Files may be all that is known.
    if options.data is not None or any(name.isdecimal() for name in items.names):
        errors["mean of the test set"] = _errors(_mean_item(sampler, options), items.x)
    sys.stdout.write(_table(errors))
    record = {
        "error": "mean squared error per value" + " of images in [-1, 1]" * is_image(sampler.data_shape),
        "mean_errors": {name: float(values.mean()) for name, values in errors.items()},
        "steps": steps,
        "learning_rate": options.learning_rate,
        "prior_weight": options.prior_weight,
        "items": _items_of_record(items, found, errors, condition_names(sampler, items.y, options)),
    }
    rows = {"given": items.x, "encoder": reconstructions, "found": found.reconstructions}
    shown = {name: x.cpu() for name, x in rows.items() if x is not None}
    draw_items = _images if is_image(sampler.data_shape) else _points
    return Drawn(draw_items(sampler, shown, options.seed), record)


def _reconstructions(sampler: Sampler, items: Items) -> Tensor | None:
    """What the codes of an encoder become; None where there is none."""
    if not isinstance(sampler, Encodes):
        return None
    with in_eval_mode(sampler):
        return sampler.reconstruct(items.x.to(sampler.device), items.y)


def _mean_item(sampler: Sampler, options: argparse.Namespace) -> Tensor:
    return items_of_test_set(range(MOST_ITEMS), sampler, options)[0].mean(0)


def _errors(found: Tensor, x: Tensor) -> Tensor:
    """Mean squared errors per value, ``(N,)``."""
    return (found.cpu().float() - x).square().flatten(1).mean(1)


def _table(errors: dict[str, Tensor]) -> str:
    lines = ["mean squared error per value    mean  lowest  highest"]
    for name, values in errors.items():
        lines.append(f"{name:28} {values.mean():7.4f} {values.min():7.4f}  {values.max():7.4f}")
    return "\n".join([*lines, ""])


def _items_of_record(
    items: Items, found: Inversion, errors: dict[str, Tensor], conditions: list[str] | str | None
) -> list[dict[str, Any]]:
    return [
        {"item": name}
        | ({"condition": conditions[place]} if isinstance(conditions, list) else {})
        | {
            "errors": {way: float(values[place]) for way, values in errors.items()},
            "errors_of_starts": found.errors_of_starts[place].tolist(),
            "code": found.codes[place].flatten().tolist(),
        }
        for place, name in enumerate(items.names)
    ]


def _images(sampler: Sampler, rows: dict[str, Tensor], seed: int) -> Picture:
    """One column for each item."""
    return labelled_rows(torch.stack([*rows.values()]), sampler.data_spec, [*rows])


def _points(sampler: Sampler, rows: dict[str, Tensor], seed: int) -> Picture:
    """Given points as large dots, with lines to what was found for them."""
    plane = plane_behind(sampler, torch.cat([*rows.values()]), seed)
    colours = [BLACK, *COLOURS][: len(rows)]
    for (name, points), colour in zip(rows.items(), colours, strict=True):
        for given, point in zip(rows["given"], points, strict=True):
            plane.way(torch.stack([given, point]), colour)
        plane.dots(points, colour, radius=5 if name == "given" else 3)
    plane.legend([*rows], colours)
    return plane.picture()
