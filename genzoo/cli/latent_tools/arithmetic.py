"""``genzoo latent arithmetic``: sums and differences of concepts, as in the DCGAN paper."""

import argparse
from collections.abc import Sequence

import torch
from torch import Tensor

from genzoo.cli.latent_tools.drawn import Drawn
from genzoo.cli.latent_tools.found_concepts import ConceptFinder
from genzoo.cli.latent_tools.items import add_condition_options, add_data_option, asked_for, condition_names
from genzoo.cli.latent_tools.panels import signed, stacked
from genzoo.cli.plain_parser import PlainParser
from genzoo.drawing import SHOWN_SIZE, Picture, captioned, tiled, tiles
from genzoo.hyperparameters import whole_number
from genzoo.latent.arithmetic import MIDDLE, Term, combined, surrounded, terms_of
from genzoo.latent.codes import origin_of_random_codes, random_codes
from genzoo.latent.concepts import Concept
from genzoo.latent.drawn import plane_behind
from genzoo.latent.rows import decoded_rows
from genzoo.plane import BLACK, COLOURS
from genzoo.sampling.sampler import Sampler
from genzoo.spec import is_image

SIGNS = {1: "+", -1: "-"}


def add_options(parser: PlainParser) -> None:
    """Adds the options of this tool."""
    parser.add_argument(
        "expression",
        metavar="EXPRESSION",
        help="concepts and signs with spaces between them, such as 'sandal - sneaker + ankle boot'; a concept is a "
        "class of the data, a word such as bright, dark, wide, narrow, tall or short, or samples by their places, "
        "such as #3,17,25",
    )
    parser.add_argument("--examples", type=int, default=3, help="samples per concept (default: %(default)s)")
    parser.add_argument("--candidates", type=int, default=2000, help="samples looked at (default: %(default)s)")
    parser.add_argument(
        "--noise", type=float, default=0.25, help="scale of that around the result (default: %(default)s)"
    )
    parser.add_argument(
        "--classifier", metavar="NAME", help="extractor that tells classes; left out, the embedded one of the data"
    )
    parser.add_argument(
        "--sure", type=float, default=0.9, help="probability from which on a class counts (default: %(default)s)"
    )
    add_data_option(parser)
    add_condition_options(parser)


def draw(sampler: Sampler, options: argparse.Namespace) -> Drawn:
    """Draws the samples of each concept, the sample of their mean code below them, and the result at the right."""
    terms = terms_of(options.expression)
    examples = whole_number("--examples", options.examples, 1)
    number = whole_number("--candidates", options.candidates, 2)
    y = _one_condition(sampler, number, options)
    condition = sampler.as_networks_get(y)

    def decoded(codes: Tensor) -> Tensor:
        return decoded_rows(sampler, codes[None], None if condition is None else condition[None, : len(codes)]).items[0]

    codes = random_codes(sampler, number, options.seed)
    samples = decoded(codes)
    finder = ConceptFinder(sampler, samples, options)
    concepts = [finder.find(term.concept, examples) for term in terms]
    chosen = [codes[concept.places] for concept in concepts]
    around = surrounded(combined(terms, chosen), options.noise, options.seed)
    results, means = decoded(around), decoded(torch.stack([each.mean(0) for each in chosen]))
    record = {
        "expression": options.expression,
        "codes": origin_of_random_codes(sampler),
        "condition": None if y is None else condition_names(sampler, y[:1], options),
        "concepts": [
            {
                "sign": term.sign,
                "name": concept.name,
                "measured_by": concept.measured_by,
                "looked_at": concept.looked_at,
                "showing": concept.showing,
                "samples": concept.places.tolist(),
                "mean": mean,
            }
            for term, concept, mean in zip(terms, concepts, finder.measured(means), strict=True)
        ],
        "noise": options.noise,
        "results": finder.measured(results),
        "result_without_noise": MIDDLE,
        "code": around[MIDDLE].flatten().tolist(),
    }
    shown = [samples[concept.places] for concept in concepts]
    if is_image(sampler.data_shape):
        return Drawn(_images(sampler, terms, concepts, shown, means, results), record)
    return Drawn(_points(sampler, concepts, shown, results, options.seed), record)


def _one_condition(sampler: Sampler, number: int, options: argparse.Namespace) -> Tensor | None:
    """What all samples depend on, ``(number, ...)``: latent variables of different conditions mean different things."""
    if sampler.condition.shape and options.classes is None and options.condition is None:
        raise ValueError(
            f"this model depends on {sampler.condition}, and concepts are added under one condition; give it with "
            "--classes or --condition"
        )
    y = asked_for(sampler, number, options)
    if y is not None and not bool((y == y[:1]).all()):
        raise ValueError("concepts are added under one condition, but several were given; give one for all samples")
    return y


def _images(
    sampler: Sampler,
    terms: Sequence[Term],
    concepts: Sequence[Concept],
    shown: Sequence[Tensor],
    means: Tensor,
    results: Tensor,
) -> Picture:
    """A column for each concept, and the result in the middle of three by three."""
    columns = [
        stacked([_column(items, concept.name, sampler), _column(mean[None], "mean", sampler)])
        for concept, items, mean in zip(concepts, shown, means, strict=True)
    ]
    # As high as the columns.
    size = SHOWN_SIZE * (1 + max(map(len, shown))) // 3
    result = captioned(tiled(tiles(results, sampler.data_spec, size), 3), "result in the middle, with noise around it")
    signs = [SIGNS[term.sign] for term in terms]
    # A plus in front of all goes without saying.
    return signed([*columns, result], [signs[0].strip("+"), *signs[1:], "="])


def _column(items: Tensor, caption: str, sampler: Sampler) -> Picture:
    return captioned(tiled(tiles(items, sampler.data_spec), 1), caption)


def _points(
    sampler: Sampler, concepts: Sequence[Concept], shown: Sequence[Tensor], results: Tensor, seed: int
) -> Picture:
    """The samples of each concept in a colour of their own, and the result, the largest dot, with noise around it."""
    plane = plane_behind(sampler, torch.cat([*shown, results]), seed)
    colours = [COLOURS[number % len(COLOURS)] for number in range(len(concepts))]
    for items, colour in zip(shown, colours, strict=True):
        plane.dots(items, colour, radius=4)
    plane.dots(results, BLACK, radius=2)
    plane.dots(results[[MIDDLE]], BLACK, radius=5)
    plane.legend([*(concept.name for concept in concepts), "result"], [*colours, BLACK])
    return plane.picture()
