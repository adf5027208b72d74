r"""The plane of a model with two latent variables: what it makes of a grid of codes at equal quantiles of its prior.

.. math:: z_{rc} = \left(F^{-1}(\tfrac{c + 1/2}{n}),\; F^{-1}(1 - \tfrac{r + 1/2}{n})\right)

with F the cumulative distribution of each latent variable: every tile stands for the same share of all samples. As on
paper, the first variable grows to the right and the second upwards.

Source: Kingma and Welling, "Auto-encoding variational Bayes", 2014, appendix A, figure 4.
"""

import math

import torch
from torch import Tensor

from genzoo.hyperparameters import whole_number
from genzoo.latent.quantiles import latent_quantiles
from genzoo.latent.rows import Rows, conditions_of_rows, decoded_rows
from genzoo.sampling.given import Given
from genzoo.sampling.sampler import Sampler


def manifold(sampler: Sampler, side: int = 20, y: Given | None = None, codes: Tensor | None = None) -> Rows:
    """Decodes a square grid of codes at equal quantiles.

    Args:
        sampler: What decodes them; it has two latent variables.
        side: n, tiles in a row, and rows.
        y: What the items depend on, one condition for all or one for each row, as `Sampler.sample` takes it.
        codes: Whose quantiles are taken, ``(N, *latent_shape)``, where the sampler has neither prior nor density.

    Returns:
        The codes ``(n, n, *latent_shape)`` and the items ``(n, n, *data_shape)``, the first row on top.

    Raises:
        ValueError: If the sampler has another number of latent variables, or conditions do not fit.
    """
    require_plane(sampler)
    side = whole_number("side", side, 1)
    values = latent_quantiles(sampler, (torch.arange(side, dtype=torch.float64) + 0.5) / side, codes)
    rows, columns = values[:, 1].flip(0), values[:, 0]
    grid = torch.stack([columns.expand(side, side), rows[:, None].expand(side, side)], dim=2)
    grid = grid.float().reshape(side, side, *sampler.latent_shape)
    return decoded_rows(sampler, grid, conditions_of_rows(sampler, y, side, side))


def places_in_plane(sampler: Sampler, codes: Tensor, among: Tensor | None = None) -> Tensor:
    """Where codes lie in the picture of the manifold: their cumulative probabilities.

    Args:
        sampler: Which has two latent variables.
        codes: ``(N, *latent_shape)``.
        among: As ``codes`` of `manifold`.

    Returns:
        ``(N, 2)`` in [0, 1], to the nearest thousandth: to the right, and upwards.
    """
    require_plane(sampler)
    values = latent_quantiles(sampler, (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000, among)
    return torch.searchsorted(values.T.contiguous(), codes.double().cpu().flatten(1).T.contiguous()).T / 1000


def require_plane(sampler: Sampler) -> None:
    """Raises a `ValueError` unless a sampler has two latent variables."""
    number = math.prod(sampler.latent_shape)
    if number != 2:
        raise ValueError(
            f"this model has {number} latent variable{'s' * (number != 1)}, but only two span a plane; train one with "
            "--model.latent_dim 2, or look at a traversal of this one"
        )
