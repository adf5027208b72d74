"""Whether images of a conditional model belong to the classes that were asked for.

Fits conditional models of images with classes. Classifiers are trained on ``conditional_number`` generated images,
with the conditions of the training images, which they replace, and tested on the real test images; the floors
are those of classifiers trained on the training images themselves. Every extractor for the data that tells the same
classes apart also says how often it agrees with the class that was asked for; its floor is the accuracy on test images.
"""

from collections.abc import Callable, Iterator

from torch import Tensor

from genzoo.data.splits import ArrayDataModule, Part
from genzoo.evaluation.compared import UNSYNCHRONISED, Comparison, classes_of, conditions_for, real_images
from genzoo.evaluation.score import Score
from genzoo.evaluation.score_group import ScoreGroup, no_classes, no_images
from genzoo.evaluation.suited_extractors import extractors_for
from genzoo.metrics.class_agreement import ClassAgreement
from genzoo.metrics.classification_accuracy import ClassifierAccuracy, NearestNeighbourAccuracy, TrainTestAccuracy
from genzoo.metrics.extractors.extractor import FeatureExtractor
from genzoo.sampling.conditions import ClassCondition
from genzoo.training.model import GenerativeModel


class ClassesGroup(ScoreGroup):
    """Classification accuracy scores of a nearest neighbour and of a network, and agreement of known classifiers."""

    name = "classes"

    def misfit(self, model: GenerativeModel, data: ArrayDataModule) -> str | None:
        """It needs images with classes, and a model that is conditioned on them."""
        name, is_conditional = type(model).__name__, isinstance(model.condition, ClassCondition)
        unconditional = None if is_conditional else f"{name} is not conditioned on classes"
        return no_images(model, data) or no_classes(data) or unconditional

    def scores(self, comparison: Comparison) -> Iterator[Score]:
        """``nearest_neighbour_accuracy``, ``classifier_accuracy`` and ``agreement/<extractor>``, in percent."""
        data = comparison.data
        real, training = (real_images(data, part) for part in ("test", "train"))
        labels, training_labels = (classes_of(data, part) for part in ("test", "train"))
        number = comparison.conditional_number or len(training)
        samples, asked = _asked_for(comparison, number, "train")
        numbers = {"number_fake": number, "number_real": len(real)}
        learnt = comparison.protocol(conditions="train") | numbers | {"floor": f"{len(training)} training images"}
        # Made anew for samples and for the floor: a metric keeps all items that it has taken in.
        metrics: dict[str, Callable[[], TrainTestAccuracy]] = {
            "nearest_neighbour_accuracy": lambda: NearestNeighbourAccuracy(**UNSYNCHRONISED),
            "classifier_accuracy": lambda: ClassifierAccuracy(len(data.class_names), **UNSYNCHRONISED),
        }
        for name, make in metrics.items():
            value = accuracy_of(make(), samples, asked, real, labels)
            floor = accuracy_of(make(), training, training_labels, real, labels)
            yield Score(name, value, floor, True, learnt)
        # Agreement stands beside that on test images, and is drawn in their shares.
        for extractor in extractors_for(data, comparison.extractor):
            if extractor.number_of_classes == len(data.class_names):
                samples, asked = _asked_for(comparison, number, "test")
                value, floor = (agreement_of(extractor, *pair) for pair in ((samples, asked), (real, labels)))
                named = {"extractor": extractor.name, "extractor_hash": extractor.hash}
                record = comparison.protocol(conditions="test") | numbers | named
                yield Score(f"agreement/{extractor.name}", value, floor, True, record)


def _asked_for(comparison: Comparison, number: int, part: Part) -> tuple[Tensor, Tensor]:
    """Samples under classes in the shares of a part of the data, and these classes."""
    asked = conditions_for(comparison.model, comparison.data, number, part)
    assert asked is not None
    return comparison.samples(number, part), asked


def accuracy_of(metric: TrainTestAccuracy, items: Tensor, labels: Tensor, test: Tensor, truth: Tensor) -> float:
    """The accuracy, in percent, on test items of a classifier that has learnt from others.

    Args:
        metric: New and unused.
        items: To learn from.
        labels: Theirs.
        test: To be tested on.
        truth: Their labels.
    """
    metric.update(items, labels)
    metric.update(test, truth, test=True)
    return float(metric.compute())


def agreement_of(extractor: FeatureExtractor, images: Tensor, asked: Tensor) -> float:
    """How often, in percent, an extractor with classes sees in images ``(N, C, H, W)`` those that were asked for."""
    logits = extractor(images).logits
    # An extractor of one's own may have none.
    if logits is None:
        raise ValueError(f"the extractor {extractor.name} has no classes; choose one that has a head")
    metric = ClassAgreement(num_classes=extractor.number_of_classes, **UNSYNCHRONISED)
    metric.update(logits, asked)
    return float(metric.compute()["agreement"])
