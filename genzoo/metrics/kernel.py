"""The kernel distance between features of real and of generated data."""

from typing import Any

import torch
from torch import Tensor

from genzoo.hyperparameters import whole_number
from genzoo.metrics.canonical_order import canonical_order
from genzoo.metrics.distances import ENTRIES_AT_ONCE
from genzoo.metrics.two_samples import TwoSampleMetric

BLOCKS_FOR_DEVIATION = 10


class KernelDistance(TwoSampleMetric):
    r"""The unbiased squared maximum mean discrepancy under a cubic polynomial kernel.

    .. math:: d = \frac{1}{M (M - 1)} \sum_{i \ne j} k(r_i, r_j) + \frac{1}{N (N - 1)} \sum_{i \ne j} k(f_i, f_j)
        - \frac{2}{M N} \sum_{i, j} k(r_i, f_j), \qquad k(x, y) = (x \cdot y / D + 1)^3

    Its expectation does not depend on the number of samples, and is 0 for equal distributions; so it may be
    negative. In the features of Inception-v3 it is the KID. Source: Binkowski et al. 2018, section 4.

    Args:
        block_size: Take the mean over disjoint blocks of so many samples, as is often reported; None: over all
            pairs, which has the least variance.
        **kwargs: As for `TwoSampleMetric`.

    Raises:
        TooFewSamplesError: In `compute`, if there are fewer samples than two blocks need.

    Example:
        >>> import torch
        >>> from genzoo.metrics import KernelDistance
        >>> real, fake = torch.randn(2, 500, 8, generator=torch.Generator().manual_seed(0)).unbind()
        >>> metric = KernelDistance(real=real)
        >>> metric.update(fake)
        >>> abs(metric.compute()["kernel_distance"]) < 0.05
        tensor(True)
    """

    higher_is_better = False

    def __init__(self, block_size: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.block_size = None if block_size is None else whole_number("block_size", block_size, 2)

    def compute(self) -> dict[str, Tensor]:
        """The distance and its standard error.

        Returns:
            ``kernel_distance``, and ``kernel_distance_error``: the standard deviation over blocks, of
            ``block_size`` or of a tenth of the samples, by the root of their number. Scalars, float32.
        """
        real, fake = self._sets(fewest=2 * (self.block_size or 2))
        smaller = min(len(real), len(fake))
        size = self.block_size or max(2, smaller // BLOCKS_FOR_DEVIATION)
        # Shuffled: in the order in which features came, a block could be of one class.
        real_blocks, fake_blocks = (
            features[canonical_order(features, seed=0)][: smaller // size * size].split(size)
            for features in (real, fake)
        )
        values = torch.stack([kernel_distance(*pair) for pair in zip(real_blocks, fake_blocks, strict=True)])
        distance = kernel_distance(real, fake) if self.block_size is None else values.mean()
        return {
            "kernel_distance": distance.float(),
            "kernel_distance_error": (values.std() / len(values) ** 0.5).float(),
        }


def kernel_distance(real: Tensor, fake: Tensor) -> Tensor:
    """The distance between features ``(M, D)`` and ``(N, D)``, over all pairs: a scalar, float64."""
    return _mean_of_others(real) + _mean_of_others(fake) - 2.0 * _sum(real, fake) / (len(real) * len(fake))


def _mean_of_others(features: Tensor) -> Tensor:
    number = len(features)
    # k(x, x), which the unbiased estimate leaves out.
    itself = (features.double().square().mean(1) + 1.0).pow(3).sum()
    return (_sum(features, features) - itself) / (number * (number - 1))


def _sum(left: Tensor, right: Tensor) -> Tensor:
    total = torch.zeros((), dtype=torch.float64, device=left.device)
    left, right = left.double(), right.double()
    rows = max(1, ENTRIES_AT_ONCE // len(right))
    for chunk in left.split(rows):
        kernel = (chunk @ right.T).div_(left.shape[1]).add_(1.0)
        total += (kernel * kernel).mul_(kernel).sum()
    return total
