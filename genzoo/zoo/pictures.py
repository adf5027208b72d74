"""The picture of an entry: what its model makes."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genzoo.drawing import grid, in_pairs, scatter
from genzoo.sampling.capabilities import Encodes
from genzoo.sampling.sampler import Sampler, in_eval_mode
from genzoo.spec import is_image, to_float

COLUMNS, ROWS = 8, 8
POINTS = 2000
SEED = 0


def picture_of(sampler: Sampler, data: Any) -> tuple[NDArray[np.uint8] | None, str]:
    """Samples, or the reconstructions of a model that draws none.

    Args:
        sampler: Of the model.
        data: The data module that it was trained on; None if that is not to be had.

    Returns:
        The picture, uint8 ``(height, width, 3)``, and what it shows. Where it takes data that are not to be had, None
        and an empty text.
    """
    images = is_image(sampler.data_shape)
    # Samples of classes, or of nothing at all, need no data beside them.
    if sampler.can_sample and images and sampler.condition.has_default:
        y = sampler.condition.grid(COLUMNS, None)
        samples = sampler.sample(COLUMNS * ROWS if y is None else len(y), y, SEED)
        rows = "" if y is None else ", one class in a row, in the order of their numbers"
        return grid(samples, sampler.data_spec, COLUMNS), f"Samples with seed {SEED}{rows}."
    examples = _examples(data, COLUMNS * ROWS // 2 if images else POINTS)
    if examples is None:
        return None, ""
    x, labels = examples
    if not sampler.can_sample:
        return _reconstructed(sampler, x, labels)
    y = sampler.condition.given(labels, len(x)) if sampler.condition.shape else None
    samples = sampler.sample(len(x), y, SEED)
    if not images:
        # With a margin beyond the farthest real point, in which samples show that went astray.
        return scatter(samples, 1.25 * float(x.abs().max())), f"{len(x):,} samples with seed {SEED}."
    if y is not None and is_image(y.shape[1:]):
        picture = in_pairs(y, samples, sampler.data_spec, COLUMNS)
        return picture, f"Condition images of the test split, and below each what is sampled of it with seed {SEED}."
    return grid(samples, sampler.data_spec, COLUMNS), f"Samples with seed {SEED}, conditioned as test items are."


def _reconstructed(sampler: Sampler, x: Tensor, labels: Tensor) -> tuple[NDArray[np.uint8] | None, str]:
    if not isinstance(sampler, Encodes):
        return None, ""
    with in_eval_mode(sampler):
        made = sampler.reconstruct(x, labels if sampler.condition.shape else None)
    if not is_image(sampler.data_shape):
        return scatter(made, 1.25 * float(x.abs().max())), "Reconstructed points of the test split."
    picture = in_pairs(x, made, sampler.data_spec, COLUMNS)
    return picture, "Images of the test split, and below each its reconstruction; the model draws no samples."


def _examples(data: Any, number: int) -> tuple[Tensor, Tensor] | None:
    """The first items of the test split and their labels as a model sees them; None if they are not to be had."""
    try:
        data.setup("test")
    # Every data set is absent in a way of its own, and without it an entry lacks no more than its picture.
    except Exception:
        return None
    array = data.array("test")
    batch = array.__getitems__(list(range(min(number, len(array)))))
    x, labels = (to_float(values) if values.dtype == torch.uint8 else values for values in batch)
    return x, labels
