"""The images, or points, that a tool of ``genzoo latent`` is given, and what its pictures depend on."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from genzoo.cli.plain_parser import PlainParser
from genzoo.sampling.compatibility import require_same_data
from genzoo.sampling.conditions import ClassCondition, ImageCondition
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
    """Adds ``--classes`` and ``--conditions``, which `given_conditions` looks at."""
    parser.add_argument("--classes", nargs="+", metavar="CLASS", help="by number or name: one for all, or one for each")
    parser.add_argument(
        "--conditions",
        nargs="+",
        metavar="PLACE",
        help="for models that depend on other things than classes: places in the test set whose conditions are taken, "
        "or files of condition images; one for all, or one for each",
    )


def given_items(names: Sequence[str], sampler: Sampler, options: argparse.Namespace) -> Items:
    """The items that a command line names.

    Args:
        names: Each the place of an item in the test set, from 0, or an image file, which is brought to the size of
            the model: the shorter side resized, the middle of the longer one.
        sampler: What they are for.
        options: With ``model``, ``data``, ``classes`` and ``conditions``.

    Raises:
        ValueError: If a file is no image, a place is not in the test set, or labels of files are missing.
    """
    names = [_plain(name) for name in names]
    places, files = _places_and_files(names)
    items = items_at(places, sampler, options)
    found = dict(zip(items.names, items.x, strict=True))
    if files and not is_image(sampler.data_shape):
        raise ValueError(f"'{files[0]}' is no place in the test set, and this model knows points, not image files")
    found |= {file: read_as_seen(file, sampler.data_shape, _native_size(sampler)) for file in files}
    y = items.y
    if sampler.condition.shape and (files or options.classes or options.conditions):
        y = given_conditions(sampler, options, len(names))
        if y is None:
            raise ValueError("this model depends on labels, which image files do not have; give them with --classes")
    elif y is not None:
        y = y[[places.index(int(name)) for name in names]]
    return Items(names, torch.stack([found[name] for name in names]), y)


def items_at(places: Sequence[int], sampler: Sampler, options: argparse.Namespace) -> Items:
    """Items of the test set.

    Args:
        places: Which, from 0.
        sampler: What they are for.
        options: With ``model`` and ``data``.

    Raises:
        ValueError: If a place is not in the test set, or the data are not those of the model.
    """
    if not places:
        return Items([], torch.empty(0, *sampler.data_shape), None)
    from genzoo.cli.known_data import data_of

    data = data_of(options.model, options.data)
    require_same_data(sampler.data_spec, data.spec, bool(sampler.condition.shape))
    data.prepare_data()
    data.setup("test")
    array = data.array("test")
    if wrong := [place for place in places if place >= len(array)]:
        raise ValueError(
            f"the test set of {type(data).__name__} has {len(array)} items, whose places are 0 to {len(array) - 1}, "
            f"but {wrong[0]} was asked for"
        )
    x, y = (_as_seen(values) for values in array.__getitems__(places))
    return Items([str(place) for place in places], x, y if sampler.condition.shape else None)


def given_conditions(sampler: Sampler, options: argparse.Namespace, number: int) -> Tensor | None:
    """What pictures depend on, as ``--classes`` or ``--conditions`` say it.

    Args:
        sampler: What makes them.
        options: With ``model``, ``data``, ``classes`` and ``conditions``.
        number: How many conditions are wanted: one was given for all, or one for each.

    Returns:
        Labels such as the data have, ``(number, ...)``; None if neither option is given.

    Raises:
        ValueError: If they do not fit the model.
    """
    if options.classes is not None:
        if not isinstance(sampler.condition, ClassCondition):
            raise ValueError(f"--classes is for models that depend on classes, but this one has {sampler.condition}")
        classes = [int(name) if name.isdecimal() else name for name in options.classes]
        return sampler.condition.given(classes[0] if len(classes) == 1 else classes, number)
    if options.conditions is None:
        return None
    if not sampler.condition.shape or isinstance(sampler.condition, ClassCondition):
        raise ValueError(
            f"--conditions is for models that depend on other things than classes, but this one has {sampler.condition}"
        )
    names = [_plain(name) for name in options.conditions]
    places, files = _places_and_files(names)
    labels = items_at(places, sampler, options).y
    found = {} if labels is None else {str(place): label for place, label in zip(places, labels, strict=True)}
    if files and not isinstance(sampler.condition, ImageCondition):
        raise ValueError(f"'{files[0]}' is no place in the test set, from which conditions of this model are taken")
    found |= {file: read_as_seen(file, sampler.condition.shape, _native_size(sampler)) for file in files}
    chosen = torch.stack([found[name] for name in names])
    return sampler.condition.given(chosen[0] if len(chosen) == 1 else chosen, number)


def read_as_seen(file: str, shape: tuple[int, ...], native_size: int) -> Tensor:
    """Reads an image file as a model sees it.

    Args:
        file: Any image file; its shorter side is resized to the native size, the middle of the longer one taken.
        shape: ``(C, H, W)`` of the images of the model.
        native_size: Of its data.

    Returns:
        ``(C, H, W)`` in [-1, 1].

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no image.
    """
    from genzoo.data.decoding import read_image

    if not Path(file).exists():
        raise FileNotFoundError(
            f"there is no file '{file}'; give an image file, or the place of an item in the test set"
        )
    image = torch.from_numpy(read_image(file, native_size, shape[0]))
    return to_float(to_size(image[None], native_size, shape[-1]))[0]


def _plain(name: str) -> str:
    """A place without zeros in front; a file as it is."""
    return str(int(name)) if name.isdecimal() else name


def _places_and_files(names: Sequence[str]) -> tuple[list[int], list[str]]:
    """Whole numbers, each once, and all else."""
    places = dict.fromkeys(int(name) for name in names if name.isdecimal())
    return list(places), [name for name in names if not name.isdecimal()]


def _native_size(sampler: Sampler) -> int:
    return sampler.data_spec.get("native_size", sampler.data_spec["shape"][-1])


def _as_seen(values: Tensor) -> Tensor:
    """Images, and conditions that are images, as floats in [-1, 1]; all others as they are."""
    return to_float(values) if values.dtype == torch.uint8 else values
