"""The images, or points, that a tool of ``genzoo latent`` is given, and what its pictures depend on."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from genzoo.cli.plain_parser import PlainParser
from genzoo.sampling.conditions import ClassCondition
from genzoo.sampling.sampler import Sampler
from genzoo.spec import is_image, to_float, to_size


@dataclass(frozen=True)
class Items:
    """Items as a sampler sees them.

    Attributes:
        names: What the command line calls each: its place in the test set, or a file.
        x: ``(N, *data_shape)``, images in [-1, 1].
        y: Their labels as the data have them, where the sampler depends on them; else None.
    """

    names: list[str]
    x: Tensor
    y: Tensor | None


def add_data_option(parser: PlainParser) -> None:
    """Adds ``--data``, which all that reads the test set looks at."""
    parser.add_argument(
        "--data",
        metavar="NAME",
        help="data set, or a config of one, whose test set is meant; left out, the one that the model was trained on",
    )


def add_condition_options(parser: PlainParser) -> None:
    """Adds ``--classes`` and ``--condition``, which `asked_for` and `given_items` look at."""
    parser.add_argument("--classes", help="classes that come in turn, by number or name: 3,7 or sneaker,bag")
    parser.add_argument(
        "--condition",
        metavar="FILE",
        help="vectors, tokens or condition images: .npy, one for all or one for each; a condition image as PNG, too",
    )


def asked_for(sampler: Sampler, number: int, options: argparse.Namespace) -> Tensor | None:
    """What pictures depend on, as ``--classes`` or ``--condition`` say it.

    Args:
        sampler: What makes them.
        number: How many conditions are wanted.
        options: With ``classes`` and ``condition``.

    Returns:
        Labels such as the data have, ``(number, ...)``: where neither option is given, all classes in turn; None for
        unconditional samplers.

    Raises:
        ValueError: If they do not fit the model, or are missing.
    """
    from genzoo.cli.asked_conditions import asked_labels

    labels: Tensor | None = asked_labels(sampler, number, options.classes, options.condition)
    return labels


def condition_names(sampler: Sampler, y: Tensor | None, options: argparse.Namespace) -> list[str] | str | None:
    """What pictures depend on, for the record: names of classes, or the file that holds the conditions."""
    if y is None or not isinstance(sampler.condition, ClassCondition):
        file: str | None = options.condition
        return file
    # The last name of all is that of a missing label, -1.
    names = [*sampler.condition.class_names, "unknown"]
    return [names[int(label)] for label in y]


def given_items(names: Sequence[str], sampler: Sampler, options: argparse.Namespace) -> Items:
    """The items that a command line names, with the labels that it names, or else those of the test set.

    Args:
        names: Each the place of an item in the test set, from 0, or an image file, which is brought to the size of
            the model: the shorter side resized, the middle of the longer one.
        sampler: What they are for.
        options: With ``model``, ``data``, ``allow``, ``classes`` and ``condition``.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a file is no image, a place is not in the test set, or labels of files are missing.
    """
    names = [str(int(name)) if name.isdecimal() else name for name in names]
    places = list(dict.fromkeys(int(name) for name in names if name.isdecimal()))
    files = [name for name in names if not name.isdecimal()]
    if files and not is_image(sampler.data_shape):
        raise ValueError(f"'{files[0]}' is no place in the test set, and this model knows points, not image files")
    is_labelled = options.classes is not None or options.condition is not None
    if files and sampler.condition.shape and not is_labelled:
        raise ValueError(
            f"this model depends on {sampler.condition}, which image files do not say; name them with --classes or "
            "--condition"
        )
    found = {file: _read(file, sampler) for file in files}
    y = asked_for(sampler, len(names), options) if is_labelled else None
    if places:
        x, labels = items_of_test_set(places, sampler, options)
        found |= {str(place): item for place, item in zip(places, x, strict=True)}
        if sampler.condition.shape and y is None:
            y = labels[[places.index(int(name)) for name in names]]
    return Items(names, torch.stack([found[name] for name in names]), y)


def items_of_test_set(
    places: Sequence[int] | range, sampler: Sampler, options: argparse.Namespace
) -> tuple[Tensor, Tensor]:
    """Items of the test set as the sampler sees them, and their labels as the data have them.

    Args:
        places: Which, from 0; of a range, those that there are.
        sampler: What they are for.
        options: With ``model``, ``data`` and ``allow``.

    Raises:
        ValueError: If a place is not in the test set, or the data are not those of the model.
    """
    from genzoo.cli.known_data import data_of
    from genzoo.sampling.compatibility import require_same_data

    data = data_of(options.model, options.data, options.allow, sampler.data_spec)
    require_same_data(sampler.data_spec, data.spec, bool(sampler.condition.shape))
    data.prepare_data()
    data.setup("test")
    array = data.array("test")
    chosen = list(places)[: len(array)] if isinstance(places, range) else list(places)
    if wrong := [place for place in chosen if place >= len(array)]:
        raise ValueError(
            f"the test set of {type(data).__name__} has {len(array)} items, whose places are 0 to {len(array) - 1}, "
            f"but {wrong[0]} was asked for"
        )
    x, y = (to_float(v) if v.dtype == torch.uint8 else v for v in array.__getitems__(chosen))
    return x, y


def _read(file: str, sampler: Sampler) -> Tensor:
    """An image file as a sampler sees it, ``(C, H, W)`` in [-1, 1]."""
    from genzoo.data.decoding import read_image

    if not Path(file).exists():
        raise FileNotFoundError(f"there is no file {file}; give an image file, or the place of an item in the test set")
    channels, size, _ = sampler.data_shape
    native_size = sampler.data_spec.get("native_size", size)
    image = torch.tensor(read_image(file, native_size, channels))
    return to_float(to_size(image[None], native_size, size))[0]
