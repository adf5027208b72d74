"""How many modes of the data a model has found."""

import math
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from genzoo.metrics.extractors.extractor import FeatureExtractor
from genzoo.metrics.inputs import TooFewSamplesError, require_features, require_images


def divergence_from_uniform(counts: Tensor) -> Tensor:
    r"""Divergence of the shares of modes from equal shares, in nats.

    .. math:: D_{KL}(p \,\|\, u) = \sum_k p_k \log (K p_k)

    Args:
        counts: ``(K,)``, how many samples each mode has.

    Returns:
        A scalar, float64, in [0, log K]; NaN without samples.
    """
    shares = counts.double() / counts.sum()
    divergence: Tensor = torch.special.xlogy(shares, shares).sum() + math.log(len(counts))
    return divergence


class MixtureCoverage(Metric):
    r"""How many Gaussians of a mixture in the plane are found, and how evenly.

    A point is of high quality within three standard deviations of the nearest mean. A mode counts with one such
    point. The divergence is that of the shares of high-quality points per mode from equal shares. Perfect
    samples have :math:`1 - e^{-9/2}` = 98.9 % high quality in the plane and, of 2,500 over 25 modes, a divergence of
    0.0049 +- 0.0016. Source: Lin et al. 2018 (PacGAN), section 4.1.

    Args:
        means: Of the Gaussians, ``(K, D)``.
        sigma: Their standard deviation.
        **kwargs: As for `torchmetrics.Metric`.

    Raises:
        TooFewSamplesError: In `compute`, without points.

    Example:
        >>> import torch
        >>> from genzoo.metrics import MixtureCoverage
        >>> metric = MixtureCoverage(means=torch.tensor([[0.0, 0.0], [2.0, 0.0]]), sigma=0.1)
        >>> metric.update(torch.tensor([[0.1, 0.0], [1.0, 0.0]]))
        >>> {name: round(float(value), 4) for name, value in metric.compute().items()}
        {'modes': 1.0, 'high_quality': 0.5, 'mode_divergence': 0.6931}
    """

    is_differentiable = False
    full_state_update = False
    counts: Tensor
    number: Tensor
    _means: Tensor

    def __init__(self, means: Tensor, sigma: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.register_buffer("_means", means.double(), persistent=False)
        self.sigma = sigma
        self.add_state("counts", torch.zeros(len(means), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("number", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, points: Tensor) -> None:
        """Takes in points, ``(N, D)``, in units of the data.

        Raises:
            ValueError: If their shape is wrong or they are not finite.
        """
        points = require_features(points, self._means.shape[1]).to(self._means)
        # Computed as differences of squares, small distances would lose their digits.
        found, mode = torch.cdist(points, self._means, compute_mode="donot_use_mm_for_euclid_dist").min(1)
        good = mode[found <= 3.0 * self.sigma]
        self.counts += torch.bincount(good, minlength=len(self._means))
        self.number += len(points)

    def compute(self) -> dict[str, Tensor]:
        """``modes``, ``high_quality`` in [0, 1], ``mode_divergence`` in nats, NaN if none is of high quality."""
        if self.number == 0:
            raise TooFewSamplesError("MixtureCoverage has 0 points, but needs at least 1; update it first")
        return {
            "modes": (self.counts > 0).sum().float(),
            "high_quality": (self.counts.sum() / self.number).float(),
            "mode_divergence": divergence_from_uniform(self.counts).float(),
        }


class StackedModes(Metric):
    """How many of the thousand classes of stacked digits are found, and how evenly.

    A classifier names the digit in each of red, green and blue; a class counts with one image. Usually on 26,000
    samples, where perfect ones have a divergence of 0.0194. Sources: Metz et al. 2017; Lin et al. 2018, section 4.2.

    Args:
        classifier: An extractor for one grey digit, with ten classes.
        **kwargs: As for `torchmetrics.Metric`.

    Raises:
        ValueError: If the classifier has no classes.
        TooFewSamplesError: In `compute`, without images.

    Example:
        >>> import torch
        >>> from genzoo.metrics import StackedModes
        >>> from genzoo.metrics.extractors.embedded import embedded_extractor
        >>> metric = StackedModes(embedded_extractor("digits"))
        >>> metric.update(torch.zeros(2, 3, 8, 8, dtype=torch.uint8))
        >>> metric.compute()["modes"]
        tensor(1.)
    """

    is_differentiable = False
    full_state_update = False
    counts: Tensor

    def __init__(self, classifier: FeatureExtractor, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if classifier.number_of_classes == 0:
            raise ValueError(f"the extractor {classifier.name} names no classes; give one with a head")
        self.classifier = classifier
        self.add_state("counts", torch.zeros(classifier.number_of_classes**3, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, images: Tensor) -> None:
        """Takes in images, ``(N, 3, H, W)``, uint8.

        Raises:
            ValueError: If type or shape is wrong.
        """
        require_images(images, 3, self.classifier.size, "StackedModes")
        logits = self.classifier(images.flatten(0, 1)[:, None]).logits
        assert logits is not None
        number = self.classifier.number_of_classes
        # The digits of red, green and blue, read as one number.
        triples = logits.argmax(1).view(-1, 3) @ torch.tensor([number**2, number, 1])
        self.counts += torch.bincount(triples, minlength=number**3).to(self.counts.device)

    def compute(self) -> dict[str, Tensor]:
        """``modes``, how many classes occur, and ``mode_divergence``, in nats; scalars, float32."""
        if self.counts.sum() == 0:
            raise TooFewSamplesError("StackedModes has 0 images, but needs at least 1; update it first")
        return {
            "modes": (self.counts > 0).sum().float(),
            "mode_divergence": divergence_from_uniform(self.counts).float(),
        }
