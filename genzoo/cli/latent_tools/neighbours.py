"""``genzoo latent neighbours``: the training items nearest to samples, to see whether the model repeats them."""

import argparse
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

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
from genzoo.hyperparameters import whole_number
from genzoo.latent.drawn import drawn_neighbours
from genzoo.latent.neighbours import Neighbours, nearest_neighbours
from genzoo.sampling.sampler import Sampler
from genzoo.spec import is_image, to_float, to_native, to_uint8
from genzoo.subsets import choose_some

if TYPE_CHECKING:
    from genzoo.data.arrays import ImageArray
    from genzoo.data.splits import ArrayDataModule

ITEMS_AT_ONCE = 4096
# Of the test set, to compare with.
HELD_OUT = 1000

Represent = Callable[[Tensor], Tensor]


def add_options(parser: PlainParser) -> None:
    """Adds the options of this tool."""
    parser.add_argument("--number", type=int, default=8, help="how many samples (default: %(default)s)")
    parser.add_argument("--nearest", type=int, default=6, help="neighbours of each (default: %(default)s)")
    parser.add_argument(
        "--items", nargs="+", metavar="ITEM", help="in place of samples: image files, or places in the test set"
    )
    parser.add_argument(
        "--features",
        metavar="NAME",
        help="extractor in whose features distances are taken, such as fashion-mnist-plain; left out, in pixels",
    )
    add_data_option(parser)
    add_condition_options(parser)


def draw(sampler: Sampler, options: argparse.Namespace) -> Drawn:
    """Draws a row for each item: itself, then its nearest training items."""
    number, nearest = whole_number("--number", options.number, 1), whole_number("--nearest", options.nearest, 1)
    data = _data(sampler, options)
    represent, space = _space(data, options.features)
    items = (
        _samples(sampler, number, options) if options.items is None else given_items(options.items, sampler, options)
    )
    training, test = data.native_array("train"), data.native_array("test")
    if nearest > len(training):
        raise ValueError(f"--nearest is {nearest}, but there are only {len(training)} training items; ask for fewer")

    def of(searched_for: Tensor, count: int) -> Neighbours:
        return nearest_neighbours(represent(searched_for), _parts(training, represent), count)

    found = of(_as_in_file(items.x, data), nearest)
    held_out = of(test.__getitems__(choose_some(len(test), HELD_OUT).tolist())[0], 1).distances[:, 0]
    of_items, of_held_out = float(found.distances[:, 0].median()), float(held_out.median())
    what = "samples" if options.items is None else "given items"
    sys.stdout.write(
        f"median distance to the nearest training item, in {space}: {of_items:.4g} from {what}, {of_held_out:.4g} from "
        f"{len(held_out)} test items\n"
    )
    record = {
        "distance": f"Euclidean, in {space}",
        "training_items": len(training),
        "median_to_nearest": of_items,
        "held_out": {
            "number": len(held_out),
            "median_to_nearest": of_held_out,
            "lowest": float(held_out.min()),
            "highest": float(held_out.max()),
        },
        "items": _items_of_record(items, found, data, condition_names(sampler, items.y, options)),
    }
    whole: Any = data.parts["train"]
    neighbours = _as_seen(whole.__getitems__(found.places.flatten().tolist())[0]).unflatten(0, found.places.shape)
    # In no order, the first ones are like all.
    behind = _as_seen(training.images[:ITEMS_AT_ONCE])
    return Drawn(drawn_neighbours(sampler, items.x.cpu(), found, neighbours, behind, what), record)


def _data(sampler: Sampler, options: argparse.Namespace) -> "ArrayDataModule":
    """The data of the model, training and test parts loaded."""
    from genzoo.cli.known_data import data_of
    from genzoo.sampling.compatibility import require_same_data

    data = data_of(options.model, options.data, options.allow, sampler.data_spec)
    require_same_data(sampler.data_spec, data.spec, conditional=False)
    data.prepare_data()
    for stage in ("validate", "test"):
        data.setup(stage)
    return data


def _space(data: "ArrayDataModule", features: str | None) -> tuple[Represent, str]:
    """What items as their file has them become, ``(N, D)``, and where their distances are then taken, in words."""
    if not is_image(data.spec["shape"]):
        if features is not None:
            raise ValueError("--features are of images, but this model knows points; leave them out")
        return lambda points: points, "the plane"
    if features is None:
        return lambda images: images.flatten(1).float() / 255.0, "pixels of values in [0, 1]"
    from genzoo.evaluation.suited_extractors import suited_extractors

    (extractor,) = suited_extractors(data, features, "choose one with --features")
    return lambda images: extractor(images).features, f"the features of {extractor.name}"


def _samples(sampler: Sampler, number: int, options: argparse.Namespace) -> Items:
    y = asked_for(sampler, number, options)
    return Items(
        [f"#{place}" for place in range(number)], sampler.sample(number, y, options.seed).as_subclass(Tensor), y
    )


def _parts(training: "ImageArray", represent: Represent) -> Iterator[Tensor]:
    for start in range(0, len(training), ITEMS_AT_ONCE):
        places = list(range(start, min(start + ITEMS_AT_ONCE, len(training))))
        yield represent(training.__getitems__(places)[0])


def _as_in_file(x: Tensor, data: "ArrayDataModule") -> Tensor:
    """Images as bytes in native size; points as they are."""
    return to_uint8(to_native(x.cpu(), data.spec)) if is_image(data.spec["shape"]) else x.cpu()


def _as_seen(items: Any) -> Tensor:
    """Images as floats in [-1, 1]; points as they are."""
    values = torch.as_tensor(items)
    return to_float(values) if values.dtype == torch.uint8 else values


def _items_of_record(
    items: Items, found: Neighbours, data: "ArrayDataModule", conditions: list[str] | str | None
) -> list[dict[str, Any]]:
    labels = data.labels("train")[found.places.numpy()]
    has_classes = labels.ndim == 2 and len(data.class_names) > 0
    # The last name of all is that of a missing label, -1.
    names = [*data.class_names, "unknown"]
    return [
        {"item": name}
        | ({"condition": conditions[row]} if isinstance(conditions, list) else {})
        | {"places": found.places[row].tolist(), "distances": found.distances[row].tolist()}
        | ({"classes": [names[label] for label in labels[row]]} if has_classes else {})
        for row, name in enumerate(items.names)
    ]
