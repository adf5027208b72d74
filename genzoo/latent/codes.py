"""Codes to begin with: drawn at random, or those of given items."""

import torch
from torch import Tensor

from genzoo.latent.inversion import invert
from genzoo.noise import ImageNoise, Stream
from genzoo.sampling.capabilities import Encodes
from genzoo.sampling.given import Given
from genzoo.sampling.sampler import Sampler, in_eval_mode


def random_codes(sampler: Sampler, number: int, seed: int = 0) -> Tensor:
    """The codes of `Sampler.sample` with the same seed: code i is that of sample i.

    Args:
        sampler: Whose prior, or fitted density, they are drawn from.
        number: N, how many.
        seed: Of the noise.

    Returns:
        ``(N, *latent_shape)``.

    Raises:
        ValueError: If the sampler has neither.
    """
    if not sampler.can_sample:
        raise ValueError(
            "this model has no prior to draw codes from; give images, whose codes it knows, or give it a density when "
            "it is trained (--model.density GaussianMixtureDensity)"
        )
    return sampler.prior_sample(number, ImageNoise(torch.arange(number), sampler.device, seed, Stream.SAMPLING))


def codes_of(sampler: Sampler, x: Tensor, y: Given | None = None, seed: int = 0) -> Tensor:
    """The codes of given items: by the encoder, or, where there is none, by inversion.

    Args:
        sampler: Whose codes they are.
        x: N items, ``(N, *data_shape)``.
        y: What they depend on, as `Encodes.encode` takes it; an unconditional sampler does not look at it.
        seed: Of the inversion.

    Returns:
        ``(N, *latent_shape)``.

    Raises:
        ValueError: If items or labels do not fit.
    """
    labels = None if y is None or not sampler.condition.shape else sampler.condition.of_data(y, len(x))
    if not isinstance(sampler, Encodes):
        return invert(sampler, x, labels, seed=seed).codes
    with in_eval_mode(sampler):
        return sampler.encode(x.to(sampler.device), labels)


def origin_of_random_codes(sampler: Sampler) -> str:
    """Where `random_codes` are from, in words for a record."""
    return "drawn from the prior" if sampler.density is None else "drawn from the fitted density"


def origin_of_given_codes(sampler: Sampler) -> str:
    """Where `codes_of` items are from, in words for a record."""
    return "by the encoder" if isinstance(sampler, Encodes) else "by inversion"
