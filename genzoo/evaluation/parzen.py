"""Parzen windows: the likelihood of test images under Gaussians on samples. Historical only, never a target.

Fits models that can draw images, of data with held-out images, on a thousand of which the width of the Gaussians is
chosen. The floor is what as many training images get in place of the samples; it is no bound, see `ParzenWindow`.
"""

from collections.abc import Iterator

from torch import Tensor

from genzoo.data.splits import ArrayDataModule
from genzoo.evaluation.compared import UNSYNCHRONISED, Comparison, real_images
from genzoo.evaluation.score import Score
from genzoo.evaluation.score_group import ScoreGroup, no_images, no_samples
from genzoo.metrics.parzen_window import ParzenWindow
from genzoo.subsets import choose_some
from genzoo.training.model import GenerativeModel

IMAGES_FOR_WIDTH = 1000


class ParzenGroup(ScoreGroup):
    """Log-likelihood of test images under Parzen windows."""

    name = "parzen"
    is_computed_by_default = False

    def misfit(self, model: GenerativeModel, data: ArrayDataModule) -> str | None:
        """It needs images of which some are held out, and a prior."""
        has_validation = data.has_validation_split or data.validation_fraction
        nothing_held_out = None if has_validation else f"{type(data).__name__} holds out no images for validation"
        return no_images(model, data) or no_samples(model) or nothing_held_out

    def scores(self, comparison: Comparison) -> Iterator[Score]:
        """``parzen_log_likelihood``, in nats per image."""
        training, validation, test = (
            _unit_pixels(real_images(comparison.data, part)) for part in ("train", "validation", "test")
        )
        number = comparison.number or len(test)
        samples = _unit_pixels(comparison.samples(number))
        training = training[choose_some(len(training), number)]
        validation = validation[choose_some(len(validation), IMAGES_FOR_WIDTH)]
        value, floor = (parzen_of(centres, validation, test) for centres in (samples, training))
        protocol = comparison.protocol(conditions="test") | {
            "number_fake": number,
            "number_real": len(test),
            "number_validation": len(validation),
            "floor": f"{len(training)} training images",
        }
        yield Score("parzen_log_likelihood", value, floor, True, protocol)


def parzen_of(samples: Tensor, validation: Tensor, test: Tensor) -> float:
    """The mean log-likelihood in nats of test data ``(N, D)`` under windows on samples ``(M, D)``."""
    window = ParzenWindow(samples, validation, **UNSYNCHRONISED)
    window.update(test)
    return float(window.compute())


def _unit_pixels(images: Tensor) -> Tensor:
    """Bytes ``(N, C, H, W)`` as rows of pixels in [0, 1], ``(N, D)``."""
    # In these units log-densities were published; in [-1, 1] they would be lower by log 2 for each pixel.
    return images.flatten(1).float() / 255.0
