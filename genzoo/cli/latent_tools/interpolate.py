"""``genzoo latent interpolate``: ways from one code, or one item, to another."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from genzoo.cli.latent_tools.drawn import Drawn
from genzoo.cli.latent_tools.items import (
    Items,
    add_condition_options,
    add_data_option,
    asked_for,
    condition_names,
    given_items,
)
from genzoo.cli.plain_parser import PlainParser
from genzoo.drawing import Picture
from genzoo.hyperparameters import whole_number
from genzoo.latent.codes import codes_of, origin_of_given_codes, origin_of_random_codes, random_codes
from genzoo.latent.drawn import drawn_interpolation
from genzoo.latent.interpolation import WAYS, Way, interpolate
from genzoo.latent.rows import Rows, step_sizes
from genzoo.sampling.sampler import Sampler
from genzoo.spec import is_image

# Lines through the plane need more places than rows of images have.
STEPS_OF_POINTS = 60


def add_options(parser: PlainParser) -> None:
    """Adds the options of this tool."""
    parser.add_argument(
        "--between",
        nargs="+",
        metavar="ITEM",
        help="image files, or places in the test set: from the first to the second, from the third to the fourth, ...; "
        "left out, random codes",
    )
    parser.add_argument("--rows", type=int, default=4, help="how many pairs of random codes (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=10, help="pictures in a row, both ends too (default: %(default)s)")
    parser.add_argument(
        "--way",
        choices=(*WAYS, "both"),
        default="both",
        help="which way they go, or one below the other (default: %(default)s)",
    )
    add_data_option(parser)
    add_condition_options(parser)


def draw(sampler: Sampler, options: argparse.Namespace) -> Drawn:
    """Draws one row for each pair and way."""
    ways: list[Way] = list(WAYS) if options.way == "both" else [options.way]
    steps = whole_number("--steps", options.steps, 2)
    if not is_image(sampler.data_shape):
        steps = max(steps, STEPS_OF_POINTS)
    ends = _random_ends(sampler, options) if options.between is None else _given_ends(sampler, options)
    y_first, y_last = (None, None) if ends.y is None else (ends.y[::2], ends.y[1::2])
    rows = [interpolate(sampler, ends.codes[::2], ends.codes[1::2], steps, way, y_first, y_last) for way in ways]
    # Pair by pair, with its ways one below the other.
    codes, items = (torch.stack(parts, dim=1).flatten(0, 1).cpu() for parts in zip(*rows, strict=True))
    found = Rows(codes, items)
    record = {
        "codes": ends.origin,
        "ways": ways,
        "steps": steps,
        "step_size": "root of the mean squared difference of the values of neighbours in a row",
        "rows": _rows_of_record(found, ways, ends, condition_names(sampler, ends.y, options)),
    }
    return Drawn(_drawn(sampler, found, ways, ends, options.seed), record)


@dataclass(frozen=True)
class _Ends:
    """The ends of P rows: the first one of a row, then its last, then those of the next.

    Attributes:
        codes: ``(2 P, *latent_shape)``.
        y: What they depend on, ``(2 P, ...)``, if they do.
        origin: Where the codes are from, in words.
        items: What was given, if something was.
    """

    codes: Tensor
    y: Tensor | None
    origin: str
    items: Items | None = None


def _random_ends(sampler: Sampler, options: argparse.Namespace) -> _Ends:
    pairs = whole_number("--rows", options.rows, 1)
    y = asked_for(sampler, pairs, options)
    # Both ends of a row depend on the same.
    y = None if y is None else y.repeat_interleave(2, 0)
    return _Ends(random_codes(sampler, 2 * pairs, options.seed), y, origin_of_random_codes(sampler))


def _given_ends(sampler: Sampler, options: argparse.Namespace) -> _Ends:
    if len(options.between) % 2:
        raise ValueError(f"--between takes pairs of items, but got {len(options.between)}; give one more or one fewer")
    items = given_items(options.between, sampler, options)
    codes = codes_of(sampler, items.x, items.y, options.seed)
    return _Ends(codes, items.y, origin_of_given_codes(sampler), items)


def _drawn(sampler: Sampler, rows: Rows, ways: Sequence[Way], ends: _Ends, seed: int) -> Picture:
    """Given images stand at the ends of their rows, beside what the model makes of their codes."""
    shown = rows.items
    if ends.items is not None and is_image(sampler.data_shape):
        given = ends.items.x.unflatten(0, (-1, 2)).repeat_interleave(len(ways), 0).to(shown)
        shown = torch.cat([given[:, :1], shown, given[:, 1:]], dim=1)
    return drawn_interpolation(sampler, shown, [*ways] * (len(shown) // len(ways)), seed)


def _rows_of_record(
    rows: Rows, ways: Sequence[Way], ends: _Ends, conditions: list[str] | str | None
) -> list[dict[str, Any]]:
    sizes, norms = step_sizes(rows.items), rows.codes.float().flatten(2).norm(dim=2)
    found = []
    for number, (codes, lengths, steps) in enumerate(zip(rows.codes, norms, sizes, strict=True)):
        first = 2 * (number // len(ways))
        found.append(
            {"way": ways[number % len(ways)]}
            | ({} if ends.items is None else {"between": ends.items.names[first : first + 2]})
            | ({"conditions": conditions[first : first + 2]} if isinstance(conditions, list) else {})
            | {
                "step_sizes": steps.tolist(),
                "largest_step": float(steps.max()),
                "mean_step": float(steps.mean()),
                "norms": lengths.tolist(),
                "first_code": codes[0].flatten().tolist(),
                "last_code": codes[-1].flatten().tolist(),
            }
        )
    return found
