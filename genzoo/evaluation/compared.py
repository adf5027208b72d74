"""What scores compare: samples of a model, and the data as a model and as its file have them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genzoo.data.splits import PARTS_IN_WORDS, ArrayDataModule, Part
from genzoo.provenance import Plain, command, versions
from genzoo.spec import is_image, to_float, to_native, to_uint8, way_to_native
from genzoo.training.model import GenerativeModel

# One device computes the scores, while torchmetrics would have it wait for the others.
UNSYNCHRONISED: dict[str, Any] = {"sync_on_compute": False}


@dataclass(frozen=True)
class Comparison:
    """A trained model, the data that it is compared with, and how: what every group of scores is given.

    Args:
        model: What is scored.
        data: What it is compared with. Its training, validation and test parts are loaded before scores are computed.
        number: How many samples; None: as many as the group takes by itself, for images as many as there are test
            images.
        extractor: As for `extractors_for`.
        likelihood_samples: How many importance samples each image gets.
        conditional_number: On how many generated images classifiers are trained; None: as many as there are training
            images.
        seed: Of samples and of the noise of likelihoods.
        pictures: Those that belong to scores, uint8, ``(height, width, 3)``, by name; groups add theirs.
    """

    model: GenerativeModel
    data: ArrayDataModule
    number: int | None = None
    extractor: str | None = None
    likelihood_samples: int = 500
    conditional_number: int | None = None
    seed: int = 0
    pictures: dict[str, NDArray[np.uint8]] = field(default_factory=dict)

    def samples(self, number: int, part: Part = "test") -> Tensor:
        """Images of the model as bytes in native size, ``(number, C, H, W)``, conditioned as a part of the data is."""
        return drawn(self.model, self.data, number, self.seed, part)

    def protocol(self, conditions: Part | None = None) -> dict[str, Plain]:
        """What every score depends on.

        Args:
            conditions: Of samples, the part of the data that has their conditions; None for scores without samples.
        """
        protocol: dict[str, Plain] = {
            "model": type(self.model).__name__,
            "data": type(self.data).__name__,
            "split": "test",
            "weights": self.model.best_weights,
            "seed": self.seed,
            "command": command(),
            **versions(),
        }
        if is_image(self.model.data_shape):
            protocol |= size_protocol(self.data) | {"samples_to_native_size": way_to_native(self.data.spec)}
        if conditions is not None and self.model.condition.shape:
            protocol["conditions"] = f"those of the {PARTS_IN_WORDS[conditions]} images, in their shares"
        return protocol


def sampled(model: GenerativeModel, data: ArrayDataModule, number: int, seed: int, part: Part = "test") -> Tensor:
    """Samples of a model as it gives them, ``(number, *data_shape)``.

    Args:
        model: What draws them.
        data: What they are compared with.
        number: How many.
        seed: Of the noise.
        part: Of the data, that a conditional model takes its conditions from.

    Raises:
        ValueError: If they are not finite.
    """
    samples = model.sample(number, conditions_for(model, data, number, part), seed)
    if not samples.isfinite().all():
        raise ValueError("some samples are not finite numbers; look at the weights of the checkpoint")
    return samples


def drawn(model: GenerativeModel, data: ArrayDataModule, number: int, seed: int, part: Part = "test") -> Tensor:
    """`sampled` images as bytes in the native size of the data, ``(number, C, H, W)``."""
    return to_uint8(to_native(sampled(model, data, number, seed, part), data.spec)).cpu()


def conditions_for(model: GenerativeModel, data: ArrayDataModule, number: int, part: Part = "test") -> Tensor | None:
    """The conditions under which a model's samples are compared with a part of the data; None for no conditions."""
    return model.condition.like(data.labels(part), number)


def batches_seen(data: ArrayDataModule, part: Part, number: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The items of a part and their labels as a model sees them, in order.

    Args:
        data: The data set.
        part: Its name.
        number: Items at once.
    """
    array = data.array(part)
    for start in range(0, len(array), number):
        x, y = array.__getitems__(range(start, min(start + number, len(array))))
        yield _as_seen(x), _as_seen(y)


def as_model_sees(data: ArrayDataModule, part: Part) -> Tensor:
    """All items of a part as a model sees them, float32."""
    array = data.array(part)
    return _as_seen(torch.from_numpy(array.images[:]))


def _as_seen(values: Tensor) -> Tensor:
    """Images, and conditions that are images, as floats in [-1, 1]; all others as they are."""
    return to_float(values) if values.dtype == torch.uint8 else values


def in_native_size(x: Tensor, data: ArrayDataModule) -> Tensor:
    """Images as a model sees them, ``(N, C, H, W)`` in [-1, 1], in the native size of the data."""
    # Resizing may overstep the range by a rounding error.
    return to_native(x, data.spec).clamp(-1.0, 1.0)


def classes_of(data: ArrayDataModule, part: Part) -> Tensor:
    """The classes of a part, ``(N,)``, int64."""
    return torch.from_numpy(data.labels(part))


def real_images(data: ArrayDataModule, part: Part) -> Tensor:
    """The images of a part that is loaded, ``(N, C, H, W)``, uint8: the pixels of its file, not what a model sees."""
    return torch.from_numpy(data.native_array(part).images)


def size_protocol(data: ArrayDataModule) -> dict[str, Plain]:
    """For the protocol of a score: in which size a model sees the images, and in which they are compared."""
    size = data.spec["shape"][-1]
    return {"image_size": size, "native_size": data.spec.get("native_size", size)}
