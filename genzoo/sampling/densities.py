r"""Densities of codes, fitted when the networks are trained.

.. math:: p(z) = \sum_k \pi_k N(z; \mu_k, L_k L_k^T)

Source: Ghosh et al., "From variational to deterministic autoencoders", ICLR 2020, section 4: a Gaussian with full
covariance, or a mixture of ten, fitted to the codes of the training images. Not from the paper: a limit on the
number of codes.
"""

import math
import warnings
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from genzoo.extras import import_extra
from genzoo.hyperparameters import WholeNumbers
from genzoo.noise import Noise
from genzoo.precision import at_least_float32
from genzoo.sampling.priors import Density, Prior

# Added to every variance, so that codes that do not vary have a density too: a share of the codes' mean variance and,
# for codes that all are equal, a little more than nothing.
RELATIVE_RIDGE = 1e-6
SMALLEST_RIDGE = 1e-18


class FittedDensity(Density):
    """A density of codes, all of it in buffers: a checkpoint carries it, and an optimiser does not see it.

    Args:
        latent_shape: Shape of one item's code.
        max_codes: To how many codes at most it is fitted.

    Attributes:
        codes_seen: To how many it was fitted; 0 before.
    """

    codes_seen: Tensor

    def __init__(self, latent_shape: Sequence[int], max_codes: int) -> None:
        super().__init__(latent_shape)
        self.max_codes = max_codes
        self.register_buffer("codes_seen", torch.zeros((), dtype=torch.int64))

    @abstractmethod
    def require_fittable(self, number: int) -> None:
        """Raises if ``number`` codes are too few, or if a package is missing that fitting needs."""

    @abstractmethod
    def fit(self, codes: Tensor) -> None:
        """Fits the density to codes ``(N, *latent_shape)``, as a function of these alone."""

    def require_fitted(self) -> None:
        """Raises a `RuntimeError` if the density has not been fitted; to be asked before it is used."""
        if self.codes_seen == 0:
            raise RuntimeError(
                "the density of the codes has not been fitted yet; train the model with a data module, or call "
                "model.fit_density(batches) with batches of training images"
            )


class FittedPrior(Prior):
    """A prior that is fitted to the codes of the training data, once their networks are trained."""

    @abstractmethod
    def build(self, latent_shape: Sequence[int]) -> FittedDensity:
        """The density of codes ``(N, *latent_shape)``, yet to be fitted."""


@dataclass(frozen=True)
class GaussianMixtureDensity(WholeNumbers, FittedPrior):
    """A mixture of Gaussians with full covariances, fitted by scikit-learn's expectation maximisation.

    Args:
        components: Number of Gaussians; 1 is the Gaussian that has the mean and the covariance of the codes.
        max_codes: To how many codes at most the mixture is fitted; time and memory are proportional to it.
    """

    components: int = 10
    max_codes: int = 5000

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.components < 1:
            raise ValueError(f"components must be at least 1, got {self.components}")
        if self.max_codes < max(2, self.components):
            raise ValueError(
                f"max_codes must be at least 2 and at least the number of components ({self.components}), "
                f"got {self.max_codes}"
            )

    def build(self, latent_shape: Sequence[int]) -> FittedDensity:
        """A mixture in as many dimensions as the shape has entries, yet to be fitted."""
        return GaussianMixture(self.components, latent_shape, self.max_codes)


class GaussianMixture(FittedDensity):
    """The mixture that a `GaussianMixtureDensity` builds, in L dimensions: all entries of a code, whatever its shape.

    Attributes:
        weights: ``(components,)``, the probability of each.
        means: ``(components, L)``.
        scales: ``(components, L, L)``, lower triangular, the Cholesky factors of the covariances.
    """

    weights: Tensor
    means: Tensor
    scales: Tensor

    def __init__(self, components: int, latent_shape: Sequence[int], max_codes: int) -> None:
        super().__init__(latent_shape, max_codes)
        dimensions = math.prod(latent_shape)
        self.register_buffer("weights", torch.full((components,), 1.0 / components))
        self.register_buffer("means", torch.zeros(components, dimensions))
        self.register_buffer("scales", torch.eye(dimensions).repeat(components, 1, 1))

    def require_fittable(self, number: int) -> None:
        """Raises if there are too few codes or scikit-learn is not installed.

        Raises:
            ValueError: If there are fewer codes than components, or only one.
            ModuleNotFoundError: If scikit-learn is not installed.
        """
        import_extra("sklearn.mixture", "scikit-learn", "fitting a GaussianMixtureDensity")
        if number < max(2, len(self.weights)):
            raise ValueError(
                f"a density of {len(self.weights)} component(s) cannot be fitted to the codes of {number} training "
                f"image(s), it needs at least {max(2, len(self.weights))}; give fewer components or more images"
            )

    def fit(self, codes: Tensor) -> None:
        """Fits the mixture to codes ``(N, *latent_shape)`` by at most 100 steps of expectation maximisation.

        Raises:
            ValueError: If there are too few codes, or some are not finite.
            ModuleNotFoundError: If scikit-learn is not installed.
        """
        self.require_fittable(len(codes))
        if not codes.isfinite().all():
            raise ValueError("a density cannot be fitted to codes that are not finite; lower the learning rate")
        rows = codes.flatten(1).double().cpu().numpy()
        mixture = import_extra("sklearn.mixture", "scikit-learn", "fitting a GaussianMixtureDensity").GaussianMixture(
            len(self.weights),
            covariance_type="full",
            reg_covar=RELATIVE_RIDGE * rows.var(0).mean() + SMALLEST_RIDGE,
            random_state=0,
        )
        # One thread: the result then depends on nothing but the codes, and where other threads are at work
        # (torch's, another rank's) several have taken fifty times as long.
        threads = import_extra("threadpoolctl", "threadpoolctl", "fitting a GaussianMixtureDensity")
        with warnings.catch_warnings(), threads.threadpool_limits(1):
            # A mixture that could still improve a little, or codes that coincide, are no reason to stop a run.
            warnings.simplefilter("ignore")
            mixture.fit(rows)
        self.weights.copy_(torch.from_numpy(mixture.weights_))
        self.means.copy_(torch.from_numpy(mixture.means_))
        self.scales.copy_(torch.from_numpy(np.linalg.cholesky(mixture.covariances_)))
        self.codes_seen.fill_(len(codes))

    def sample(self, number: int, noise: Noise) -> Tensor:
        """Draws ``(number, *latent_shape)``: a uniform number picks the component, normal ones do the rest.

        Raises:
            RuntimeError: If it has not been fitted.
        """
        self.require_fitted()
        weights, means, scales = (at_least_float32(part) for part in (self.weights, self.means, self.scales))
        chosen = torch.searchsorted(weights.cumsum(0), noise.uniform(number).to(weights.dtype), right=True)
        # Rounding may leave the last of the cumulated weights a little below 1.
        chosen = chosen.clamp(max=len(weights) - 1)
        normal = noise.normal(number, means.shape[1]).to(means.dtype)
        drawn = means[chosen] + (scales[chosen] @ normal[:, :, None]).squeeze(2)
        return drawn.view(number, *self.latent_shape)

    def log_prob(self, z: Tensor) -> Tensor:
        """The log-density in nats: ``(N, *latent_shape)`` to ``(N,)``.

        Raises:
            RuntimeError: If it has not been fitted.
        """
        self.require_fitted()
        weights, means, scales = (at_least_float32(part) for part in (self.weights, self.means, self.scales))
        difference = z.flatten(1).to(means.dtype) - means[:, None]
        # With a Cholesky factor no covariance is inverted, which nearly singular ones would make inaccurate.
        normal = torch.linalg.solve_triangular(scales, difference.mT, upper=False)
        log_volume = scales.diagonal(dim1=1, dim2=2).log().sum(1) + 0.5 * means.shape[1] * math.log(2.0 * math.pi)
        per_component: Tensor = weights.log() - log_volume - 0.5 * normal.square().sum(1).mT
        return per_component.logsumexp(1)
