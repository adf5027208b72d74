"""Scores of samples beside test images, in the features of extractors.

Fits models that can draw images. As many samples as test images (or ``number``), conditioned as the test images are,
are compared with these in the features of every extractor that is embedded for the data, or of the one that is named.
The floors are what as many training images get in place of the samples.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from genzoo.data.splits import ArrayDataModule
from genzoo.drawing import tiled
from genzoo.evaluation.compared import Comparison, real_images
from genzoo.evaluation.feature_cache import cached_embedding
from genzoo.evaluation.score import Score
from genzoo.evaluation.score_group import ScoreGroup, no_images, no_samples
from genzoo.evaluation.suite import score_samples
from genzoo.evaluation.suited_extractors import suited_extractors
from genzoo.metrics.authenticity import nearest_training_images
from genzoo.metrics.extractors.extractor import FeatureExtractor
from genzoo.training.model import GenerativeModel

SHOWN, NEIGHBOURS = 10, 7


class SamplesGroup(ScoreGroup):
    """Distances, coverage, diversity, sharpness and memorisation of samples (`score_samples`).

    Adds the picture ``nearest_training_images``: some samples, each in front of the training images that are nearest
    to it in the features of the first extractor.
    """

    name = "samples"

    def misfit(self, model: GenerativeModel, data: ArrayDataModule) -> str | None:
        """It needs images and a prior."""
        return no_images(model, data) or no_samples(model)

    def extractors(self, comparison: Comparison) -> list[FeatureExtractor]:
        """At least one, each of which takes the images."""
        return suited_extractors(comparison.data, comparison.extractor, "choose one with --evaluation.extractor")

    def scores(self, comparison: Comparison) -> Iterator[Score]:
        """What `score_samples` gives, for every extractor."""
        extractors = self.extractors(comparison)
        real, training = (real_images(comparison.data, part) for part in ("test", "train"))
        samples = comparison.samples(comparison.number or len(real))
        rows = beside_nearest(samples[:SHOWN], training, extractors[0], NEIGHBOURS)
        comparison.pictures["nearest_training_images"] = tiled(rows.flatten(0, 1), rows.shape[1])
        protocol = comparison.protocol(conditions="test")
        scores = (score_samples(samples, real, extractor, training, protocol) for extractor in extractors)
        # Sharpness does not depend on the extractor, and is named once.
        yield from {score.name: score for group in scores for score in group}.values()


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
