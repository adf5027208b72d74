"""The Inception score: whether samples belong clearly to a class, and to all classes equally often."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from genzoo.hyperparameters import whole_number
from genzoo.metrics.inputs import TooFewSamplesError, require_features


class ClassScore(Metric):
    r"""The Inception score, from the class probabilities of any classifier.

    .. math:: \exp\Big(\frac1N \sum_i D_{KL}(p(y|x_i) \,\|\, \bar p(y))\Big), \qquad
        \bar p(y) = \frac1N \sum_i p(y|x_i)

    From 1 to the number of classes: high where each sample belongs clearly to a class and all classes occur
    equally often. Over all samples at once, not the mean over ten parts. Only with Inception-v3 may it be called
    Inception score. Source: Salimans et al. 2016, section 4.

    Args:
        number_of_classes: Of the classifier.
        **kwargs: As for `torchmetrics.Metric`.

    Raises:
        TooFewSamplesError: In `compute`, without samples.

    Example:
        >>> import torch
        >>> from genzoo.metrics import ClassScore
        >>> metric = ClassScore(number_of_classes=2)
        >>> metric.update(torch.tensor([[100.0, 0.0], [0.0, 100.0]]))
        >>> metric.compute()
        tensor(2.)
    """

    higher_is_better = True
    is_differentiable = False
    full_state_update = False
    number: Tensor
    probabilities: Tensor
    negative_entropy: Tensor

    def __init__(self, number_of_classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.number_of_classes = whole_number("number_of_classes", number_of_classes, 1)
        self.add_state("number", torch.tensor(0), dist_reduce_fx="sum")
        self.add_state("probabilities", torch.zeros(number_of_classes, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("negative_entropy", torch.tensor(0.0, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, logits: Tensor) -> None:
        """Takes in the logits of samples, ``(N, number_of_classes)``.

        Raises:
            ValueError: If their shape is wrong or they are not finite.
        """
        log_probabilities = require_features(logits, self.number_of_classes).to(self.device).double().log_softmax(1)
        self.number += len(logits)
        self.probabilities += log_probabilities.exp().sum(0)
        self.negative_entropy += (log_probabilities.exp() * log_probabilities).sum()

    def compute(self) -> Tensor:
        """A scalar, float32."""
        if self.number == 0:
            raise TooFewSamplesError("ClassScore has 0 samples, but needs at least 1; update it first")
        mean = self.probabilities / self.number
        # Classes that never occur add 0 log 0 = 0.
        divergence: Tensor = self.negative_entropy / self.number - torch.special.xlogy(mean, mean).sum()
        return divergence.exp().float()
