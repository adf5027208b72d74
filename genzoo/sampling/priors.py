"""Priors p(z) of latent variables: values that build densities, from which generators draw their inputs."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genzoo.losses.divergences import standard_normal_kl
from genzoo.noise import Noise
from genzoo.precision import at_least_float32


class Density(nn.Module, ABC):
    """A density of latent variables that one can draw from.

    What it learns, or is fitted to, is its own: parameters or buffers.

    Args:
        latent_shape: Shape of one item's latent variables, such as ``(L,)``, or ``(C, H, W)`` for a grid.
    """

    def __init__(self, latent_shape: Sequence[int]) -> None:
        super().__init__()
        self.latent_shape = tuple(latent_shape)

    @abstractmethod
    def sample(self, number: int, noise: Noise) -> Tensor:
        """Draws ``(number, *latent_shape)``; item i is a function of the i-th row of the noise."""

    @abstractmethod
    def log_prob(self, z: Tensor) -> Tensor:
        """The log-density in nats: ``(N, *latent_shape)`` to ``(N,)``, in float32 at least."""

    def returned(self, z: Tensor, noise: Noise) -> Tensor:
        """Latent variables ``(N, *latent_shape)`` that a search has moved, brought back to where the density is not 0.

        Args:
            z: The latent variables.
            noise: For densities that draw anew what has left them; row i is that of item i.
        """
        return z

    def truncated(self, z: Tensor, truncation: float) -> Tensor:
        """Brings latent variables that were drawn from this density nearer to its middle.

        Args:
            z: ``(N, *latent_shape)``.
            truncation: How far from the middle they may lie, in every dimension.

        Returns:
            Draws from the truncated density, each a function of its own z.

        Raises:
            ValueError: If the density cannot be truncated, or not so.
        """
        raise ValueError(
            "only latent variables of a normal or a uniform prior can be truncated, and this model draws its own from "
            "another density; leave truncation out"
        )

    def kl(self, mean: Tensor, log_variance: Tensor) -> Tensor | None:
        r"""The divergence of diagonal Gaussians from this density, in closed form where there is one.

        .. math:: D_{KL}(N(\mu, \sigma^2) \,\|\, p)

        Args:
            mean: mu, ``(N, *latent_shape)``.
            log_variance: log sigma^2, ``(N, *latent_shape)``.

        Returns:
            ``(N, *latent_shape)``, the nats of each latent variable; None where there is no closed form that is a
            sum over them.
        """
        return None

    def quantiles(self, probabilities: Tensor) -> Tensor | None:
        """The inverse of the cumulative distribution of one latent variable, in closed form where there is one.

        Args:
            probabilities: ``(T,)``, above 0 and below 1.

        Returns:
            ``(T,)``, the same for every latent variable; None where they differ or there is no closed form.
        """
        return None


class Prior(ABC):
    """The distribution of the latent variables: a value that builds the density."""

    @abstractmethod
    def build(self, latent_shape: Sequence[int]) -> Density:
        """The density of latent variables ``(N, *latent_shape)``; one that is fitted or learned is yet to be."""


@dataclass(frozen=True)
class NormalPrior(Prior):
    """z ~ N(0, I)."""

    def build(self, latent_shape: Sequence[int]) -> Density:
        """The standard normal density in as many dimensions as the shape has entries."""
        return StandardNormal(latent_shape)


@dataclass(frozen=True)
class UniformPrior(Prior):
    """z uniform on [-1, 1) in every dimension."""

    def build(self, latent_shape: Sequence[int]) -> Density:
        """The uniform density on a cube of side 2."""
        return UniformCube(latent_shape)


class StandardNormal(Density):
    """The density that a `NormalPrior` builds."""

    def sample(self, number: int, noise: Noise) -> Tensor:
        """Draws ``(number, *latent_shape)`` from N(0, I), float32."""
        return noise.normal(number, *self.latent_shape)

    def truncated(self, z: Tensor, truncation: float) -> Tensor:
        r"""Draws from N(0, I) given that every entry lies in [-t, t], by the inverse of the distribution function.

        .. math:: z' = \Phi^{-1}(\Phi(-t) + \Phi(z) \, (\Phi(t) - \Phi(-t)))

        Source of the idea: Brock et al., "Large scale GAN training", ICLR 2019, section 3.1, who draw anew whatever
        lies outside. Moving every entry gives the same distribution, and pictures that change gradually with t.

        Args:
            z: ``(N, *latent_shape)``.
            truncation: t, above 0.

        Raises:
            ValueError: If the truncation is not above 0.
        """
        if not truncation > 0.0:
            raise ValueError(f"truncation of a normal prior should be above 0, got {truncation:g}")
        # In double precision, and on the CPU, since some devices have none: the tails lie close to 0 and 1.
        below, above = torch.special.ndtr(torch.tensor([-truncation, truncation], dtype=torch.float64))
        share = torch.special.ndtr(z.cpu().double())
        truncated: Tensor = torch.special.ndtri(below + share * (above - below))
        return truncated.to(z)

    def log_prob(self, z: Tensor) -> Tensor:
        r"""The log-density in nats: ``(N, *latent_shape)`` to ``(N,)``.

        .. math:: \log p(z) = -\tfrac12 \sum_j (z_j^2 + \log 2 \pi)
        """
        return -0.5 * (at_least_float32(z).square() + math.log(2.0 * math.pi)).flatten(1).sum(1)

    def kl(self, mean: Tensor, log_variance: Tensor) -> Tensor:
        """See `standard_normal_kl`."""
        return standard_normal_kl(mean, log_variance)

    def quantiles(self, probabilities: Tensor) -> Tensor:
        """Those of N(0, 1)."""
        found: Tensor = torch.special.ndtri(probabilities)
        return found


class UniformCube(Density):
    """The density that a `UniformPrior` builds."""

    def sample(self, number: int, noise: Noise) -> Tensor:
        """Draws ``(number, *latent_shape)`` from [-1, 1), float32."""
        return 2.0 * noise.uniform(number, *self.latent_shape) - 1.0

    def returned(self, z: Tensor, noise: Noise) -> Tensor:
        """Draws anew, from [-1, 1), each latent variable that lies outside: stochastic clipping.

        Clipped to the edge, latent variables would stay there. Source: Lipton and Tripathi 2017, section 2.
        """
        is_outside = (z < -1.0) | (z >= 1.0)
        return z.where(~is_outside, self.sample(len(z), noise).to(z.dtype))

    def truncated(self, z: Tensor, truncation: float) -> Tensor:
        """Draws from the uniform density on [-t, t): t z.

        Args:
            z: ``(N, *latent_shape)``.
            truncation: t, above 0 and at most 1.

        Raises:
            ValueError: If the truncation is another.
        """
        if not 0.0 < truncation <= 1.0:
            raise ValueError(f"truncation of a uniform prior should be above 0 and at most 1, got {truncation:g}")
        return truncation * z

    def log_prob(self, z: Tensor) -> Tensor:
        r"""The log-density in nats: ``(N, *latent_shape)`` to ``(N,)``.

        :math:`-L \log 2` for L latent variables that all lie in [-1, 1), and minus infinity elsewhere.
        """
        flat = at_least_float32(z).flatten(1)
        # Half open, as the uniform numbers that samples are made of.
        inside = ((flat >= -1.0) & (flat < 1.0)).all(1)
        return flat.new_full((len(flat),), -flat.shape[1] * math.log(2.0)).masked_fill(~inside, -math.inf)

    def quantiles(self, probabilities: Tensor) -> Tensor:
        """A straight line from -1 to 1."""
        return 2.0 * probabilities - 1.0
