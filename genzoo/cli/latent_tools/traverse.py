"""``genzoo latent traverse``: what each latent dimension changes."""

import argparse

import torch
from torch import Tensor

from genzoo.cli.latent_tools.drawn import Drawn
from genzoo.cli.latent_tools.items import (
    add_condition_options,
    add_data_option,
    asked_for,
    condition_names,
    given_items,
    items_of_test_set,
)
from genzoo.cli.plain_parser import PlainParser
from genzoo.hyperparameters import whole_number
from genzoo.latent.codes import codes_of, random_codes
from genzoo.latent.drawn import drawn_traversal
from genzoo.latent.quantiles import latent_quantiles, median_code, normal_probabilities
from genzoo.latent.traversal import Order, order_by_effect, order_by_kl, traverse
from genzoo.sampling.capabilities import HasPosterior
from genzoo.sampling.sampler import Sampler
from genzoo.spec import is_image

STEPS_OF_POINTS = 41
# The effect of a dimension is the mean over so many codes.
CODES_OF_EFFECT = 32
# Farther out, double precision cannot tell a probability from 1.
MOST_DEVIATIONS = 8.0
ORDERS = {
    "kl": "divergence of the posterior from the prior, mean over items of the test set",
    "effect": "mean squared change of the values of an item where the dimension goes from -1 to 1 standard deviation",
}
UNITS = {"kl": "nats", "effect": "change"}


def add_options(parser: PlainParser) -> None:
    """Adds the options of this tool."""
    parser.add_argument("--top", type=int, default=10, help="how many dimensions (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=9, help="pictures in a row (default: %(default)s)")
    parser.add_argument(
        "--deviations",
        type=float,
        default=3.0,
        help="from where to where: between the quantiles that a normal distribution has so many standard deviations "
        "from its mean (default: %(default)s)",
    )
    parser.add_argument(
        "--at",
        default="mean",
        metavar="CODE",
        help="the code that is changed: mean (that of the prior), random, or that of an image file or of a place in "
        "the test set (default: %(default)s)",
    )
    parser.add_argument(
        "--items",
        type=int,
        default=500,
        help="how many items of the test set tell what dimensions carry (default: %(default)s)",
    )
    add_data_option(parser)
    add_condition_options(parser)


def draw(sampler: Sampler, options: argparse.Namespace) -> Drawn:
    """Draws one row for each of the dimensions that matter most."""
    top, steps = whole_number("--top", options.top, 1), whole_number("--steps", options.steps, 2)
    number = whole_number("--items", options.items, 1)
    if not 0.0 < options.deviations <= MOST_DEVIATIONS:
        raise ValueError(f"--deviations should be above 0 and at most {MOST_DEVIATIONS:g}, got {options.deviations:g}")
    steps = steps if is_image(sampler.data_shape) else max(steps, STEPS_OF_POINTS)
    # Without a prior, the codes of items say where codes lie; without a posterior, items say nothing of dimensions.
    needs_items = isinstance(sampler, HasPosterior) or not sampler.can_sample
    x, labels = items_of_test_set(range(number), sampler, options) if needs_items else (None, None)
    codes = codes_of(sampler, x, labels, options.seed) if x is not None and not sampler.can_sample else None
    order = None if x is None else order_by_kl(sampler, x, labels)
    if order is None:
        order = _order_by_effect(sampler, codes, labels, top, options)
    chosen = order.dimensions[:top].tolist()
    code, y = _code_to_change(sampler, codes, len(chosen), options)
    values = latent_quantiles(sampler, normal_probabilities(torch.linspace(-1, 1, steps) * options.deviations), codes)
    rows = traverse(sampler, code, chosen, values, y)
    scores = order.scores[:top].tolist()
    record = {
        "code": options.at,
        "ordered_by": ORDERS[order.by],
        "items": None if x is None else len(x),
        "conditions": condition_names(sampler, y, options),
        "rows": [
            {"dimension": dimension, UNITS[order.by]: score, "values": values[:, dimension].float().tolist()}
            for dimension, score in zip(chosen, scores, strict=True)
        ],
        "all_dimensions": order.dimensions.tolist(),
        f"all_{UNITS[order.by]}": order.scores.tolist(),
        "first_code": code.flatten().tolist(),
    }
    unit = " nats" if order.by == "kl" else ""
    names = [f"{dimension}: {score:.3g}{unit}" for dimension, score in zip(chosen, scores, strict=True)]
    return Drawn(drawn_traversal(sampler, rows.items, names, options.seed), record)


def _order_by_effect(
    sampler: Sampler, codes: Tensor | None, labels: Tensor | None, top: int, options: argparse.Namespace
) -> Order:
    """The order by what changes where one dimension alone goes from -1 to 1 standard deviation."""
    values = latent_quantiles(sampler, normal_probabilities(torch.tensor([-1.0, 1.0])), codes)
    if codes is not None:
        some = slice(CODES_OF_EFFECT)
        y = None if labels is None or not sampler.condition.shape else labels[some]
        return order_by_effect(sampler, codes[some], values, y)
    drawn = random_codes(sampler, CODES_OF_EFFECT, options.seed)
    # A file has conditions for the rows, of which there are fewer than codes.
    number = CODES_OF_EFFECT if options.condition is None else min(top, values.shape[1])
    y = asked_for(sampler, number, options)
    return order_by_effect(sampler, drawn, values, None if y is None else y[torch.arange(CODES_OF_EFFECT) % number])


def _code_to_change(
    sampler: Sampler, codes: Tensor | None, rows: int, options: argparse.Namespace
) -> tuple[Tensor, Tensor | None]:
    """The code of which one dimension after the other is changed, and what each row depends on."""
    if options.at not in ("mean", "random"):
        items = given_items([options.at], sampler, options)
        y = None if items.y is None else items.y.expand(rows, *items.y.shape[1:])
        return codes_of(sampler, items.x, items.y, options.seed)[0], y
    is_asked = options.classes is not None or options.condition is not None
    y = asked_for(sampler, rows if is_asked else 1, options)
    # Unless told otherwise all rows are of one class: it is the latent variables that shall make them differ.
    y = None if y is None else y.expand(rows, *y.shape[1:])
    if options.at == "random":
        return random_codes(sampler, 1, options.seed)[0], y
    return median_code(sampler, codes), y
