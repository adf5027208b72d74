"""How well generated data cover the manifold of real data, and stay on it: precision, recall, density, coverage."""

from typing import Any

import torch
from torch import Tensor

from genzoo.hyperparameters import whole_number
from genzoo.metrics.distances import ROUNDING, distances, nearest
from genzoo.metrics.two_samples import TwoSampleMetric


class PrecisionRecall(TwoSampleMetric):
    r"""Precision, recall, density and coverage, from balls about each sample that reach to its k-th neighbour.

    .. math::
        \mathrm{precision} = \frac1N \sum_j 1[f_j \in \bigcup_i B(r_i)], \quad
        \mathrm{recall} = \frac1M \sum_i 1[r_i \in \bigcup_j B(f_j)]

        \mathrm{density} = \frac1{kN} \sum_j \sum_i 1[f_j \in B(r_i)], \quad
        \mathrm{coverage} = \frac1M \sum_i 1[\exists j: f_j \in B(r_i)]

    B(r) is the ball about a real sample r up to its k-th nearest real neighbour, B(f) that about a generated one
    up to its k-th nearest generated neighbour. Precision asks whether what is generated is realistic, recall
    whether everything real can be generated. Density counts balls, so that outliers count less; coverage needs no
    balls about generated samples. Real against real, density is about 1 and coverage about 1 - 2^-k at M = N.
    Sources: Kynkaanniemi et al. 2019, equations 1 and 2; Naeem et al. 2020, equations 3 and 4.

    Args:
        neighbours: k. For precision and recall Kynkaanniemi et al. take 3, for density and coverage Naeem et al. 5.
        **kwargs: As for `TwoSampleMetric`.

    Raises:
        TooFewSamplesError: In `compute`, if there are no k neighbours.

    Example:
        >>> import torch
        >>> from genzoo.metrics import PrecisionRecall
        >>> metric = PrecisionRecall(neighbours=1)
        >>> metric.update(torch.tensor([[0.0], [1.0], [10.0], [11.0]]), real=True)
        >>> metric.update(torch.tensor([[0.2], [0.4]]))
        >>> {name: round(float(value), 2) for name, value in metric.compute().items()}
        {'precision': 1.0, 'recall': 0.25, 'density': 2.0, 'coverage': 0.5}
    """

    higher_is_better = True

    def __init__(self, neighbours: int = 5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.neighbours = whole_number("neighbours", neighbours, 1)

    def compute(self) -> dict[str, Tensor]:
        """``precision``, ``recall`` and ``coverage``, in [0, 1], and ``density``, >= 0; scalars, float32."""
        real, fake = self._sets(fewest=self.neighbours + 1)
        # A sample's k-th neighbour lies on the edge of its ball: enlarged by the rounding error, the ball holds it
        # whichever way the distance was computed.
        real_radii, fake_radii = (
            nearest(each, each, self.neighbours, same=True)[0][:, -1] * (1.0 + ROUNDING) for each in (real, fake)
        )
        balls_of_fake = torch.zeros(len(fake), dtype=torch.int64, device=fake.device)
        is_recalled = torch.zeros(len(real), dtype=torch.bool, device=real.device)
        is_covered = torch.zeros_like(is_recalled)
        for chunk, rows in distances(real, fake):
            is_inside = rows <= real_radii[chunk, None]
            balls_of_fake += is_inside.sum(0)
            is_covered[chunk] = is_inside.any(1)
            is_recalled[chunk] = (rows <= fake_radii).any(1)
        return {
            "precision": (balls_of_fake > 0).float().mean(),
            "recall": is_recalled.float().mean(),
            "density": balls_of_fake.float().mean() / self.neighbours,
            "coverage": is_covered.float().mean(),
        }
