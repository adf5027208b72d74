r"""A closed walk through codes: a smooth loop that stays where codes are likely, gone at constant speed.

.. math:: z(t) = m + \frac{\sum_k w_k(t) (z_k - m)}{\sqrt{\sum_k w_k(t)^2}}

with the weights w of a closed cubic spline (Catmull and Rom, "A class of local interpolating splines", 1974) and the
mean m of all codes. Divided by the root, what lies between independent codes varies as much as they do: in many
dimensions the loop runs on their sphere, and on the great circle between orthogonal codes.

Source: Bodin et al., "Linear combinations of latents in generative models: subspaces and beyond", ICLR 2025.
"""

import torch
from torch import Tensor

from genzoo.hyperparameters import whole_number
from genzoo.latent.codes import random_codes
from genzoo.latent.rows import Rows, conditions_of_rows, decoded_rows
from genzoo.sampling.given import Given
from genzoo.sampling.sampler import Sampler

# Lengths of arcs are summed over so many chords between two codes.
CHORDS = 200
CODES_FOR_MEAN = 1000


def walk(sampler: Sampler, codes: Tensor, frames: int, y: Given | None = None) -> Rows:
    """Decodes closed walks.

    Args:
        sampler: What decodes them.
        codes: K codes for each of R walks, ``(R, K, *latent_shape)``, K at least 3.
        frames: T, how many codes on each way.
        y: What the walks depend on, one condition for all or one for each, as `Sampler.sample` takes it.

    Returns:
        The codes ``(R, T, *latent_shape)`` and the items ``(R, T, *data_shape)``.

    Raises:
        ValueError: If codes or conditions do not fit, or there are too few codes or frames.
    """
    sampler.require_latents(codes.flatten(0, 1))
    mean = _mean_code(sampler, codes.flatten(0, 1))
    ways = torch.stack([closed_walk(each, frames, mean) for each in codes])
    return decoded_rows(sampler, ways, conditions_of_rows(sampler, y, *ways.shape[:2]))


def closed_walk(codes: Tensor, frames: int, mean: Tensor | None = None) -> Tensor:
    """A loop through codes, at constant speed.

    Args:
        codes: K codes, ``(K, *latent_shape)``, at least 3.
        frames: T, how many codes on the way.
        mean: Of the distribution that they are from, ``(*latent_shape)``; 0 if left out.

    Returns:
        ``(T, *latent_shape)``: the first is the first of the given codes, and from the last it is one more step to it.

    Raises:
        ValueError: If there are too few codes or frames.
    """
    frames = whole_number("frames", frames, 2)
    if len(codes) < 3:
        raise ValueError(f"a closed walk goes through at least 3 codes, got {len(codes)}")
    centre = codes.new_zeros(codes.shape[1:]) if mean is None else mean
    rows = (codes - centre).cpu().double().flatten(1)
    dense = torch.linspace(0.0, len(rows), CHORDS * len(rows) + 1, dtype=torch.float64)
    chords = _loop(rows, dense).diff(dim=0).norm(dim=1)
    travelled = torch.cat([chords.new_zeros(1), chords.cumsum(0)])
    wanted = torch.arange(frames, dtype=torch.float64) / frames * travelled[-1]
    way = _loop(rows, _inverse(travelled, dense, wanted))
    return way.to(codes).reshape(frames, *codes.shape[1:]) + centre


def _mean_code(sampler: Sampler, codes: Tensor) -> Tensor:
    """The mean of what codes are drawn from; where nothing can be drawn, of those that are there."""
    if (
        sampler.density is None
        and sampler.prior is not None
        and sampler.prior.quantiles(torch.tensor([0.5])) is not None
    ):
        return torch.zeros_like(codes[0])
    return (random_codes(sampler, CODES_FOR_MEAN) if sampler.can_sample else codes).mean(0)


def _loop(codes: Tensor, t: Tensor) -> Tensor:
    """The loop at ``(T,)`` parameters from 0 to K, of which the whole numbers are the codes: ``(T, D)``."""
    weights = _spline_weights(len(codes), t)
    size: Tensor = weights.norm(dim=1, keepdim=True)
    return weights @ codes / size


def _spline_weights(number: int, t: Tensor) -> Tensor:
    """How much each of K values counts in a closed cubic through them, at ``(T,)`` parameters: ``(T, K)``."""
    place = t.floor()
    s = (t - place)[:, None]
    # A code is left in the direction from the one before to the one behind.
    of_four = 0.5 * torch.cat([-s + 2 * s**2 - s**3, 2 - 5 * s**2 + 3 * s**3, s + 4 * s**2 - 3 * s**3, s**3 - s**2], 1)
    neighbours = (place.long()[:, None] + torch.arange(-1, 3)) % number
    return torch.zeros(len(t), number, dtype=t.dtype).scatter_add_(1, neighbours, of_four)


def _inverse(increasing: Tensor, parameters: Tensor, wanted: Tensor) -> Tensor:
    """The parameters at which an increasing function, known at some of them, takes wanted values."""
    above = torch.searchsorted(increasing, wanted, right=True).clamp(1, len(increasing) - 1)
    low, high = increasing[above - 1], increasing[above]
    share = (wanted - low) / (high - low).clamp(min=1e-300)
    return parameters[above - 1] + share * (parameters[above] - parameters[above - 1])
