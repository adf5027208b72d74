"""What scores compare: samples of a model, and the data as a model and as its file have them."""

import torch
from torch import Tensor

from genzoo.data.splits import ArrayDataModule, Part
from genzoo.metrics.extractors import FeatureExtractor
from genzoo.metrics.feature_cache import cached_embedding
from genzoo.metrics.memorisation import nearest_training_images
from genzoo.metrics.selection import conditions_like
from genzoo.models.base import GenerativeModel
from genzoo.spec import to_float, to_native, to_uint8


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
    samples = model.sample(number, conditions_like(data.labels(part), number) if model.condition_dim else None, seed)
    if not samples.isfinite().all():
        raise ValueError("some samples are not finite numbers; look at the weights of the checkpoint")
    return samples


def drawn(model: GenerativeModel, data: ArrayDataModule, number: int, seed: int, part: Part = "test") -> Tensor:
    """`sampled` images as bytes in the native size of the data, ``(number, C, H, W)``."""
    return to_uint8(to_native(sampled(model, data, number, seed, part), data.spec)).cpu()


def beside_nearest(samples: Tensor, training: Tensor, extractor: FeatureExtractor, number: int) -> Tensor:
    """Samples, each in front of the training images nearest to it in features.

    Args:
        samples: ``(N, C, H, W)``, uint8.
        training: ``(M, C, H, W)``, uint8.
        extractor: In whose features they are compared.
        number: k, how many training images; all if there are fewer.

    Returns:
        Rows of images, ``(N, 1 + k, C, H, W)``, uint8.
    """
    features, known = extractor(samples).features, cached_embedding(training, extractor).features
    places, _ = nearest_training_images(features, known, min(number, len(training)))
    return torch.cat([samples[:, None], training[places]], dim=1)


def as_model_sees(data: ArrayDataModule, part: Part) -> Tensor:
    """All items of a part as a model sees them, float32."""
    array = data.array(part)
    items = torch.from_numpy(array.images[:])
    return to_float(items) if items.dtype == torch.uint8 else items


def in_native_size(x: Tensor, data: ArrayDataModule) -> Tensor:
    """Images as a model sees them, ``(N, C, H, W)`` in [-1, 1], in the native size of the data."""
    # Resizing may overstep the range by a rounding error.
    return to_native(x, data.spec).clamp(-1.0, 1.0)


def classes_of(data: ArrayDataModule, part: Part) -> Tensor:
    """The classes of a part, ``(N,)``, int64."""
    return torch.from_numpy(data.labels(part))
