"""Whether a model has learnt features by which classes can be told apart.

Fits unconditional models that represent images: a conditional one is given the label that its features are tested on.
A linear support vector machine is trained on the features of all training images and tested on those of all test
images. The floor is the same machine on pixels.
"""

from collections.abc import Iterator

import torch

from genzoo.data.splits import ArrayDataModule, Part
from genzoo.evaluation.compared import UNSYNCHRONISED, Comparison, batches_seen, classes_of, real_images
from genzoo.evaluation.score import Score
from genzoo.evaluation.score_group import ScoreGroup, no_classes, no_images
from genzoo.metrics.linear_accuracy import LinearAccuracy
from genzoo.sampling.capabilities import Represents
from genzoo.spec import to_float
from genzoo.training.model import GenerativeModel, evaluating

PARTS: tuple[Part, ...] = ("train", "test")
IMAGES_AT_ONCE = 256


class RepresentationGroup(ScoreGroup):
    """Accuracy of a linear support vector machine on a model's features: its codes, or a discriminator's maps."""

    name = "representation"
    is_computed_by_default = False

    def misfit(self, model: GenerativeModel, data: ArrayDataModule) -> str | None:
        """It needs images with classes, and features of images alone."""
        return no_images(model, data) or no_classes(data) or _no_features(model)

    def scores(self, comparison: Comparison) -> Iterator[Score]:
        """``linear_accuracy/<what the features are>``, in percent."""
        model, data = comparison.model, comparison.data
        assert isinstance(model, Represents)
        features, pixels = LinearAccuracy(**UNSYNCHRONISED), LinearAccuracy(**UNSYNCHRONISED)
        with evaluating(model):
            for part in PARTS:
                is_test = part == "test"
                for x, y in batches_seen(data, part, IMAGES_AT_ONCE):
                    features.update(model.representation(x.to(model.device)).float().cpu(), y, test=is_test)
                pixels.update(to_float(real_images(data, part)).flatten(1), classes_of(data, part), test=is_test)
        protocol = comparison.protocol() | {"floor": "the same machine on pixels"}
        name = f"linear_accuracy/{model.representation_name}"
        yield Score(name, float(features.compute()), float(pixels.compute()), True, protocol)


def _no_features(model: GenerativeModel) -> str | None:
    """Why a model has no features of images alone; None if it has."""
    name = type(model).__name__
    if not isinstance(model, Represents):
        return f"{name} makes no features of images"
    if model.condition.shape:
        return f"{name} is given the labels that its features would be tested on"
    # Whether a discriminator has maps of activations depends on its architecture, and shows in what it does.
    try:
        with evaluating(model):
            model.representation(torch.zeros(1, *model.data_shape, device=model.device))
    except ValueError as error:
        return str(error)
    return None
