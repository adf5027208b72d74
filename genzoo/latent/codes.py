"""Codes to begin with: drawn at random, or those of given items; and what codes become."""

import torch
from torch import Tensor

from genzoo.noise import ImageNoise, Stream
from genzoo.sampling.sampler import Sampler


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
