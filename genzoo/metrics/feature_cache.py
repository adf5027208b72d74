"""Features of real data, computed once and kept on disk."""

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from genzoo.data.cache import ArrayCache, ArrayWriter, default_cache_dir
from genzoo.metrics.extractors import Embedding, FeatureExtractor, require_images


def fingerprint(images: Tensor) -> str:
    """SHA-256 of the shape and the bytes of images ``(N, C, H, W)``, uint8, in hexadecimal."""
    digest = hashlib.sha256(f"{tuple(images.shape)} ".encode())
    digest.update(np.ascontiguousarray(images.cpu().numpy()).data)
    return digest.hexdigest()


def cached_embedding(images: Tensor, extractor: FeatureExtractor, cache_dir: Path | None = None) -> Embedding:
    """What an extractor sees in images that will be looked at again; made once, then read.

    It is kept under the fingerprint of the images and name, hash and feature dimension of the extractor.

    Args:
        images: ``(N, C, H, W)``, uint8.
        extractor: Whose features are wanted.
        cache_dir: Where it is kept; the folder of genzoo's caches if left out.

    Raises:
        ValueError: If type or shape of the images is wrong.
        OSError: If the folder cannot be written.
    """
    require_images(images, extractor.channels, extractor.size, f"the extractor {extractor.name}")
    key = f"{fingerprint(images)} {extractor.name} {extractor.hash} {extractor.feature_dim}"
    folder = (cache_dir or default_cache_dir()) / "features" / hashlib.sha256(key.encode()).hexdigest()[:32]
    cache = ArrayCache(folder)

    def make(writer: ArrayWriter) -> None:
        for name, values in extractor(images)._asdict().items():
            if values is not None:
                writer.write(name, values.numpy(), np.float32, tuple(values.shape[1:]))

    cache.ensure(make)
    features, logits = (
        torch.from_numpy(np.array(cache.open(name))) if name == "features" or extractor.number_of_classes else None
        for name in ("features", "logits")
    )
    assert features is not None
    return Embedding(features, logits)
