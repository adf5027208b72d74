"""What all comparisons of two sets of features share: how sets are kept, ordered and measured in pieces."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities.data import dim_zero_cat

from genzoo.data.selection import shuffled

# Entries of a matrix of distances that are in memory at once: 64 MB in double precision.
ENTRIES_AT_ONCE = 2**23

# Of the square of a row's length: a squared distance below this is computed from the difference of the rows, since as
# a difference of squares it has lost too many digits.
NEAR = 1e-5

# Of all distances: if more of them than this are that small, differences are taken of all rows, which is then faster.
MANY = 1 / 40

# Of a distance: more than `distances` are wrong by. Distances that differ by less are equal.
ROUNDING = 1e-9

# For metrics that one device computes alone, while torchmetrics would have it wait for the others.
ALONE: dict[str, Any] = {"sync_on_compute": False}


class TooFewSamplesError(ValueError):
    """There are fewer samples than a score needs; with more of them it could be computed."""


class TwoSampleMetric(Metric):
    """A score that compares features of generated data with features of real data.

    Features are kept as they come, so that the score depends neither on batches nor on the number of devices. They are
    kept where the metric is, known real ones too, and may come from any device.

    Args:
        real: Features of the real data where they are known beforehand, ``(M, D)``, the same on every device;
            `update` then takes generated ones alone.
        **kwargs: As for `torchmetrics.Metric`.
    """

    is_differentiable = False
    full_state_update = False
    real_features: list[Tensor]
    fake_features: list[Tensor]
    _known: Tensor | None

    def __init__(self, real: Tensor | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.register_buffer("_known", None if real is None else require_features(real, None), persistent=False)
        self.add_state("real_features", default=[], dist_reduce_fx="cat")
        self.add_state("fake_features", default=[], dist_reduce_fx="cat")

    def update(self, features: Tensor, real: bool = False) -> None:
        """Takes in features.

        Args:
            features: ``(N, D)``.
            real: Whether they are of real data.

        Raises:
            ValueError: If they do not fit the features seen before, or are not finite.
        """
        if real and self._known is not None:
            raise ValueError(
                f"{type(self).__name__} was made with the features of its real data and takes no others; make it "
                "without `real` to update them"
            )
        seen = [*([] if self._known is None else [self._known]), *self.real_features[:1], *self.fake_features[:1]]
        kept = self.real_features if real else self.fake_features
        kept.append(require_features(features, seen[0].shape[1] if seen else None).to(self.device))

    def _sets(self, fewest: int = 2) -> tuple[Tensor, Tensor]:
        """The real and the generated features, ``(M, D)`` and ``(N, D)``.

        Raises:
            TooFewSamplesError: If one of them has fewer than ``fewest`` rows.
        """
        name = type(self).__name__
        real = self._known if self._known is not None else _joined(self.real_features)
        fake = _joined(self.fake_features)
        require_enough(name, len(real), len(fake), fewest)
        return real, fake


def _joined(features: list[Tensor] | Tensor) -> Tensor:
    # Joined already where they come from several devices.
    return dim_zero_cat(features) if len(features) else torch.empty(0, 0)


def require_features(features: Tensor, feature_dim: int | None) -> Tensor:
    """Asks for features ``(N, feature_dim)``, finite, and returns them without gradient, float32 or float64.

    Raises:
        ValueError: If they are not.
    """
    if features.ndim != 2 or not features.is_floating_point() or feature_dim not in (None, features.shape[1]):
        raise ValueError(
            f"got {features.dtype} features of shape {tuple(features.shape)}, but expected floats of shape "
            f"(N, {feature_dim or 'D'}); flatten each image to one row"
        )
    if not features.isfinite().all():
        raise ValueError("some features are not finite, where numbers were expected; look for NaN in the samples")
    return features.detach() if features.dtype == torch.float64 else features.detach().float()


def require_enough(name: str, real: int, fake: int, fewest: int) -> None:
    """Raises `TooFewSamplesError` unless there are at least ``fewest`` real and generated samples."""
    if min(real, fake) < fewest:
        raise TooFewSamplesError(
            f"{name} has {real} real and {fake} generated samples, but needs at least {fewest} of each; give it more"
        )


def canonical_order(features: Tensor, seed: int) -> Tensor:
    """A shuffled order of features that is a function of the set and a seed, not of the order they came in.

    Args:
        features: ``(N, D)``.
        seed: Of the shuffling.

    Returns:
        ``(N,)``, int64.
    """
    generator = torch.Generator().manual_seed(0)
    direction = torch.randn(features.shape[1], generator=generator, dtype=torch.float64)
    places = np.argsort((features.double().cpu() @ direction).numpy(), kind="stable")
    return torch.from_numpy(places[shuffled(len(features), seed)])


def distances(left: Tensor, right: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Euclidean distances between two sets, a few rows at a time: 0 between equal rows, and right to ``ROUNDING``.

    Args:
        left: ``(N, D)``.
        right: ``(M, D)``.

    Yields:
        Which rows of ``left``, and their distances, ``(rows, M)``, float64.
    """
    # Distances are differences of squares, which lose fewer digits about the origin.
    center = right.double().mean(0)
    left, right = left.double() - center, right.double() - center
    left_squared, right_squared = left.square().sum(1), right.square().sum(1)
    rows = max(1, ENTRIES_AT_ONCE // max(1, len(right)))
    pairs_at_once = max(1, ENTRIES_AT_ONCE // max(1, left.shape[1]))
    for start in range(0, len(left), rows):
        chunk = slice(start, min(start + rows, len(left)))
        squared = torch.addmm(right_squared, left[chunk], right.T, alpha=-2.0).add_(left_squared[chunk, None])
        near = squared < NEAR * left_squared[chunk, None]
        if near.count_nonzero() > MANY * near.numel():
            yield chunk, torch.cdist(left[chunk], right, compute_mode="donot_use_mm_for_euclid_dist")
            continue
        for pairs in near.nonzero().split(pairs_at_once):
            i, j = pairs.unbind(1)
            squared[i, j] = (left[start + i] - right[j]).square().sum(1)
        yield chunk, squared.clamp_(min=0.0).sqrt_()


def nearest(left: Tensor, right: Tensor, number: int = 1, same: bool = False) -> tuple[Tensor, Tensor]:
    """The nearest neighbours of each row of one set in another.

    Args:
        left: ``(N, D)``.
        right: ``(M, D)``.
        number: k, how many neighbours.
        same: Whether both are one set, in which nobody is a neighbour of himself.

    Returns:
        Distances, ``(N, k)``, float64, ascending, and places in ``right``, ``(N, k)``, int64.
    """
    found = []
    for chunk, rows in distances(left, right):
        if same:
            rows[torch.arange(len(rows)), torch.arange(chunk.start, chunk.stop)] = torch.inf
        found.append(rows.min(1, keepdim=True) if number == 1 else rows.topk(number, largest=False))
    return torch.cat([values for values, _ in found]), torch.cat([places for _, places in found])
