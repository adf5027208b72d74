"""Scores that look at generated data alone; real data give them their floors."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torchmetrics import Metric
from torchmetrics.utilities.data import dim_zero_cat

from genzoo.hyperparameters import whole_number
from genzoo.metrics.extractors import require_images
from genzoo.metrics.means import ImageMean
from genzoo.metrics.samples import TooFewSamplesError, distances, require_features


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
        divergence: Tensor = self.negative_entropy / self.number - torch.special.xlogy(mean, mean).sum()
        return divergence.exp().float()


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
        return (total / (number * (number - 1))).float()


class Sharpness(ImageMean):
    r"""The variance of the Laplacian of an image with pixels in [0, 1], averaged over images and colours.

    .. math:: \frac1N \sum_n \mathrm{Var}_{ij}\big(x_{i-1,j} + x_{i+1,j} + x_{i,j-1} + x_{i,j+1} - 4 x_{ij}\big)

    over the places ij that have all four neighbours. High for edges and for noise alike, so compare with real
    data: less is blurred, more is noisy. Source: Pech-Pacheco et al. 2000.

    Args:
        **kwargs: As for `torchmetrics.Metric`.

    Example:
        >>> import torch
        >>> from genzoo.metrics import Sharpness
        >>> metric = Sharpness()
        >>> metric.update(torch.full((2, 1, 8, 8), 255, dtype=torch.uint8))
        >>> metric.compute()
        tensor(0.)
    """

    higher_is_better = None
    is_differentiable = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__((), torch.device("cpu"), **kwargs)

    def update(self, images: Tensor) -> None:
        """Takes in images, ``(N, C, H, W)``, uint8, of at least 3 pixels in height and width.

        Raises:
            ValueError: If they are not.
        """
        require_images(images, None, None, "Sharpness")
        if min(images.shape[2:]) < 3:
            raise ValueError(f"Sharpness got images of {tuple(images.shape[2:])} pixels, but needs at least (3, 3)")
        super().update(torch.cat([sharpness(chunk) for chunk in images.split(1024)]).cpu())


def sharpness(images: Tensor) -> Tensor:
    """The variance of the Laplacian of each of ``(N, C, H, W)`` bytes, ``(N,)``."""
    kernel = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]], device=images.device)
    edges = functional.conv2d(images.flatten(0, 1)[:, None].float() / 255.0, kernel[None, None])
    return edges.flatten(1).var(1, correction=0).view(images.shape[:2]).mean(1)
