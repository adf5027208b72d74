"""The likelihood of test data.

Fits models with a likelihood. Each test item, as the model sees it, gets ``likelihood_samples`` importance samples,
whose noise belongs to the item. There is no floor: real data have no likelihood of their own.
"""

import math
from collections.abc import Iterator

import torch
from rich.progress import track

from genzoo.data.splits import ArrayDataModule
from genzoo.evaluation.compared import UNSYNCHRONISED, Comparison, batches_seen
from genzoo.evaluation.score import Score
from genzoo.evaluation.score_group import ScoreGroup, scores_of
from genzoo.metrics.negative_log_likelihood import NegativeLogLikelihood
from genzoo.noise import ImageNoise, Stream
from genzoo.sampling.capabilities import HasLikelihood
from genzoo.training.model import GenerativeModel, evaluating

# Bounds memory: each item goes through the decoder once for each of its importance samples.
ITEMS_AT_ONCE = 100


class LikelihoodGroup(ScoreGroup):
    """Importance-weighted negative log-likelihood with its standard error, and bits per dimension."""

    name = "likelihood"

    def misfit(self, model: GenerativeModel, data: ArrayDataModule) -> str | None:
        """It needs a likelihood."""
        return None if isinstance(model, HasLikelihood) else f"{type(model).__name__} has no likelihood"

    def scores(self, comparison: Comparison) -> Iterator[Score]:
        """``nll`` and ``nll_error`` in nats per item, ``bits_per_dimension``."""
        model, number = comparison.model, comparison.likelihood_samples
        assert isinstance(model, HasLikelihood)
        nll = NegativeLogLikelihood(math.prod(model.data_shape), **UNSYNCHRONISED)
        items = len(comparison.data.parts["test"])
        batches, total = batches_seen(comparison.data, "test", ITEMS_AT_ONCE), math.ceil(items / ITEMS_AT_ONCE)
        with evaluating(model):
            for number_of_batch, (x, y) in enumerate(track(batches, "Likelihood of test data", total=total)):
                # Noise belongs to an item by its place, so that it does not depend on how many go together.
                places = number_of_batch * ITEMS_AT_ONCE + torch.arange(len(x))
                noise = ImageNoise(places, model.device, comparison.seed, Stream.EVALUATION)
                nll.update(model.log_likelihood(x.to(model.device), y, number, noise))
        protocol = comparison.protocol() | {
            "likelihood": type(model.likelihood).__name__,
            "importance_samples": number,
            "number_real": items,
        }
        yield from scores_of(nll.compute(), protocol, {"nll": False, "bits_per_dimension": False})
