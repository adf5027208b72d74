"""What samples shall depend on, as it is written on the command line: classes, or a file of conditions."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from genzoo.sampling.conditions import ClassCondition, Condition, ImageCondition
from genzoo.sampling.given import number_of_class
from genzoo.sampling.sampler import Sampler
from genzoo.spec import to_float, to_size


def asked_labels(sampler: Sampler, number: int, classes: str | None, file: str | None) -> Tensor | None:
    """What each sample depends on.

    Args:
        sampler: Draws the samples.
        number: N, how many there are.
        classes: Numbers or names of classes, with commas between them, names in letters of either case. They come in
            turn: sample i is of the (i mod K)-th of K classes.
        file: A ``.npy`` file of what the condition takes, one for all or one for each: vectors, tokens, images in
            [-1, 1] in the size that the model sees, or classes by their numbers. Of a condition image also a picture,
            in that size or the native one.

    Returns:
        Labels of N items, in the form in which a batch has them; all classes in turn where none are asked for.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If they do not fit the model, or are missing.
    """
    condition = sampler.condition
    if classes is not None and file is not None:
        raise ValueError("--classes and --condition were both given; give one of them")
    if classes is not None:
        return _classes(classes, number, condition)
    if file is not None:
        return _conditions(Path(file), number, sampler)
    if not condition.has_default:
        raise ValueError(
            f"this model depends on {condition}; give one for all samples, or one for each, with --condition FILE.npy"
        )
    return condition.given(None, number)


def _classes(text: str, number: int, condition: Condition) -> Tensor:
    if not isinstance(condition, ClassCondition):
        remedy = "give them with --condition FILE.npy" if condition.shape else "leave --classes out"
        raise ValueError(f"this model depends on {condition}, not on classes; {remedy}")
    chosen = [_class_number(name.strip(), condition.class_names) for name in text.split(",")]
    return torch.tensor(chosen)[torch.arange(number) % len(chosen)]


def _class_number(asked: str, class_names: Sequence[str]) -> int:
    """The number of a class that is called by it, or by its name."""
    # Names first, since they may be numbers themselves.
    if asked in class_names or not re.fullmatch(r"-?\d+", asked):
        return number_of_class(asked, class_names)
    if 0 <= int(asked) < len(class_names):
        return int(asked)
    raise ValueError(
        f"there is no class {asked}: the {len(class_names)} classes of this model have the numbers 0 to "
        f"{len(class_names) - 1}; correct --classes"
    )


def _conditions(path: Path, number: int, sampler: Sampler) -> Tensor:
    condition = sampler.condition
    if not condition.shape:
        raise ValueError("this model is unconditional; leave --condition out")
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; correct --condition")
    is_picture = isinstance(condition, ImageCondition) and path.suffix.lower() != ".npy"
    given = _read_picture(path, sampler) if is_picture else _read_array(path)
    try:
        labels = condition.given(given, number)
    except ValueError as error:
        raise ValueError(f"--condition {path} does not fit {number} samples of this model: {error}") from error
    assert labels is not None
    return labels


def _read_array(path: Path) -> NDArray[Any]:
    """The one array of a file; Python objects in it are not loaded, since that may run anything."""
    try:
        # Mapped: what is not asked for does not have to fit into memory. "c" lets torch take it as its own.
        found = np.load(path, mmap_mode="c", allow_pickle=False)
    except PermissionError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}); give the right to read it") from error
    # On what is none of its files, NumPy raises almost anything.
    except Exception as error:
        raise ValueError(
            f"{path} is no .npy file of numbers: it is damaged, of another kind, or holds Python objects, none of "
            "which were loaded; save the conditions with numpy.save"
        ) from error
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "biuf":
        raise ValueError(f"{path} holds no single array of numbers; save the conditions with numpy.save")
    return np.asarray(found)


def _read_picture(path: Path, sampler: Sampler) -> Tensor:
    """A picture as a condition image ``(C, H, W)``, floats in [-1, 1]."""
    channels, size, _ = sampler.condition.shape
    native_size = sampler.data_spec.get("native_size", size)
    try:
        with Image.open(path) as opened:
            image = opened.convert("L" if channels == 1 else "RGB")
    except Exception as error:
        raise ValueError(
            f"{path} is neither a .npy file nor a picture that can be read; give condition images as one of these"
        ) from error
    if image.width != image.height or image.width not in (size, native_size):
        wanted = " or ".join(f"{each} x {each}" for each in dict.fromkeys((native_size, size)))
        raise ValueError(
            f"{path} has {image.width} x {image.height} pixels, but condition images of this model have {wanted}; "
            "resize it"
        )
    planes = torch.from_numpy(np.array(image)).view(1, image.height, image.width, -1).permute(0, 3, 1, 2)
    return to_float(to_size(planes, native_size, size) if image.width == native_size else planes)[0]
