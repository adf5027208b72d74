"""All scores of a set of samples in the features of one extractor, each beside what real data get."""

import logging
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor
from torchmetrics import Metric

from genzoo.evaluation.compared import UNSYNCHRONISED
from genzoo.evaluation.feature_cache import cached_embedding
from genzoo.evaluation.score import Score
from genzoo.metrics.authenticity import Authenticity
from genzoo.metrics.diversity import PairwiseDiversity
from genzoo.metrics.extractors.extractor import INCEPTION, Embedding, FeatureExtractor
from genzoo.metrics.frechet import ExtrapolatedFrechetDistance, FrechetDistance
from genzoo.metrics.inception_score import ClassScore
from genzoo.metrics.inputs import TooFewSamplesError
from genzoo.metrics.kernel import KernelDistance
from genzoo.metrics.precision_recall import PrecisionRecall
from genzoo.metrics.sharpness import Sharpness
from genzoo.provenance import Plain, versions
from genzoo.subsets import choose_some

logger = logging.getLogger(__name__)

# What is better, high or low; neither where it is not named.
HIGHER_IS_BETTER = {
    "frechet": False,
    "frechet_infinity": False,
    "kernel_distance": False,
    "precision": True,
    "recall": True,
    "density": True,
    "coverage": True,
    "class_score": True,
    "authenticity": True,
}

# k, and those of Kynkaanniemi et al. 2019 and Naeem et al. 2020, whose scores have other values for another k.
NEIGHBOURS = 5
PAPERS_NEIGHBOURS = {"precision": 3, "recall": 3, "density": 5, "coverage": 5}

INCEPTION_NAMES = {"frechet": "fid", "kernel_distance": "kid", "class_score": "inception_score"}


def score_samples(
    samples: Tensor,
    real: Tensor,
    extractor: FeatureExtractor,
    training: Tensor | None = None,
    protocol: Mapping[str, Plain] | None = None,
    cache_dir: Path | None = None,
) -> list[Score]:
    """Scores generated images by all metrics of distances, coverage, diversity, sharpness and memorisation.

    A score for which there are too few samples is left out, with a warning in the log. Floors are what a fixed choice
    of as many training images gets in place of the samples, and for authenticity what the real test images get.

    Args:
        samples: Generated images, ``(N, C, H, W)``, uint8 in native size.
        real: Test images, ``(M, C, H, W)``, uint8.
        extractor: Whose features are compared.
        training: The images the model was trained on, ``(K, C, H, W)``, uint8; without them there are no floors
            and no authenticity.
        protocol: What else belongs to the record: split, raw or averaged weights, seed, command.
        cache_dir: Where features of real images are kept; the folder of genzoo's caches if left out.

    Returns:
        ``fd/<extractor>`` (``fid`` for Inception-v3) and others, ``<name>/<extractor>``; ``sharpness``.

    Raises:
        ValueError: If type or shape of the images is wrong, or samples and data differ in shape.
    """
    if samples.shape[1:] != real.shape[1:]:
        raise ValueError(
            f"the samples have shape {tuple(samples.shape[1:])}, but the data {tuple(real.shape[1:])}; bring samples "
            "to the native size of the data with genzoo.spec.to_native"
        )
    seen, reference = extractor(samples), cached_embedding(real, extractor, cache_dir)
    values = sample_values(samples, seen, reference.features)
    floors: dict[str, float] = {}
    if training is not None:
        known = cached_embedding(training, extractor, cache_dir)
        values |= _computed("authenticity", Authenticity(real=known.features, **UNSYNCHRONISED), seen.features)
        # As many as there are samples, since a distance depends on the number.
        chosen = torch.from_numpy(choose_some(len(training), len(samples)))
        logits = None if known.logits is None else known.logits[chosen]
        floors = sample_values(training[chosen], Embedding(known.features[chosen], logits), reference.features)
        floors |= _computed("authenticity", Authenticity(real=known.features, **UNSYNCHRONISED), reference.features)
    record: dict[str, Plain] = {
        "extractor": extractor.name,
        "extractor_hash": extractor.hash,
        "resize": extractor.resize,
        "number_real": len(real),
        "number_fake": len(samples),
        "number_training": None if training is None else len(training),
        **(protocol or {}),
        **versions(),
    }
    return [
        Score(
            full_name(name, extractor),
            value,
            floors.get(name),
            HIGHER_IS_BETTER.get(name),
            record | ({"k": NEIGHBOURS, "k_of_paper": PAPERS_NEIGHBOURS[name]} if name in PAPERS_NEIGHBOURS else {}),
        )
        for name, value in values.items()
    ]


def sample_values(images: Tensor, seen: Embedding, real: Tensor) -> dict[str, float]:
    """What `score_samples` measures without training images, by name, of images and features known already.

    Args:
        images: Generated, ``(N, C, H, W)``, uint8.
        seen: Their features and logits.
        real: Features of real images, ``(M, D)``.
    """
    features = seen.features
    values = _computed("frechet", FrechetDistance(features.shape[1], real=real, **UNSYNCHRONISED), features)
    values |= _computed("", ExtrapolatedFrechetDistance(real=real, **UNSYNCHRONISED), features)
    values |= _computed("", KernelDistance(real=real, **UNSYNCHRONISED), features)
    values |= _computed("", PrecisionRecall(NEIGHBOURS, real=real, **UNSYNCHRONISED), features)
    values |= _computed("diversity", PairwiseDiversity(**UNSYNCHRONISED), features)
    if seen.logits is not None:
        values |= _computed("class_score", ClassScore(seen.logits.shape[1], **UNSYNCHRONISED), seen.logits)
    return values | _computed("sharpness", Sharpness(**UNSYNCHRONISED), images)


def _computed(name: str, metric: Metric, values: Tensor) -> dict[str, float]:
    """One metric, under its own names if it has several."""
    metric.update(values)
    # Some scores need more samples than others; those that can be computed are worth having.
    try:
        computed = metric.compute()
    except TooFewSamplesError as error:
        logger.warning("left out: %s", error)
        return {}
    named = computed if isinstance(computed, dict) else {name: computed}
    return {key: float(value) for key, value in named.items()}


def full_name(name: str, extractor: FeatureExtractor) -> str:
    """What a score is called in the features of an extractor; only Inception-v3 gives FID, KID and Inception score."""
    if extractor.name == INCEPTION and name in INCEPTION_NAMES:
        return INCEPTION_NAMES[name]
    if name == "frechet":
        return extractor.frechet_name
    return name if name == "sharpness" else f"{name}/{extractor.name}"
