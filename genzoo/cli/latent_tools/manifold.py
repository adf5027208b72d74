"""``genzoo latent manifold``: the plane of a model with two latent variables."""

import argparse

from torch import Tensor

from genzoo.cli.latent_tools.drawn import Drawn
from genzoo.cli.latent_tools.items import (
    add_condition_options,
    add_data_option,
    asked_for,
    condition_names,
    items_of_test_set,
)
from genzoo.cli.plain_parser import PlainParser
from genzoo.drawing import Picture, beside, without_gaps
from genzoo.hyperparameters import whole_number
from genzoo.latent.codes import codes_of
from genzoo.latent.drawn import plane_behind
from genzoo.latent.manifold import manifold, places_in_plane, require_plane
from genzoo.plane import BLACK, COLOURS, Plane, names_in_colours
from genzoo.sampling.capabilities import Encodes
from genzoo.sampling.sampler import Sampler
from genzoo.spec import is_image


def add_options(parser: PlainParser) -> None:
    """Adds the options of this tool."""
    parser.add_argument("--side", type=int, default=20, help="tiles in a row, and rows (default: %(default)s)")
    parser.add_argument(
        "--map",
        action="store_true",
        help="beside it, where in the same plane the encoder puts items of the test set, coloured by class",
    )
    parser.add_argument(
        "--items", type=int, default=2000, help="how many items of the test set it puts there (default: %(default)s)"
    )
    add_data_option(parser)
    add_condition_options(parser)


def draw(sampler: Sampler, options: argparse.Namespace) -> Drawn:
    """Draws the grid of items, and perhaps the map."""
    require_plane(sampler)
    side, number = whole_number("--side", options.side, 2), whole_number("--items", options.items, 1)
    is_asked = options.classes is not None or options.condition is not None
    if sampler.condition.shape and not is_asked:
        raise ValueError(
            f"this model depends on {sampler.condition}, and a plane is of one of them; name it with --classes or "
            "--condition"
        )
    if options.map and not isinstance(sampler, Encodes):
        raise ValueError("this model has no encoder that would put items on a map; leave --map out")
    y = asked_for(sampler, side, options)
    needs_items = options.map or not sampler.can_sample
    x, labels = items_of_test_set(range(number), sampler, options) if needs_items else (None, None)
    codes = None if x is None else codes_of(sampler, x, labels, options.seed)
    rows = manifold(sampler, side, y, codes)
    if is_image(sampler.data_shape):
        picture = without_gaps(rows.items, sampler.data_spec)
    else:
        picture = _deformed_grid(sampler, rows.items, options.seed)
    if options.map and codes is not None and labels is not None:
        picture = beside([picture, *_map(sampler, codes, labels, len(picture))])
    record = {
        "side": side,
        "conditions": condition_names(sampler, y, options),
        "items_on_map": len(codes) if options.map and codes is not None else 0,
        "first_latent_variable_of_columns": rows.codes.flatten(2)[0, :, 0].tolist(),
        "second_latent_variable_of_rows": rows.codes.flatten(2)[:, 0, 1].tolist(),
    }
    return Drawn(picture, record)


def _deformed_grid(sampler: Sampler, points: Tensor, seed: int) -> Picture:
    """What becomes of the lines of the grid: those to the right in one colour, those upwards in another."""
    plane = plane_behind(sampler, points.flatten(0, 1), seed)
    for lines, colour in ((points, COLOURS[0]), (points.transpose(0, 1), COLOURS[1])):
        for line in lines:
            plane.way(line, colour, width=1)
    plane.legend(["first latent variable grows along it", "second"], COLOURS[:2])
    return plane.picture()


def _map(sampler: Sampler, codes: Tensor, labels: Tensor, size: int) -> list[Picture]:
    """Where codes lie in the square of the grid, each in the colour of its class, and the names of the classes."""
    plane = Plane(0.0, 1.0, size)
    places = places_in_plane(sampler, codes, codes)
    names = sampler.data_spec.get("class_names", [])
    if not 0 < len(names) <= len(COLOURS):
        plane.dots(places, BLACK, radius=2)
        return [plane.picture()]
    for number in range(len(names)):
        plane.dots(places[labels == number], COLOURS[number], radius=2)
    return [plane.picture(), names_in_colours(names, COLOURS[: len(names)], size)]
