"""Quantiles of what latent variables are drawn from, so that tools look where a model has been trained."""

import torch
from torch import Tensor

from genzoo.latent.codes import random_codes
from genzoo.noise import BatchNoise, Stream
from genzoo.sampling.sampler import Sampler

# So many codes are drawn where there is no closed form: the quantile 0.001 is then that of ten of them.
CODES_DRAWN = 10_000


def latent_quantiles(sampler: Sampler, probabilities: Tensor, codes: Tensor | None = None) -> Tensor:
    """The quantiles of each latent dimension by itself.

    Of the prior, where it knows them; else of codes: those given, or 10,000 drawn from the fitted density.

    Args:
        sampler: Whose latent variables are meant.
        probabilities: ``(T,)``, above 0 and below 1.
        codes: ``(N, *latent_shape)``, for a sampler that cannot draw any.

    Returns:
        ``(T, D)``, float64, for the D dimensions of a flattened code.

    Raises:
        ValueError: If probabilities are out of range, or there is neither a prior, a density nor codes.
    """
    probabilities = probabilities.double()
    if not ((probabilities > 0.0) & (probabilities < 1.0)).all():
        raise ValueError(f"probabilities should lie between 0 and 1, got {probabilities.tolist()}")
    if sampler.prior is not None and sampler.density is None:
        known = sampler.prior.quantiles(probabilities)
        if known is not None:
            return known[:, None].expand(-1, torch.Size(sampler.latent_shape).numel())
    drawn = random_codes(sampler, CODES_DRAWN) if sampler.can_sample else codes
    if drawn is None:
        # Says what is lacking, and what to do about it.
        drawn = random_codes(sampler, 1)
    return torch.quantile(drawn.double().cpu().flatten(1), probabilities, dim=0)


def median_code(sampler: Sampler, codes: Tensor | None = None) -> Tensor:
    """The code in the middle: the median of each latent dimension, where the prior's density is not 0.

    Args:
        sampler: Whose code it is.
        codes: As for `latent_quantiles`.

    Returns:
        ``(*latent_shape)``, float32.

    Raises:
        ValueError: As for `latent_quantiles`.
    """
    median = latent_quantiles(sampler, torch.tensor([0.5]), codes).float().reshape(1, *sampler.latent_shape)
    if sampler.prior is None or sampler.density is not None:
        return median[0]
    # The medians of a category's entries are all 0, which stands for none.
    noise = BatchNoise(sampler.device, 0, Stream.SURROUNDING)
    return sampler.prior.returned(median.to(sampler.device), noise)[0]


def normal_probabilities(deviations: Tensor) -> Tensor:
    """How probable it is that a normal number is not so many standard deviations above its mean: ``(T,)`` to it."""
    probabilities: Tensor = torch.special.ndtr(deviations.double())
    return probabilities
