"""How much generated samples differ from each other."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities.data import dim_zero_cat

from genzoo.metrics.distances import distances
from genzoo.metrics.inputs import TooFewSamplesError, require_features


class PairwiseDiversity(Metric):
    r"""The mean Euclidean distance between two generated samples, in features.

    .. math:: \frac{2}{N (N - 1)} \sum_{i < j} \|f_i - f_j\|

    A model that makes one image has 0. Compare with real data: more than these have is not better.

    Args:
        **kwargs: As for `torchmetrics.Metric`.

    Raises:
        TooFewSamplesError: In `compute`, with fewer than two samples.

    Example:
        >>> import torch
        >>> from genzoo.metrics import PairwiseDiversity
        >>> metric = PairwiseDiversity()
        >>> metric.update(torch.tensor([[0.0, 0.0], [3.0, 4.0]]))
        >>> metric.compute()
        tensor(5.)
    """

    higher_is_better = None
    is_differentiable = False
    full_state_update = False
    features: list[Tensor]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("features", default=[], dist_reduce_fx="cat")

    def update(self, features: Tensor) -> None:
        """Takes in features, ``(N, D)``.

        Raises:
            ValueError: If their shape is wrong or they are not finite.
        """
        features = require_features(features, self.features[0].shape[1] if self.features else None)
        self.features.append(features.to(self.device))

    def compute(self) -> Tensor:
        """A scalar, float32, >= 0."""
        features = dim_zero_cat(self.features) if len(self.features) else torch.empty(0, 0)
        number = len(features)
        if number < 2:
            raise TooFewSamplesError(f"PairwiseDiversity has {number} samples, but needs at least 2; give it more")
        total = torch.zeros((), dtype=torch.float64, device=features.device)
        for _, rows in distances(features, features):
            total += rows.sum()
        # All pairs are in the total twice, and each sample with itself at a distance of 0.
        return (total / (number * (number - 1))).float()
