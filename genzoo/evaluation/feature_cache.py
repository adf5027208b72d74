"""Features of real data, computed once and kept on disk."""

import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from genzoo.data.cache import ArrayCache, ArrayWriter, default_cache_dir
from genzoo.metrics.extractors.extractor import Embedding, FeatureExtractor
from genzoo.metrics.inputs import require_images
from genzoo.provenance import versions
from genzoo.subsets import choose_some

# How many of the images are looked at anew, to see whether the extractor still sees the same.
TRIED = 8


def fingerprint(images: Tensor) -> str:
    """SHA-256 of the shape and the bytes of images, ``(N, C, H, W)``, or of what is seen in them, in hexadecimal."""
    digest = hashlib.sha256(f"{tuple(images.shape)} ".encode())
    digest.update(np.ascontiguousarray(images.cpu().numpy()).data)
    return digest.hexdigest()


def cached_embedding(images: Tensor, extractor: FeatureExtractor, cache_dir: Path | None = None) -> Embedding:
    """What an extractor sees in images that will be looked at again; made once, then read.

    It is kept under all that it depends on: the images; name, weights and code of the extractor; the versions of the
    packages; and, since code may call other code, what the extractor now sees in a few of the images.

    Args:
        images: ``(N, C, H, W)``, uint8.
        extractor: Whose features are wanted.
        cache_dir: Where it is kept; the folder of genzoo's caches if left out.

    Raises:
        ValueError: If type or shape of the images is wrong.
        OSError: If the folder cannot be written.
    """
    require_images(images, extractor.channels, extractor.size, f"the extractor {extractor.name}")
    key = json.dumps(
        [
            fingerprint(images),
            extractor.name,
            extractor.hash,
            extractor.computation,
            [fingerprint(seen) for seen in extractor(images[choose_some(len(images), TRIED)]) if seen is not None],
            versions(),
        ]
    )
    folder = (cache_dir or default_cache_dir()) / "features" / hashlib.sha256(key.encode()).hexdigest()[:32]
    cache = ArrayCache(folder)

    def make(writer: ArrayWriter) -> None:
        for name, values in extractor(images)._asdict().items():
            if values is not None:
                writer.write(name, values.numpy(), np.float32, tuple(values.shape[1:]))

    cache.ensure(make)
    # Copies: the cache is mapped read-only, which tensors cannot be.
    features, logits = (
        torch.from_numpy(np.array(cache.open(name))) if name == "features" or extractor.number_of_classes else None
        for name in ("features", "logits")
    )
    assert features is not None
    return Embedding(features, logits)
