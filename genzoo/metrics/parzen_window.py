"""Log-likelihoods of test data under Gaussians placed on samples, as they once were reported."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from genzoo.metrics.distances import distances
from genzoo.metrics.inputs import TooFewSamplesError, require_features


class ParzenWindow(Metric):
    r"""Log-likelihood of test data under Gaussians placed on generated samples. Historical only.

    .. math:: \log p(x) = \log \frac1M \sum_{m} \exp\Big(-\frac{\|x - s_m\|^2}{2\sigma^2}\Big)
        - \frac{D}{2} \log 2\pi\sigma^2

    How the first GANs were scored; sigma is the one of several that suits validation data best. Never a target:
    k-means centroids of the training data score higher than real images do (Theis et al. 2016, section 5.1).
    Source: Goodfellow et al. 2014, section 5.

    Args:
        samples: s, generated data, ``(M, D)``, pixels in [0, 1].
        validation: Held-out real data to choose sigma on, ``(V, D)``.
        sigmas: To choose from.
        **kwargs: As for `torchmetrics.Metric`.

    Attributes:
        sigma: The chosen one.

    Raises:
        ValueError: If shapes do not fit.

    Example:
        >>> import torch
        >>> from genzoo.metrics import ParzenWindow
        >>> window = ParzenWindow(torch.zeros(1, 1), validation=torch.ones(1, 1), sigmas=[0.5, 1.0, 2.0])
        >>> window.sigma
        1.0
        >>> window.update(torch.zeros(1, 1))
        >>> window.compute()
        tensor(-0.9189)
    """

    higher_is_better = True
    is_differentiable = False
    full_state_update = False
    number: Tensor
    total: Tensor
    _samples: Tensor

    def __init__(
        self,
        samples: Tensor,
        validation: Tensor,
        sigmas: Sequence[float] = tuple(torch.logspace(-1, 0, 10, dtype=torch.float64).tolist()),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.register_buffer("_samples", require_features(samples, None), persistent=False)
        self.sigma = _best_sigma(self._samples, require_features(validation, samples.shape[1]), sigmas)
        self.add_state("number", torch.tensor(0), dist_reduce_fx="sum")
        self.add_state("total", torch.tensor(0.0, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, data: Tensor) -> None:
        """Takes in real test data, ``(N, D)``, pixels in [0, 1].

        Raises:
            ValueError: If their shape is wrong or they are not finite.
        """
        data = require_features(data, self._samples.shape[1]).to(self._samples.device)
        self.number += len(data)
        self.total += parzen_log_likelihood(data, self._samples, [self.sigma])[0].sum()

    def compute(self) -> Tensor:
        """The mean in nats, a scalar, float32."""
        if self.number == 0:
            raise TooFewSamplesError("ParzenWindow has 0 test items, but needs at least 1; update it first")
        return (self.total / self.number).float()


def parzen_log_likelihood(data: Tensor, samples: Tensor, sigmas: Sequence[float]) -> Tensor:
    """Log-likelihoods of data ``(N, D)`` under windows on samples ``(M, D)``: ``(len(sigmas), N)``, float64, nats."""
    # All sigmas in one pass, since the distances, which they share, take most of the time.
    result = torch.empty(len(sigmas), len(data), dtype=torch.float64, device=data.device)
    for chunk, rows in distances(data, samples):
        squared = rows.square_()
        for place, sigma in enumerate(sigmas):
            result[place, chunk] = torch.logsumexp(squared * (-0.5 / sigma**2), 1)
    log_normalisers = [0.5 * data.shape[1] * math.log(2.0 * math.pi * sigma**2) for sigma in sigmas]
    return result - math.log(len(samples)) - result.new_tensor(log_normalisers)[:, None]


def _best_sigma(samples: Tensor, validation: Tensor, sigmas: Sequence[float]) -> float:
    means = parzen_log_likelihood(validation, samples, sigmas).mean(1)
    return float(sigmas[int(means.argmax())])
