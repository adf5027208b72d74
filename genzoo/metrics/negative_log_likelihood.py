"""Log-likelihoods of test data, as they are reported."""

import math
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from genzoo.hyperparameters import whole_number
from genzoo.metrics.inputs import TooFewSamplesError


class NegativeLogLikelihood(Metric):
    r"""The mean negative log-likelihood of test images, its standard error, and bits per dimension.

    .. math:: \mathrm{nll} = -\frac1N \sum_n \log p(x_n), \qquad
        \text{bits per dimension} = \frac{\mathrm{nll}}{D \log 2}

    From values that any model gives, such as the importance-weighted ones of a VAE. Of densities it depends on the
    units of the data; of the probabilities of bytes or bits it does not.

    Args:
        values_per_image: D, ``C * H * W``.
        **kwargs: As for `torchmetrics.Metric`.

    Raises:
        TooFewSamplesError: In `compute`, with fewer than two images.

    Example:
        >>> import torch
        >>> from genzoo.metrics import NegativeLogLikelihood
        >>> nll = NegativeLogLikelihood(values_per_image=784)
        >>> nll.update(torch.tensor([-228.0, -230.0]))
        >>> {name: round(float(value), 4) for name, value in nll.compute().items()}
        {'nll': 229.0, 'nll_error': 1.0, 'bits_per_dimension': 0.4214}
    """

    higher_is_better = False
    is_differentiable = False
    full_state_update = False
    number: Tensor
    total: Tensor
    squares: Tensor

    def __init__(self, values_per_image: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.values_per_image = whole_number("values_per_image", values_per_image, 1)
        self.add_state("number", torch.tensor(0), dist_reduce_fx="sum")
        self.add_state("total", torch.tensor(0.0, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("squares", torch.tensor(0.0, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, log_likelihood: Tensor) -> None:
        """Takes in log-likelihoods of images in nats, ``(N,)``.

        Raises:
            ValueError: If their shape is wrong or they are not finite.
        """
        if log_likelihood.ndim != 1 or not log_likelihood.isfinite().all():
            raise ValueError(
                f"got log-likelihoods of shape {tuple(log_likelihood.shape)}, but expected one finite number per "
                "image, (N,); sum over the values of each image and look for NaN"
            )
        values = log_likelihood.detach().to(self.total.device, torch.float64)
        self.number += len(values)
        self.total += values.sum()
        self.squares += values.square().sum()

    def compute(self) -> dict[str, Tensor]:
        """``nll`` and its standard error ``nll_error`` in nats, ``bits_per_dimension``; scalars, float32."""
        if self.number < 2:
            raise TooFewSamplesError(
                f"NegativeLogLikelihood has {int(self.number)} images, but needs at least 2; update it with more"
            )
        mean = self.total / self.number
        # Rounding may make the variance of nearly equal values negative.
        variance = (self.squares - self.number * mean.square()).clamp(min=0.0) / (self.number - 1)
        return {
            "nll": -mean.float(),
            "nll_error": (variance / self.number).sqrt().float(),
            "bits_per_dimension": (-mean / (self.values_per_image * math.log(2.0))).float(),
        }
