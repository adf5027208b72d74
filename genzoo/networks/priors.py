"""Priors p(z): where a generator's inputs are drawn from."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor

from genzoo.noise import Noise


class Prior(ABC):
    """The distribution of the latent variables."""

    @abstractmethod
    def sample(self, number: int, latent_dim: int, noise: Noise) -> Tensor:
        """Draws ``(number, latent_dim)``, float32."""


@dataclass(frozen=True)
class NormalPrior(Prior):
    """z ~ N(0, I)."""

    def sample(self, number: int, latent_dim: int, noise: Noise) -> Tensor:
        """Draws ``(number, latent_dim)`` from the standard normal."""
        return noise.normal(number, latent_dim)


@dataclass(frozen=True)
class UniformPrior(Prior):
    """z uniform on [-1, 1] in every dimension."""

    def sample(self, number: int, latent_dim: int, noise: Noise) -> Tensor:
        """Draws ``(number, latent_dim)`` from [-1, 1)."""
        return 2.0 * noise.uniform(number, latent_dim) - 1.0
