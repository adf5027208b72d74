"""Likelihoods p(x|z): each owns its range, its output activation and its constants.

A decoder gives raw output of the likelihood's `decoder_shape`, and the module that it builds puts beside it what all
values share; with these parameters it is a distribution over items. Every log-probability is in nats, summed over all
values of an item, constants included. Those here give values in [-1, 1]; the Gaussians have a file of their own.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from genzoo.hyperparameters import Settings
from genzoo.noise import Noise
from genzoo.precision import at_least_float32
from genzoo.spec import DataSpec, is_image


class Likelihood(Settings, ABC):
    """The distribution of an item of data given the decoder's output.

    Attributes:
        is_black_and_white: Whether it gives probability to -1 and 1 only.
    """

    is_black_and_white: ClassVar[bool] = False

    @property
    def is_bounded(self) -> bool:
        """Whether its mean lies in [-1, 1]."""
        return True

    def require_fit(self, spec: DataSpec) -> None:
        """Asks whether data can have this distribution.

        Args:
            spec: Of the data.

        Raises:
            ValueError: If they cannot.
        """
        name = type(self).__name__
        if self.is_bounded and not is_image(spec["shape"]):
            raise ValueError(
                f"a {name} likelihood with values in [-1, 1] does not fit points without bounds; use Gaussian or "
                "LearnedGaussian with activation identity"
            )
        if spec.get("binarised", False) and not self.is_black_and_white:
            raise ValueError(f"the data are black and white, which a {name} likelihood does not fit; use Bernoulli")

    def decoder_shape(self, data_shape: Sequence[int]) -> tuple[int, ...]:
        """The shape of the decoder's raw output for one item; that of the item unless each value takes more numbers.

        Args:
            data_shape: Of one item, ``(C, ...)``.
        """
        return tuple(data_shape)

    def build(self) -> nn.Module:
        """The module that turns the decoder's raw output into the parameters of `log_prob`, `mean` and `sample`.

        It has as its own parameters what all values of all items share; where there is nothing of the kind, it is the
        identity.
        """
        return nn.Identity()

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
            parameters: What the built module made of the decoder's raw output, ``(N, ...)``.

        Returns:
            ``(N,)``.
        """

    @abstractmethod
    def mean(self, parameters: Tensor) -> Tensor:
        """Expected item given the parameters, ``(N, C, ...)``, in the range of the data."""

    @abstractmethod
    def sample(self, parameters: Tensor, noise: Noise) -> Tensor:
        """A draw given the parameters, ``(N, C, ...)``."""


def with_two_numbers_per_value(data_shape: Sequence[int]) -> tuple[int, ...]:
    """The shape of locations and, behind them, as many scales of items: ``(C, ...)`` to ``(2 C, ...)``."""
    channels, *size = data_shape
    return 2 * channels, *size


@dataclass(frozen=True)
class Bernoulli(Likelihood):
    r"""Black or white pixels; the decoder gives logits.

    .. math:: \log p(b|z) = \sum_i b_i \log \pi_i + (1 - b_i) \log (1 - \pi_i), \quad \pi = \mathrm{sigmoid}(l)

    Black is -1 and white is 1; b = (x + 1) / 2. A grey value is not in the support: `observe` draws white with
    probability (x + 1) / 2, anew each time (Salakhutdinov and Murray 2008; Burda et al. 2016). Cross-entropy on
    the grey values themselves would not be a log-likelihood.
    """

    is_black_and_white: ClassVar[bool] = True

    def observe(self, x: Tensor, noise: Noise) -> Tensor:
        """Binarises grey values at random: ``(N, ...)`` in [-1, 1] to {-1, 1}."""
        return _black_or_white(noise, (x + 1.0) / 2.0)

    def log_prob(self, observation: Tensor, parameters: Tensor) -> Tensor:
        """Log-probability of pixels in {-1, 1} given logits, ``(N,)`` in nats."""
        bits = (observation + 1.0) / 2.0
        # From logits: where the decoder is sure, the logarithm of a probability would be minus infinity.
        cross_entropy = functional.binary_cross_entropy_with_logits(
            at_least_float32(parameters), bits, reduction="none"
        )
        return -cross_entropy.flatten(1).sum(1)

    def mean(self, parameters: Tensor) -> Tensor:
        """Probability of white, as a grey value in [-1, 1]."""
        return 2.0 * parameters.sigmoid() - 1.0

    def sample(self, parameters: Tensor, noise: Noise) -> Tensor:
        """Black and white images, -1 or 1."""
        return _black_or_white(noise, at_least_float32(parameters).sigmoid())


def _black_or_white(noise: Noise, probability_of_white: Tensor) -> Tensor:
    return 2.0 * (noise.uniform(*probability_of_white.shape) < probability_of_white).float() - 1.0


@dataclass(frozen=True)
class ContinuousBernoulli(Likelihood):
    r"""Grey values between black and white; the decoder gives logits.

    With u = (x + 1) / 2 and lambda = sigmoid(logit)

    .. math:: \log p(x|z) = \sum_i u_i \log\lambda_i + (1 - u_i) \log(1 - \lambda_i) + \log C(\lambda_i) - \log 2,
        \quad C(\lambda) = \frac{2 \tanh^{-1}(1 - 2\lambda)}{1 - 2\lambda}

    C makes cross-entropy on grey values a density; log 2 is the change of scale from u to x. In the logit l,
    C = l / tanh(l / 2), and the mean of x is 1 / tanh(l / 2) - 2 / l: exact however sure the decoder is.
    Source: Loaiza-Ganem and Cunningham 2019, equations 2 to 5.
    """

    def log_prob(self, observation: Tensor, parameters: Tensor) -> Tensor:
        """Log-density of values in [-1, 1] given logits, ``(N,)`` in nats."""
        logits, grey = at_least_float32(parameters), (observation + 1.0) / 2.0
        cross_entropy = functional.binary_cross_entropy_with_logits(logits, grey, reduction="none")
        # The 2 of C = 2 (l / 2) / tanh(l / 2) is that of the change of scale.
        log_normaliser = _log_of_quotient_with_tanh(logits / 2.0)
        return (log_normaliser - cross_entropy).flatten(1).sum(1)

    def mean(self, parameters: Tensor) -> Tensor:
        """Expected value in [-1, 1]; greyer than the location of the logit."""
        near_0, away, is_near_0 = _divided_at_0(at_least_float32(parameters) / 2.0)
        square = near_0.square()
        series = near_0 * (1.0 / 3.0 - square * (1.0 / 45.0 - square * (2.0 / 945.0 - square / 4725.0)))
        return torch.where(is_near_0, series, 1.0 / away.tanh() - 1.0 / away)

    def sample(self, parameters: Tensor, noise: Noise) -> Tensor:
        """Values in [-1, 1], by the inverse of the distribution function."""
        logits, uniform = at_least_float32(parameters), noise.uniform(*parameters.shape)
        # From the end where the density is high, so that no digits are lost where it is steep. At a logit of 0 the
        # inverse would be 0 / 0; up to 1e-6 the distribution is uniform to the last digit.
        size, is_white = logits.abs().clamp(min=1e-6), logits > 0.0
        depth = torch.where(is_white, 1.0 - uniform, uniform)
        distance = (torch.log1p(depth * torch.expm1(-size)) / -size).clamp(max=1.0)
        return torch.where(is_white, 1.0 - 2.0 * distance, 2.0 * distance - 1.0)


def _log_of_quotient_with_tanh(x: Tensor) -> Tensor:
    """The logarithm of x / tanh(x), with value and gradient 0 at 0."""
    near_0, away, is_near_0 = _divided_at_0(x)
    square = near_0.square()
    series = square * (1.0 / 3.0 - square * (7.0 / 90.0 - square * (62.0 / 2835.0 - square * 127.0 / 18900.0)))
    return torch.where(is_near_0, series, (away / away.tanh()).log())


def _divided_at_0(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Values near 0, for a series, and those away from it, for a quotient: others replaced, so that no gradient is NaN.

    Returns:
        The values near 0, those away from it, and which are near; each of the shape of x.
    """
    # Below 1/4 the first terms that the series leave out are about as small as float32's rounding errors; above it the
    # quotients lose fewer than two digits.
    is_near_0 = x.abs() < 0.25
    return torch.where(is_near_0, x, 0.0), torch.where(is_near_0, 1.0, x), is_near_0


@dataclass(frozen=True)
class DiscretizedLogistic(Likelihood):
    r"""The 256 grey levels as bins of a logistic distribution; the decoder gives locations and log-scales.

    .. math:: P(x|z) = \prod_i F\Big(\frac{x_i + \tfrac1{255} - m_i}{s_i}\Big)
        - F\Big(\frac{x_i - \tfrac1{255} - m_i}{s_i}\Big), \quad F = \mathrm{sigmoid}

    with the lowest and the highest bin open to their sides. A probability, not a density: it sums to one over the
    grey levels. Source: Kingma et al. 2016, appendix; Salimans et al. 2017, equation 2, with one component.

    Args:
        greatest_log_scale: Bound of log s on both sides, which keeps probabilities and gradients finite.
    """

    greatest_log_scale: float = 7.0

    def decoder_shape(self, data_shape: Sequence[int]) -> tuple[int, ...]:
        """A location and a log-scale for each value."""
        return with_two_numbers_per_value(data_shape)

    def log_prob(self, observation: Tensor, parameters: Tensor) -> Tensor:
        """Log-probability of the grey levels nearest to values in [-1, 1], ``(N,)`` in nats."""
        location, log_scale = self._moments(parameters)
        level = ((observation + 1.0) * 127.5).round() / 127.5 - 1.0
        above = (level + 1.0 / 255.0 - location) * (-log_scale).exp()
        below = (level - 1.0 / 255.0 - location) * (-log_scale).exp()
        # log(F(above) - F(below)) = log F(above) + log F(-below) + log(1 - exp(below - above)), without cancellation.
        inside = torch.log(-torch.expm1(-2.0 / 255.0 * (-log_scale).exp()))
        inner = functional.logsigmoid(above) + functional.logsigmoid(-below) + inside
        # Levels are 2 / 255 apart, so that 0.999 tells the outermost from all others whatever the rounding.
        lowest, highest = functional.logsigmoid(above), functional.logsigmoid(-below)
        log_probability = torch.where(level < -0.999, lowest, torch.where(level > 0.999, highest, inner))
        return log_probability.flatten(1).sum(1)

    def mean(self, parameters: Tensor) -> Tensor:
        """The locations, which lie in [-1, 1]."""
        return self._moments(parameters)[0]

    def sample(self, parameters: Tensor, noise: Noise) -> Tensor:
        """Grey levels in [-1, 1], by the inverse of the distribution function."""
        location, log_scale = self._moments(parameters)
        drawn = (location + log_scale.exp() * torch.logit(noise.uniform(*location.shape))).clamp(-1.0, 1.0)
        return ((drawn + 1.0) * 127.5).round() / 127.5 - 1.0

    def _moments(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        location, log_scale = at_least_float32(parameters).chunk(2, dim=1)
        return torch.tanh(location), log_scale.clamp(-self.greatest_log_scale, self.greatest_log_scale)
