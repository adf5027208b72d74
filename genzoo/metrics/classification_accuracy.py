"""What a classifier learns from generated data: its accuracy on real test data."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities.data import dim_zero_cat

from genzoo.hyperparameters import whole_number
from genzoo.metrics.canonical_order import canonical_order
from genzoo.metrics.extractors.classifiers import ImageClassifier, PlainClassifier
from genzoo.metrics.extractors.fitting import Recipe, fit_classifier
from genzoo.metrics.inputs import TooFewSamplesError
from genzoo.spec import to_float


class TrainTestAccuracy(Metric):
    """The accuracy on test items of a classifier that is trained on others.

    Args:
        **kwargs: As for `torchmetrics.Metric`.
    """

    higher_is_better = True
    is_differentiable = False
    full_state_update = False
    training_items: list[Tensor]
    training_labels: list[Tensor]
    test_items: list[Tensor]
    test_labels: list[Tensor]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("training_items", "training_labels", "test_items", "test_labels"):
            self.add_state(name, default=[], dist_reduce_fx="cat")

    def update(self, items: Tensor, labels: Tensor, test: bool = False) -> None:
        """Takes in items to learn from or to be tested on.

        Args:
            items: Images ``(N, C, H, W)``, uint8, or features ``(N, D)``, floats: as the classifier takes them.
            labels: ``(N,)``, int64; of generated images those that were asked for.
            test: Whether to test on them.

        Raises:
            ValueError: If type or shape is wrong, or labels are missing.
        """
        self.require(items)
        if labels.shape != items.shape[:1] or labels.is_floating_point():
            raise ValueError(
                f"got {labels.dtype} labels of shape {tuple(labels.shape)} for {len(items)} items, but expected int64 "
                f"of shape ({len(items)},); give one class per item"
            )
        (self.test_items if test else self.training_items).append(items.detach().to(self.device))
        (self.test_labels if test else self.training_labels).append(labels.to(self.device))

    def compute(self) -> Tensor:
        """In percent, a scalar, float32.

        Raises:
            TooFewSamplesError: If there is nothing to learn from, or nothing to test on.
        """
        if not len(self.training_items) or not len(self.test_items):
            missing = "training" if not len(self.training_items) else "test"
            raise TooFewSamplesError(f"{type(self).__name__} has no {missing} items, but needs some; update it")
        names = ("training_items", "training_labels", "test_items", "test_labels")
        training, labels, test, truth = (dim_zero_cat(getattr(self, name)) for name in names)
        guesses = self.classify(training, labels, test)
        return 100.0 * (guesses.to(truth.device) == truth).double().mean().float()

    @abstractmethod
    def classify(self, training: Tensor, labels: Tensor, test: Tensor) -> Tensor:
        """Learns from training items ``(N, ...)`` and labels ``(N,)``, and guesses those of ``(M, ...)``: ``(M,)``."""

    def require(self, items: Tensor) -> None:
        """Raises a `ValueError` unless items are images."""
        if items.dtype != torch.uint8 or items.ndim != 4:
            raise ValueError(
                f"{type(self).__name__} got {items.dtype} items of shape {tuple(items.shape)}, but takes uint8 images "
                "(N, C, H, W); bring images in [-1, 1] there with genzoo.spec.to_uint8"
            )


class NearestNeighbourAccuracy(TrainTestAccuracy):
    """Accuracy on real test images of the nearest neighbour, in pixels, among labelled generated images.

    The classification accuracy score of Lesort et al. 2018 (arXiv 1806.10840), who train on 50,000 generated images,
    5,000 a class, and test on all 10,000 test images. The first 50,000 training images of Fashion-MNIST themselves
    give 84.40. Distances are exact; among equals the first one counts.

    Args:
        **kwargs: As for `torchmetrics.Metric`.

    Example:
        >>> import torch
        >>> from genzoo.metrics import NearestNeighbourAccuracy
        >>> black, white = torch.zeros(1, 1, 8, 8, dtype=torch.uint8), torch.full((1, 1, 8, 8), 255, dtype=torch.uint8)
        >>> accuracy = NearestNeighbourAccuracy()
        >>> accuracy.update(torch.cat([black, white]), torch.tensor([3, 5]))
        >>> accuracy.update(white - 50, torch.tensor([5]), test=True)
        >>> accuracy.compute()
        tensor(100.)
    """

    def classify(self, training: Tensor, labels: Tensor, test: Tensor) -> Tensor:
        """The labels of the nearest neighbours."""
        # Squares of bytes add up to whole numbers, which double precision holds exactly.
        pixels = training.flatten(1).double()
        # |a - b|^2 / 2 = |a|^2 / 2 - a b + |b|^2 / 2, of which the last term, the test item's own, can be left out.
        half_squares = pixels.square().sum(1) / 2.0
        places = [
            torch.addmm(half_squares, chunk.flatten(1).double(), pixels.T, alpha=-1.0).argmin(1)
            for chunk in test.split(256)
        ]
        return labels[torch.cat(places)]


def small_classifier(channels: int, number_of_classes: int) -> ImageClassifier:
    """The network with which `ClassifierAccuracy` scores if it is given no other."""
    return PlainClassifier(channels, [[16], [32, 64], [128]], number_of_classes)


class ClassifierAccuracy(TrainTestAccuracy):
    """Accuracy on real test images of a convolutional classifier that is trained on labelled generated images.

    The classification accuracy score. The order of images does not matter: training shuffles them as a function
    of the set and the seed. Source: Ravuri and Vinyals 2019.

    Args:
        number_of_classes: Of the labels.
        recipe: How the classifier is trained.
        build: Makes its network from the numbers of channels and classes.
        **kwargs: As for `torchmetrics.Metric`.
    """

    def __init__(
        self,
        number_of_classes: int,
        recipe: Recipe = Recipe(),
        build: Callable[[int, int], ImageClassifier] = small_classifier,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.number_of_classes = whole_number("number_of_classes", number_of_classes, 1)
        self.recipe = recipe
        self.build = build

    def classify(self, training: Tensor, labels: Tensor, test: Tensor) -> Tensor:
        """The guesses of the trained classifier."""
        # Training shuffles places, so that without a fixed order the result would depend on how the images came.
        order = canonical_order(training.flatten(1), seed=self.recipe.seed)
        network = fit_classifier(
            lambda: self.build(training.shape[1], self.number_of_classes), training[order], labels[order], self.recipe
        )
        with torch.no_grad():
            return torch.cat([network(to_float(chunk)).argmax(1) for chunk in test.split(256)])
