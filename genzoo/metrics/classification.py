"""What a classifier learns from generated data, and what it says of them."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchmetrics import Metric
from torchmetrics.classification import MulticlassConfusionMatrix
from torchmetrics.utilities.data import dim_zero_cat

from genzoo.extras import import_extra
from genzoo.hyperparameters import whole_number
from genzoo.metrics.classifiers import ImageClassifier, PlainClassifier
from genzoo.metrics.extractors import FeatureExtractor
from genzoo.metrics.fitting import Recipe, fit_classifier
from genzoo.metrics.samples import ALONE, TooFewSamplesError, canonical_order
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
        order = canonical_order(training.flatten(1), seed=self.recipe.seed)
        network = fit_classifier(
            lambda: self.build(training.shape[1], self.number_of_classes), training[order], labels[order], self.recipe
        )
        with torch.no_grad():
            return torch.cat([network(to_float(chunk)).argmax(1) for chunk in test.split(256)])


class LinearAccuracy(TrainTestAccuracy):
    """Accuracy of a linear support vector machine on standardised features, as a test of representations.

    Takes features ``(N, D)``: `PooledActivations` of a discriminator (Radford et al. 2016, section 5.1), or the
    means that a VAE encodes images as. Needs scikit-learn.

    Args:
        regularisation: C of `sklearn.svm.LinearSVC`, the inverse of the penalty's weight.
        **kwargs: As for `torchmetrics.Metric`.

    Example:
        >>> import torch
        >>> from genzoo.metrics import LinearAccuracy
        >>> accuracy = LinearAccuracy()
        >>> accuracy.update(torch.tensor([[0.0, 1.0], [1.0, 1.0], [5.0, 1.0], [6.0, 1.0]]), torch.tensor([0, 0, 1, 1]))
        >>> accuracy.update(torch.tensor([[0.5, 1.0], [7.0, 1.0]]), torch.tensor([0, 1]), test=True)
        >>> accuracy.compute()
        tensor(100.)
    """

    def __init__(self, regularisation: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.regularisation = regularisation

    def classify(self, training: Tensor, labels: Tensor, test: Tensor) -> Tensor:
        """The guesses of the machine."""
        svm = import_extra("sklearn.svm", "scikit-learn", "LinearAccuracy")
        pipeline = import_extra("sklearn.pipeline", "scikit-learn", "LinearAccuracy")
        preprocessing = import_extra("sklearn.preprocessing", "scikit-learn", "LinearAccuracy")
        order = canonical_order(training, seed=0)
        machine = pipeline.make_pipeline(
            preprocessing.StandardScaler(), svm.LinearSVC(C=self.regularisation, dual="auto", random_state=0)
        )
        machine.fit(training[order].cpu().numpy(), labels[order].cpu().numpy())
        return torch.from_numpy(machine.predict(test.cpu().numpy()))

    def require(self, items: Tensor) -> None:
        """Raises a `ValueError` unless items are features."""
        if not items.is_floating_point() or items.ndim != 2:
            raise ValueError(
                f"LinearAccuracy got {items.dtype} items of shape {tuple(items.shape)}, but takes floats (N, D); "
                "flatten each item's features to one row"
            )


class PooledActivations(nn.Module):
    """All activations of a convolutional network, each pooled to a grid of 4 x 4, in one row.

    The features of a discriminator that Radford et al. 2016, section 5.1, train a linear classifier on.

    Args:
        network: Is called with images alone.
        kinds: The activations that count.
        grid: Height and width to pool to.

    Example:
        >>> import torch
        >>> from genzoo.metrics import PooledActivations
        >>> network = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3), torch.nn.LeakyReLU(), torch.nn.Flatten())
        >>> PooledActivations(network)(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 48])
    """

    def __init__(
        self, network: nn.Module, kinds: tuple[type[nn.Module], ...] = (nn.LeakyReLU, nn.ReLU), grid: int = 4
    ) -> None:
        super().__init__()
        self.network = network
        self.kinds = kinds
        self.grid = whole_number("grid", grid, 1)

    def forward(self, images: Tensor) -> Tensor:
        """``(N, C, H, W)`` to ``(N, D)``.

        Raises:
            ValueError: If the network has no activations of the kinds.
        """
        found: list[Tensor] = []

        def keep(module: nn.Module, inputs: Any, output: Tensor) -> None:
            if output.ndim == 4:
                found.append(functional.adaptive_max_pool2d(output, self.grid).flatten(1))

        hooks = [part.register_forward_hook(keep) for part in self.network.modules() if isinstance(part, self.kinds)]
        try:
            self.network(images)
        finally:
            for hook in hooks:
                hook.remove()
        if not found:
            raise ValueError(
                f"the network has no activation maps of {', '.join(kind.__name__ for kind in self.kinds)}; name in "
                "`kinds` those it has"
            )
        return torch.cat(found, dim=1)


class ClassAgreement(MulticlassConfusionMatrix):
    """How often a named classifier sees in a generated image the class that was asked for (GAN-test).

    Its accuracy on real test images is the floor. Source: Shmelkov et al. 2018, section 3.

    Args:
        num_classes: Of the classifier.
        **kwargs: As for `torchmetrics.classification.MulticlassConfusionMatrix`.

    Example:
        >>> import torch
        >>> from genzoo.metrics import ClassAgreement
        >>> agreement = ClassAgreement(num_classes=2)
        >>> agreement.update(torch.tensor([[2.0, 0.0], [3.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 1, 1]))
        >>> {name: value.tolist() for name, value in agreement.compute().items()}
        {'agreement': 66.66666412353516, 'agreement_per_class': [100.0, 50.0]}
    """

    higher_is_better = True
    confmat: Tensor

    def compute(self) -> dict[str, Tensor]:  # type: ignore[override]
        """``agreement``, a scalar, and ``agreement_per_class``, ``(num_classes,)``, in percent; NaN where none."""
        counts = self.confmat.double()
        return {
            "agreement": (100.0 * counts.trace() / counts.sum()).float(),
            "agreement_per_class": (100.0 * counts.diagonal() / counts.sum(1)).float(),
        }


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
    if logits is None:
        raise ValueError(f"the extractor {extractor.name} has no classes; choose one that has a head")
    metric = ClassAgreement(num_classes=extractor.number_of_classes, **ALONE)
    metric.update(logits, asked)
    return float(metric.compute()["agreement"])
