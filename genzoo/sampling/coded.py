"""Codes beside noise (Chen et al. 2016, InfoGAN): categories as one-hot vectors, and numbers in [-1, 1)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from genzoo.hyperparameters import WholeNumbers
from genzoo.noise import Noise
from genzoo.sampling.priors import Density, Prior, UniformPrior


class Coded(NamedTuple):
    """The parts of latent variables z, views of it: what is written into them is written into z.

    Attributes:
        noise: ``(N, L)``.
        categories: One-hot vectors ``(N, K)``, one for each categorical code.
        numbers: ``(N, M)``, the continuous codes.
    """

    noise: Tensor
    categories: tuple[Tensor, ...]
    numbers: Tensor


@dataclass(frozen=True)
class CodedPrior(WholeNumbers, Prior):
    """p(z) of noise, then categorical codes, all categories alike, then continuous codes uniform on [-1, 1).

    Args:
        categories: Of each categorical code, how many values it has.
        continuous: How many continuous codes there are.
        noise: What the latent variables in front of the codes are drawn from.
    """

    categories: tuple[int, ...] = (10,)
    continuous: int = 2
    noise: Prior = field(default_factory=UniformPrior)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.length:
            raise ValueError("a CodedPrior needs codes; give categories, such as [10], or a number of continuous ones")

    @property
    def length(self) -> int:
        """How many latent variables the codes take."""
        return sum(self.categories) + self.continuous

    def build(self, latent_shape: Sequence[int]) -> Density:
        """The density of noise and codes, ``(L + length,)``.

        Raises:
            ValueError: If latent variables are no vectors, or too few for the codes.
        """
        if len(latent_shape) != 1 or latent_shape[0] < self.length:
            raise ValueError(
                f"the codes of a CodedPrior are {self.length} entries of a vector, but latent variables have shape "
                f"{tuple(latent_shape)}; choose a latent_dim of {self.length} or more, or fewer codes"
            )
        return CodedDensity(latent_shape, self)


class CodedDensity(Density):
    """The density that a `CodedPrior` builds.

    Args:
        latent_shape: ``(L + length,)``.
        prior: What it is built by.
    """

    def __init__(self, latent_shape: Sequence[int], prior: CodedPrior) -> None:
        super().__init__(latent_shape)
        self.sizes = [latent_shape[0] - prior.length, *prior.categories, prior.continuous]
        self.noise = prior.noise.build((self.sizes[0],))
        self.numbers = UniformPrior().build((prior.continuous,))

    def parts(self, z: Tensor) -> Coded:
        """Noise and codes of ``(N, L + length)``."""
        noise, *categories, numbers = z.split(self.sizes, 1)
        return Coded(noise, tuple(categories), numbers)

    def sample(self, number: int, noise: Noise) -> Tensor:
        """Draws ``(number, L + length)``, float32."""
        categories = [
            functional.one_hot((noise.uniform(number) * size).long(), size).float() for size in self.sizes[1:-1]
        ]
        return torch.cat([self.noise.sample(number, noise), *categories, self.numbers.sample(number, noise)], dim=1)

    def log_prob(self, z: Tensor) -> Tensor:
        r"""Log-density plus log-probability of categories, in nats: ``(N, L + length)`` to ``(N,)``.

        :math:`-\log K` for each categorical code; minus infinity if it is no one-hot vector.
        """
        noise, categories, numbers = self.parts(z)
        total = self.noise.log_prob(noise) + self.numbers.log_prob(numbers)
        for category in categories:
            is_one_hot = ((category == 0.0) | (category == 1.0)).all(1) & (category.sum(1) == 1.0)
            total = (total - math.log(category.shape[1])).masked_fill(~is_one_hot, -math.inf)
        return total

    def returned(self, z: Tensor, noise: Noise) -> Tensor:
        """Brings noise and numbers back as their own densities do, and each category to the nearest one-hot vector."""
        parts = self.parts(z)
        categories = [functional.one_hot(each.argmax(1), each.shape[1]).to(z) for each in parts.categories]
        own = self.noise.returned(parts.noise, noise), self.numbers.returned(parts.numbers, noise)
        return torch.cat([own[0], *categories, own[1]], dim=1)

    def truncated(self, z: Tensor, truncation: float) -> Tensor:
        """Truncates the noise, if its density can be, and leaves the codes as they are."""
        parts = self.parts(z)
        return torch.cat([self.noise.truncated(parts.noise, truncation), *parts.categories, parts.numbers], dim=1)
