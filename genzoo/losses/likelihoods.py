"""Likelihoods p(x|z): each owns its range, its output activation and its constants.

A decoder gives raw parameters; the likelihood turns them into a distribution over images in [-1, 1].
Every log-probability is in nats, summed over all values of an image, constants included.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from genzoo.noise import Noise


class Likelihood(ABC):
    """The distribution of an item of data given the decoder's output."""

    def observe(self, x: Tensor, noise: Noise) -> Tensor:
        """The value whose likelihood is asked for; data that are not in the support are brought into it.

        Args:
            x: ``(N, ...)`` in [-1, 1].
            noise: For supports that are reached by a random draw.

        Returns:
            ``(N, ...)``, in the range of the data.
        """
        return x

    @abstractmethod
    def log_prob(self, observation: Tensor, parameters: Tensor) -> Tensor:
        """Log-probability (density) in nats, summed over each item.

        Args:
            observation: What `observe` returned, ``(N, ...)``.
            parameters: Raw output of the decoder, ``(N, ...)``.

        Returns:
            ``(N,)``.
        """

    @abstractmethod
    def mean(self, parameters: Tensor) -> Tensor:
        """Expected item given the decoder's raw output, same shape, in the range of the data."""

    @abstractmethod
    def sample(self, parameters: Tensor, noise: Noise) -> Tensor:
        """A draw given the decoder's raw output, same shape."""


@dataclass(frozen=True)
class Bernoulli(Likelihood):
    r"""Black or white pixels; the decoder gives logits.

    .. math:: \log p(b|z) = \sum_i b_i \log \pi_i + (1 - b_i) \log (1 - \pi_i), \quad \pi = \mathrm{sigmoid}(l)

    Black is -1 and white is 1; b = (x + 1) / 2. A grey value is not in the support: `observe` draws white with
    probability (x + 1) / 2, anew each time (Salakhutdinov and Murray 2008; Burda et al. 2016). Cross-entropy on
    the grey values themselves would not be a log-likelihood.
    """

    def observe(self, x: Tensor, noise: Noise) -> Tensor:
        """Binarises grey values at random: ``(N, ...)`` in [-1, 1] to {-1, 1}."""
        return _black_or_white(noise, (x + 1.0) / 2.0)

    def log_prob(self, observation: Tensor, parameters: Tensor) -> Tensor:
        """Log-probability of pixels in {-1, 1} given logits, ``(N,)`` in nats."""
        bits = (observation + 1.0) / 2.0
        cross_entropy = functional.binary_cross_entropy_with_logits(parameters.float(), bits, reduction="none")
        return -cross_entropy.flatten(1).sum(1)

    def mean(self, parameters: Tensor) -> Tensor:
        """Probability of white, as a grey value in [-1, 1]."""
        return 2.0 * parameters.sigmoid() - 1.0

    def sample(self, parameters: Tensor, noise: Noise) -> Tensor:
        """Black and white images, -1 or 1."""
        return _black_or_white(noise, parameters.float().sigmoid())


def _black_or_white(noise: Noise, probability_of_white: Tensor) -> Tensor:
    return 2.0 * (noise.uniform(*probability_of_white.shape) < probability_of_white).float() - 1.0


@dataclass(frozen=True)
class Gaussian(Likelihood):
    r"""Independent Gaussian values around the decoder's output, of one fixed standard deviation.

    .. math:: \log p(x|z) = -\sum_i \frac{(x_i - m_i)^2}{2\sigma^2} + \log\sigma + \tfrac12 \log 2\pi,
        \quad m = \mathrm{activation}(\text{decoder output})

    Args:
        standard_deviation: sigma, in the units of the data (images span [-1, 1]).
        activation: What turns the decoder's output into the mean: ``tanh`` for images, ``identity`` for
            values without bounds.
    """

    standard_deviation: float = 0.2
    activation: Literal["tanh", "identity"] = "tanh"

    def __post_init__(self) -> None:
        if self.standard_deviation <= 0.0:
            raise ValueError(
                f"the standard deviation of a Gaussian likelihood must be positive, got {self.standard_deviation}"
            )

    def log_prob(self, observation: Tensor, parameters: Tensor) -> Tensor:
        """Log-density of real values, ``(N,)`` in nats."""
        deviation = (observation - self.mean(parameters.float())) / self.standard_deviation
        log_normaliser = math.log(self.standard_deviation) + 0.5 * math.log(2.0 * math.pi)
        return -(0.5 * deviation.square() + log_normaliser).flatten(1).sum(1)

    def mean(self, parameters: Tensor) -> Tensor:
        """The decoder's output behind its activation."""
        return torch.tanh(parameters) if self.activation == "tanh" else parameters

    def sample(self, parameters: Tensor, noise: Noise) -> Tensor:
        """The mean plus pixel noise; not clamped, so a few values of images lie outside [-1, 1]."""
        return self.mean(parameters) + self.standard_deviation * noise.normal(*parameters.shape)
