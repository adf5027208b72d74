"""What some models can do and others cannot: asked for where it is needed, in place of a model's class.

A model, and the sampler that it holds, has a capability if it has the methods.
"""

from typing import Protocol, runtime_checkable

from torch import Tensor

from genzoo.losses.likelihoods import Likelihood
from genzoo.noise import Noise
from genzoo.sampling.priors import Density


@runtime_checkable
class Encodes(Protocol):
    """Tells which latent variables belong to given data."""

    def encode(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """The latent variables of data: ``(N, *data_shape)`` and their labels to ``(N, *latent_shape)``."""

    def reconstruct(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Data through the bottleneck and back: ``(N, *data_shape)`` and their labels to the same shape."""


@runtime_checkable
class HasPosterior(Protocol):
    """Tells how probable latent variables are of given data: diagonal Gaussians, beside the prior they came from."""

    prior: Density

    def condition_of(self, x: Tensor, y: Tensor | None) -> Tensor | None:
        """The condition of data as the networks get it, ``(N, *condition.shape)``, or None."""

    def posterior(self, x: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the latent variables of data, each ``(N, *latent_shape)``."""


@runtime_checkable
class HasLikelihood(Protocol):
    """Gives data a likelihood."""

    likelihood: Likelihood

    def log_likelihood(
        self, x: Tensor, y: Tensor | None = None, samples: int = 500, noise: Noise | None = None
    ) -> Tensor:
        """A bound on log p(x), or log p(x given y), of each item: ``(N, *data_shape)`` to ``(N,)``, in nats."""


@runtime_checkable
class Represents(Protocol):
    """Makes features of data that a linear classifier can be trained on.

    Attributes:
        representation_name: What the score of its features is called, behind ``linear_accuracy/``.
    """

    representation_name: str

    def representation(self, x: Tensor) -> Tensor:
        """Features of data: ``(N, *data_shape)`` to ``(N, D)``."""
