"""How many of the modes that data are known to have a model has found, and how evenly.

Fits models that sample `GaussianMixture2D`, whose modes are its Gaussians, or `StackedDigits`, whose modes are triples
of digits that a classifier names. The number of samples is that of the literature unless ``number`` is set. There is
no floor: what perfect samples get is said at the metrics.
"""

from collections.abc import Iterator

from genzoo.data.digits import StackedDigits
from genzoo.data.points import GaussianMixture2D
from genzoo.data.splits import ArrayDataModule
from genzoo.evaluation.compared import UNSYNCHRONISED, Comparison, sampled
from genzoo.evaluation.score import Score
from genzoo.evaluation.score_group import ScoreGroup, no_samples, scores_of
from genzoo.evaluation.suited_extractors import extractors_for, require_suited
from genzoo.metrics.extractors.extractor import FeatureExtractor
from genzoo.metrics.mode_coverage import MixtureCoverage, StackedModes
from genzoo.training.model import GenerativeModel

# Lin et al. 2018, sections 4.1 and 4.2.
NUMBER_OF_POINTS, NUMBER_OF_STACKED_DIGITS = 2500, 26_000


class ModesGroup(ScoreGroup):
    """Modes found, share of high quality, divergence from even shares."""

    name = "modes"

    def misfit(self, model: GenerativeModel, data: ArrayDataModule) -> str | None:
        """It needs a prior, and data whose modes are known."""
        are_known = isinstance(data, GaussianMixture2D | StackedDigits)
        unknown = None if are_known else f"{type(data).__name__} has no modes that are known"
        return no_samples(model) or unknown

    def extractors(self, comparison: Comparison) -> list[FeatureExtractor]:
        """Of stacked digits the one that names each digit."""
        data = comparison.data
        if isinstance(data, GaussianMixture2D):
            return []
        # The digits of scikit-learn have a classifier that comes with the package; those of MNIST have none.
        name = comparison.extractor or ("digits" if data.spec["native_size"] == 8 else None)
        if name is None:
            raise ValueError("the digits need a classifier; choose one with --evaluation.extractor")
        classifier = extractors_for(data, name)[0]
        require_suited(classifier, data, channels=1)
        return [classifier]

    def scores(self, comparison: Comparison) -> Iterator[Score]:
        """``modes`` and ``mode_divergence`` in nats; for points also ``high_quality``, a share."""
        model, data = comparison.model, comparison.data
        metric: MixtureCoverage | StackedModes
        if isinstance(data, GaussianMixture2D):
            metric = MixtureCoverage(data.means, data.sigma, **UNSYNCHRONISED)
            number = comparison.number or NUMBER_OF_POINTS
            metric.update(sampled(model, data, number, comparison.seed).cpu())
        else:
            metric = StackedModes(*self.extractors(comparison), **UNSYNCHRONISED)
            number = comparison.number or NUMBER_OF_STACKED_DIGITS
            metric.update(comparison.samples(number))
        protocol = comparison.protocol(conditions="test") | {"number_fake": number}
        yield from scores_of(
            metric.compute(), protocol, {"modes": True, "high_quality": True, "mode_divergence": False}
        )
