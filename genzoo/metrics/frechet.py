"""The Frechet distance between features of real and of generated data, at N samples and extrapolated to infinity."""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric

from genzoo.hyperparameters import whole_number
from genzoo.metrics.canonical_order import canonical_order
from genzoo.metrics.inputs import TooFewSamplesError, require_features
from genzoo.metrics.two_samples import TwoSampleMetric


class Moments(NamedTuple):
    """Mean ``(D,)`` and unbiased covariance ``(D, D)`` of features, float64."""

    mean: Tensor
    covariance: Tensor


def moments_of(features: Tensor) -> Moments:
    """Mean and covariance of features ``(N, D)``, in float64."""
    features = features.double()
    mean = features.mean(0)
    centred = features - mean
    return Moments(mean, centred.T @ centred / (len(features) - 1))


def frechet_distance(real: Moments, fake: Moments) -> Tensor:
    r"""The squared Frechet (2-Wasserstein) distance between two Gaussians, exactly.

    .. math:: d^2 = \|\mu_r - \mu_f\|^2 + \mathrm{tr}\,\Sigma_r + \mathrm{tr}\,\Sigma_f
        - 2\,\mathrm{tr}\,(\Sigma_r^{1/2} \Sigma_f \Sigma_r^{1/2})^{1/2}

    The last trace is the sum of the roots of the eigenvalues of a symmetric matrix: no iterations, no imaginary
    parts. Source: Dowson and Landau 1982.

    Returns:
        A scalar, float64, >= 0.
    """
    return _distance(real, _root(real.covariance), fake)


def _root(covariance: Tensor) -> Tensor:
    # Rounding may make the smallest eigenvalues of a positive semidefinite matrix negative, here and below.
    eigenvalues, vectors = torch.linalg.eigh(covariance)
    root: Tensor = vectors * eigenvalues.clamp(min=0.0).sqrt() @ vectors.T
    return root


def _distance(real: Moments, real_root: Tensor, fake: Moments) -> Tensor:
    eigenvalues = torch.linalg.eigvalsh(real_root @ fake.covariance @ real_root)
    squared = (real.mean - fake.mean).square().sum() + real.covariance.trace() + fake.covariance.trace()
    distance: Tensor = squared - 2.0 * eigenvalues.clamp(min=0.0).sqrt().sum()
    return distance.clamp(min=0.0)


class FrechetDistance(Metric):
    r"""The squared Frechet distance between Gaussians fitted to real and generated features.

    .. math:: d^2 = \|\mu_r - \mu_f\|^2 + \mathrm{tr}(\Sigma_r + \Sigma_f - 2 (\Sigma_r \Sigma_f)^{1/2})

    In the features of Inception-v3 it is the FID; in all others it is called ``fd/<extractor>``. It falls with
    the number of samples, so only scores of equal numbers compare. Keeps sums and products of the features in
    float64, not the features. Sources: Heusel et al. 2017, equation 6; Dowson and Landau 1982.

    Args:
        feature_dim: D, number of features.
        real: Features of the real data where they are known beforehand, ``(M, D)``, the same on every device.
        allow_few: Take fewer samples than features too, where the covariance is singular.
        **kwargs: As for `torchmetrics.Metric`.

    Raises:
        TooFewSamplesError: In `compute`, if there are fewer samples than features, or fewer than two.

    Example:
        >>> import torch
        >>> from genzoo.metrics import FrechetDistance
        >>> distance = FrechetDistance(feature_dim=1)
        >>> distance.update(torch.tensor([[0.0], [2.0]]), real=True)
        >>> distance.update(torch.tensor([[3.0], [5.0]]))
        >>> distance.compute()
        tensor(9.)
    """

    higher_is_better = False
    is_differentiable = False
    full_state_update = False
    number: Tensor
    total: Tensor
    products: Tensor
    _known_mean: Tensor | None
    _known_covariance: Tensor | None

    def __init__(self, feature_dim: int, real: Tensor | None = None, allow_few: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.feature_dim = whole_number("feature_dim", feature_dim, 1)
        self.allow_few = allow_few
        known = None if real is None else moments_of(require_features(real, feature_dim))
        # Buffers follow the metric to its device; not persistent, since they are data and no state.
        self.register_buffer("_known_mean", None if known is None else known.mean, persistent=False)
        self.register_buffer("_known_covariance", None if known is None else known.covariance, persistent=False)
        self._known_number = 0 if real is None else len(real)
        # One row for generated and one for real features.
        self.add_state("number", torch.zeros(2, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("total", torch.zeros(2, feature_dim, dtype=torch.float64), dist_reduce_fx="sum")
        products = torch.zeros(2, feature_dim, feature_dim, dtype=torch.float64)
        self.add_state("products", products, dist_reduce_fx="sum")

    def update(self, features: Tensor, real: bool = False) -> None:
        """Takes in features.

        Args:
            features: ``(N, D)``.
            real: Whether they are of real data.

        Raises:
            ValueError: If their shape is wrong or they are not finite.
        """
        if real and self._known_number:
            raise ValueError(
                "FrechetDistance was made with the features of its real data and takes no others; make it without "
                "`real` to update them"
            )
        features = require_features(features, self.feature_dim).to(self.device).double()
        row = int(real)
        self.number[row] += len(features)
        self.total[row] += features.sum(0)
        self.products[row] += features.T @ features

    def compute(self) -> Tensor:
        """The distance, a scalar, float32."""
        fake_number, real_number = self.number.tolist()
        real_number = self._known_number or real_number
        fewest = 2 if self.allow_few else max(2, self.feature_dim)
        if min(real_number, fake_number) < fewest:
            raise TooFewSamplesError(
                f"FrechetDistance has {real_number} real and {fake_number} generated samples, but needs at least "
                f"{fewest} of each ({self.feature_dim} features); give it more samples, or an extractor with fewer "
                "features"
            )
        return frechet_distance(self._real_moments(), self._moments(0)).float()

    def _real_moments(self) -> Moments:
        if self._known_mean is None or self._known_covariance is None:
            return self._moments(1)
        return Moments(self._known_mean, self._known_covariance)

    def _moments(self, row: int) -> Moments:
        # From sums, which batches and devices add up in any order; float64 keeps the digits that the difference costs.
        number, mean = self.number[row], self.total[row] / self.number[row]
        return Moments(mean, (self.products[row] - number * torch.outer(mean, mean)) / (number - 1))


class ExtrapolatedFrechetDistance(TwoSampleMetric):
    r"""The Frechet distance that infinitely many generated samples would have (FD infinity).

    .. math:: d^2(N) \approx d^2_\infty + \frac{c}{N}

    The line is fitted by least squares to the distances of random subsets of the generated samples, of sizes
    evenly spaced from a tenth of them to all, against all real ones. Subsets are a function of the set of
    samples alone. Source: Chong and Forsyth 2020, section 3, with random subsets.

    Args:
        points: How many sizes.
        **kwargs: As for `TwoSampleMetric`.

    Raises:
        TooFewSamplesError: In `compute`, if the smallest subset, a tenth, has fewer samples than there are features.

    Example:
        >>> import torch
        >>> from genzoo.metrics import ExtrapolatedFrechetDistance
        >>> real, fake = torch.randn(2, 1000, 2, generator=torch.Generator().manual_seed(0)).unbind()
        >>> metric = ExtrapolatedFrechetDistance(real=real)
        >>> metric.update(fake)
        >>> sorted(metric.compute())
        ['frechet_infinity', 'frechet_slope']
    """

    higher_is_better = False

    def __init__(self, points: int = 15, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.points = whole_number("points", points, 2)

    def compute(self) -> dict[str, Tensor]:
        """``frechet_infinity``, the distance, and ``frechet_slope``, c; scalars, float32."""
        real, fake = self._sets()
        fewest = max(2, fake.shape[1])
        if len(real) < fewest or len(fake) < 10 * fewest:
            raise TooFewSamplesError(
                f"ExtrapolatedFrechetDistance has {len(real)} real and {len(fake)} generated samples, but needs at "
                f"least {fewest} and {10 * fewest} ({fake.shape[1]} features; subsets start at a tenth); give it more"
            )
        sizes, values = self.curve(real, fake)
        slope, intercept = np.polyfit(1.0 / sizes, values, 1)
        return {"frechet_infinity": torch.tensor(intercept).float(), "frechet_slope": torch.tensor(slope).float()}

    def curve(self, real: Tensor, fake: Tensor) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Distances against numbers of samples.

        Args:
            real: ``(M, D)``.
            fake: ``(N, D)``.

        Returns:
            Sizes of the subsets and their distances, ``(points,)`` each.
        """
        reference = moments_of(real)
        root = _root(reference.covariance)
        sizes = np.linspace(len(fake) // 10, len(fake), self.points).astype(np.int64)
        # Each size draws a subset of its own, so that the errors of the points have little in common.
        values = [
            float(_distance(reference, root, moments_of(fake[canonical_order(fake, seed)[:size]])))
            for seed, size in enumerate(sizes)
        ]
        return sizes, np.array(values)
