"""``genzoo evaluate``: scores of images from anywhere, a folder or an array, against a data set."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jsonargparse import Namespace
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor

from genzoo.cli.configs import require_configs, with_present_names, with_shipped_configs
from genzoo.cli.errors import Parser, answer
from genzoo.cli.order import in_order
from genzoo.data.decoding import open_image, planes_of
from genzoo.data.folders import content_of, report_left_out, require_images
from genzoo.data.images import ImageDataModule
from genzoo.data.splits import ArrayDataModule
from genzoo.evaluation.classes import accuracy_of
from genzoo.evaluation.compared import real_images, size_protocol
from genzoo.evaluation.score import Score, score_table, write_scores
from genzoo.evaluation.suite import score_samples
from genzoo.evaluation.suited_extractors import suited_extractors
from genzoo.metrics.classification_accuracy import NearestNeighbourAccuracy
from genzoo.metrics.extractors.extractor import FeatureExtractor
from genzoo.provenance import Plain, command, versions


def evaluate(arguments: Sequence[str]) -> int:
    """Scores images with the metrics of `score_samples` and, if they have labels, by what can be learnt from them.

    Args:
        arguments: What follows ``genzoo evaluate``.

    Returns:
        The exit code: 0, or 1 after a failure that has been said. Misuse ends the program with 2, before anything is
        scored.
    """
    parser = Parser(prog="genzoo evaluate", description="Scores images against a data set.")
    parser.add_argument("--config", action="config", help="Config with settings of the data, such as configs/data/*.")
    parser.add_argument("samples", type=str, help="Folder of images, or a .npz or .npy file of them, uint8.")
    parser.add_subclass_arguments(ArrayDataModule, "data", required=True)
    parser.add_argument("--extractor", type=str | None, default=None, help="As for Evaluation.extractor.")
    parser.add_argument(
        "--output",
        type=str | None,
        default=None,
        help="JSON file that is not there yet; SAMPLES.scores.json, or the next free number, if left out.",
    )
    arguments = in_order(with_shipped_configs(with_present_names(list(arguments))))
    try:
        require_configs(arguments)
        settings = parser.instantiate_classes(parser.parse_args(arguments))
        if not isinstance(settings.data, ImageDataModule):
            raise ValueError(f"{type(settings.data).__name__} holds no images to compare with; choose other --data")
        samples, labels = read_samples(Path(settings.samples), settings.data)
        output = _place_of_scores(settings.output, settings.samples)
        extractors = suited_extractors(settings.data, settings.extractor, "choose one with --extractor")
    except Exception as error:
        return answer(error, has_begun=False)
    try:
        scores = _scored(settings, samples, labels, extractors)
        sys.stdout.write(f"{score_table(scores)}\n\n")
        write_scores(scores, output)
    except Exception as error:
        return answer(error, has_begun=True)
    sys.stdout.write(f"written to {output}\n")
    return 0


def _place_of_scores(output: str | None, samples: str) -> Path:
    """The file that scores will be written to, which can be made and is not there yet."""
    path, number = Path(output or f"{samples.rstrip('/')}.scores.json"), 1
    while not output and path.exists():
        number += 1
        path = Path(f"{samples.rstrip('/')}.scores_{number}.json")
    # Made, and removed below: whether it can be written shows now, not after the scores were computed.
    try:
        path.open("x").close()
    except FileExistsError:
        raise FileExistsError(f"{path} is there already and is not overwritten; choose another --output") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be written ({error.strerror}); choose another --output") from error
    path.unlink()
    return path


def _scored(
    settings: Namespace, samples: Tensor, labels: Tensor | None, extractors: Sequence[FeatureExtractor]
) -> list[Score]:
    data: ImageDataModule = settings.data
    data.prepare_data()
    for stage in ("fit", "test"):
        data.setup(stage)
    real, training = real_images(data, "test"), real_images(data, "train")
    protocol: dict[str, Plain] = {
        "samples": settings.samples,
        "data": type(data).__name__,
        "split": "test",
        "command": command(),
        **size_protocol(data),
        "samples_to_native_size": "as they are",
    }
    by_extractor = (score_samples(samples, real, extractor, training, protocol) for extractor in extractors)
    scores = list({score.name: score for group in by_extractor for score in group}.values())
    if labels is not None:
        record = protocol | versions() | {"number_fake": len(samples), "number_real": len(real)}
        truth, training_labels = (torch.from_numpy(data.labels(part)) for part in ("test", "train"))
        value, floor = (
            accuracy_of(NearestNeighbourAccuracy(), *pair, real, truth)
            for pair in ((samples, labels), (training, training_labels))
        )
        scores.append(Score("nearest_neighbour_accuracy", value, floor, True, record))
    return scores


def read_samples(path: Path, data: ImageDataModule) -> tuple[Tensor, Tensor | None]:
    """Reads images as they are, without resizing.

    Args:
        path: A folder of image files; or a ``.npy`` file of images, or a ``.npz`` file with one such array, or with
            ``samples`` and ``labels``. Arrays are uint8, ``(N, H, W)``, ``(N, C, H, W)`` or ``(N, H, W, C)``.
        data: Whose channels and native size the images should have.

    Returns:
        Images ``(N, C, H, W)``, uint8, and their labels ``(N,)``, int64, if there are any.

    Raises:
        FileNotFoundError: If there is nothing.
        ValueError: If it is something else, or images or labels do not go with the data.
    """
    if path.is_dir():
        return _read_folder(path, data), None
    if not path.exists():
        raise FileNotFoundError(f"there is no file or folder {path}; give a folder of images, or a .npz or .npy file")
    if path.suffix not in (".npz", ".npy") or not path.is_file():
        raise ValueError(f"{path} is neither a folder nor a .npz or .npy file; save images in one of these")
    arrays = _read_arrays(path)
    labels = arrays.pop("labels", arrays.pop("label", None))
    if "samples" not in arrays and len(arrays) != 1:
        found = f"holds {', '.join(arrays)}" if arrays else "holds no images"
        raise ValueError(f"{path} {found}; call the array of images samples")
    images = arrays["samples"] if "samples" in arrays else arrays.popitem()[1]
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise ValueError(
            f"{path} holds {images.dtype} images of shape {images.shape}, but expected uint8 in [0, 255] of shape "
            "(N, H, W), (N, C, H, W) or (N, H, W, C); bring images in [-1, 1] there with genzoo.spec.to_uint8"
        )
    if images.ndim == 3:
        images = images[:, None]
    elif images.shape[1] != data.channels and images.shape[-1] == data.channels:
        images = np.moveaxis(images, -1, 1)
    if not len(images):
        raise ValueError(f"{path} holds 0 images, where at least one was expected; save some in it")
    expected = (data.channels, data.native_size, data.native_size)
    if images.shape[1:] != expected:
        raise ValueError(
            f"{path} holds images of shape {images.shape[1:]}, but {type(data).__name__} has {expected}; samples are "
            "compared as they are, so bring them to the native size of the data with genzoo.spec.to_native"
        )
    return torch.from_numpy(images.copy()), None if labels is None else _classes(labels, len(images), path, data)


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a file of NumPy's, by name; Python objects in it are not loaded, since that may run anything."""
    try:
        found = np.load(path, allow_pickle=False)
        if isinstance(found, np.ndarray):
            return {"samples": found}
        with found:
            return dict(found)
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror or error}); give another file") from error
    # On what is none of their files, NumPy and zipfile raise almost anything.
    except Exception as error:
        raise ValueError(
            f"{path} is damaged, or holds Python objects where numbers were expected; save images of type uint8 with "
            "numpy.save or numpy.savez"
        ) from error


def _classes(labels: NDArray[Any], number: int, path: Path, data: ImageDataModule) -> Tensor:
    """The labels of images, ``(N,)``, int64, each the place of a class among those of the data."""
    source, count = type(data).__name__, len(data.class_names)
    if labels.shape != (number,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"{path} has {labels.dtype} labels of shape {labels.shape} for {number} images; give one whole number for "
            "each"
        )
    if not count:
        raise ValueError(f"{path} has labels, but {source} has no classes; leave the labels out")
    if len(wrong := np.flatnonzero((labels < 0) | (labels >= count))):
        raise ValueError(
            f"{path} has label {labels[wrong[0]]} at place {wrong[0]}, but the {count} classes of {source} have labels "
            f"from 0 to {count - 1}; correct the labels"
        )
    return torch.from_numpy(labels.astype(np.int64))


def _read_folder(folder: Path, data: ImageDataModule) -> Tensor:
    content = content_of(folder)
    require_images(folder, content)
    images, size = [], data.spec.get("native_size", data.spec["shape"][-1])
    for path in track(content.images, "Reading samples"):
        image = open_image(folder / path, data.channels)
        if image.size != (size, size):
            raise ValueError(
                f"{folder / path} has {image.width} x {image.height} pixels, but {type(data).__name__} has {size} x "
                f"{size}; samples are compared as they are, so save them in the size of the data"
            )
        images.append(planes_of(image))
    report_left_out(folder, content.left_out)
    return torch.from_numpy(np.stack(images))
