"""Gaussian likelihoods p(x|z), whose values need no bounds: of images, and of points."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from genzoo.losses.likelihoods import Likelihood, with_two_numbers_per_value
from genzoo.noise import Noise
from genzoo.precision import at_least_float32


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
        super().__post_init__()
        if not 0.0 < self.standard_deviation < math.inf:
            raise ValueError(
                "the standard deviation of a Gaussian likelihood must be positive and finite, "
                f"got {self.standard_deviation}"
            )

    @property
    def is_bounded(self) -> bool:
        """Whether its mean lies in [-1, 1]."""
        return self.activation == "tanh"

    def log_prob(self, observation: Tensor, parameters: Tensor) -> Tensor:
        """Log-density of real values, ``(N,)`` in nats."""
        deviation = (observation - self.mean(at_least_float32(parameters))) / self.standard_deviation
        log_normaliser = math.log(self.standard_deviation) + 0.5 * math.log(2.0 * math.pi)
        return -(0.5 * deviation.square() + log_normaliser).flatten(1).sum(1)

    def mean(self, parameters: Tensor) -> Tensor:
        """The decoder's output behind its activation."""
        return torch.tanh(parameters) if self.activation == "tanh" else parameters

    def sample(self, parameters: Tensor, noise: Noise) -> Tensor:
        """The mean plus pixel noise; not clamped, so a few values of images lie outside [-1, 1]."""
        return self.mean(parameters) + self.standard_deviation * noise.normal(*parameters.shape)


@dataclass(frozen=True)
class LearnedGaussian(Likelihood):
    r"""Independent Gaussian values around the decoder's output, of learned standard deviation.

    .. math:: \log p(x|z) = -\sum_i \frac{(x_i - m_i)^2}{2\sigma_i^2} + \log\sigma_i + \tfrac12 \log 2\pi

    Source: one shared deviation, Rybkin et al. 2021 (sigma-VAE); one per value, Kingma and Welling 2014, appendix C.2.

    Args:
        per: Whether each ``value`` has a deviation of its own, which the decoder gives, or all share ``one``, which is
            a parameter of the model.
        activation: What turns the decoder's output into the mean: ``tanh`` for images, ``identity`` for values
            without bounds.
        least: The smallest standard deviation, in the units of the data. Without one the density of data that can
            be met exactly has no bound; the default is half a grey level.
    """

    per: Literal["value", "one"] = "one"
    activation: Literal["tanh", "identity"] = "tanh"
    least: float = 1.0 / 255.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 < self.least < math.inf:
            raise ValueError(
                f"the least standard deviation of a LearnedGaussian must be positive and finite, got {self.least}"
            )

    def decoder_shape(self, data_shape: Sequence[int]) -> tuple[int, ...]:
        """A location for each value, and a raw deviation where each has one of its own."""
        return with_two_numbers_per_value(data_shape) if self.per == "value" else tuple(data_shape)

    def build(self) -> nn.Module:
        """Puts the deviation that all share beside the locations; where each has its own, the identity."""
        return SharedDeviation() if self.per == "one" else nn.Identity()

    @property
    def is_bounded(self) -> bool:
        """Whether its mean lies in [-1, 1]."""
        return self.activation == "tanh"

    def log_prob(self, observation: Tensor, parameters: Tensor) -> Tensor:
        """Log-density of real values, ``(N,)`` in nats."""
        location, deviation = self._moments(parameters)
        scaled = (observation - location) / deviation
        return -(0.5 * scaled.square() + deviation.log() + 0.5 * math.log(2.0 * math.pi)).flatten(1).sum(1)

    def mean(self, parameters: Tensor) -> Tensor:
        """The decoder's locations behind their activation."""
        return self._moments(parameters)[0]

    def sample(self, parameters: Tensor, noise: Noise) -> Tensor:
        """The mean plus noise; not clamped, so a few values of images lie outside [-1, 1]."""
        location, deviation = self._moments(parameters)
        return location + deviation * noise.normal(*location.shape)

    def _moments(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        location, raw_deviation = at_least_float32(parameters).chunk(2, dim=1)
        location = torch.tanh(location) if self.activation == "tanh" else location
        # Unlike the exponential, softplus grows no faster than its argument: one large value does not overflow.
        return location, self.least + functional.softplus(raw_deviation)


class SharedDeviation(nn.Module):
    """Has one raw deviation for all values, and puts it beside each of the decoder's locations."""

    def __init__(self) -> None:
        super().__init__()
        # softplus(0) = 0.69: at first about the spread of data in [-1, 1].
        self.raw_deviation = nn.Parameter(torch.zeros(1))

    def forward(self, locations: Tensor) -> Tensor:
        """``(N, C, ...)`` to ``(N, 2 C, ...)``."""
        return torch.cat([locations, self.raw_deviation.expand_as(locations)], dim=1)
