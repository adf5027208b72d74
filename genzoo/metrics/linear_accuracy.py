"""How much a linear classifier learns from features: a test of representations."""

from typing import Any

import torch
from torch import Tensor

from genzoo.extras import import_extra
from genzoo.metrics.canonical_order import canonical_order
from genzoo.metrics.classification_accuracy import TrainTestAccuracy


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
        # The solver goes through the rows in an order that it draws, so that their own order would matter.
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
