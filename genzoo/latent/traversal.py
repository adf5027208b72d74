"""What each latent dimension changes: one code, of which one entry at a time goes through its values."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from genzoo.latent.rows import Rows, conditions_of_rows, decoded_rows
from genzoo.sampling.capabilities import HasPosterior
from genzoo.sampling.coded import CodedDensity
from genzoo.sampling.given import Given
from genzoo.sampling.sampler import Sampler, in_eval_mode


class Order(NamedTuple):
    """Latent dimensions, the one that matters most first.

    Attributes:
        dimensions: ``(D,)``, int64: places in a code that is flattened.
        scores: ``(D,)``, of each in the same order.
        by: What the scores are: ``kl``, the nats by which the posterior of given items differs from the prior,
            ``effect``, the mean squared change of the items where the dimension goes from one value to another, or
            ``variance``, that of given codes.
    """

    dimensions: Tensor
    scores: Tensor
    by: Literal["kl", "effect", "variance"]


def traverse(
    sampler: Sampler, code: Tensor, dimensions: Sequence[int] | Tensor, values: Tensor, y: Given | None = None
) -> Rows:
    """Decodes one code, of which in each row one entry goes through its values and all others stay.

    Args:
        sampler: What decodes them.
        code: ``(*latent_shape)``.
        dimensions: R places in the flattened code, one for each row.
        values: ``(T, D)``, the values of every dimension of the flattened code.
        y: What the items depend on, one condition for all or one for each row, as `Sampler.sample` takes it.

    Returns:
        The codes ``(R, T, *latent_shape)`` and the items ``(R, T, *data_shape)``.

    Raises:
        ValueError: If code, dimensions, values or conditions do not fit.
    """
    sampler.require_latents(code[None])
    size = code.numel()
    chosen = torch.as_tensor(dimensions, dtype=torch.int64)
    if not ((chosen >= 0) & (chosen < size)).all():
        raise ValueError(f"dimensions should lie in 0 to {size - 1}, got {chosen.tolist()}")
    if values.ndim != 2 or values.shape[1] != size:
        raise ValueError(f"values should have the shape (T, {size}), got {tuple(values.shape)}")
    codes = code.flatten().repeat(len(chosen), len(values), 1)
    for row, dimension in enumerate(chosen.tolist()):
        codes[row, :, dimension] = values[:, dimension].to(codes)
    conditions = conditions_of_rows(sampler, y, len(chosen), len(values))
    return decoded_rows(sampler, codes.unflatten(2, code.shape), conditions)


def order_by_kl(sampler: Sampler, x: Tensor, y: Given | None = None) -> Order | None:
    r"""Orders dimensions by what they tell of data: the mean divergence of their posterior from the prior.

    .. math:: \frac1N \sum_i D_{KL}(q(z_j | x_i) \,\|\, p(z_j))

    A dimension of 0 nats has the same posterior for every item: the decoder cannot use it.

    Args:
        sampler: What encodes them.
        x: N items, ``(N, *data_shape)``.
        y: Their labels, as `Encodes.encode` takes them.

    Returns:
        None if the sampler has no posterior, or no divergence of it in closed form.

    Raises:
        ValueError: If items or labels do not fit.
    """
    if not isinstance(sampler, HasPosterior):
        return None
    with in_eval_mode(sampler):
        kl = sampler.prior.kl(*sampler.posterior(x.to(sampler.device), sampler.condition_of(x, y)))
    return None if kl is None else _ordered(kl.float().flatten(1).mean(0), "kl")


def order_by_effect(sampler: Sampler, codes: Tensor, values: Tensor, y: Given | None = None) -> Order:
    """Orders dimensions by the mean squared change of items where one dimension alone goes from one value to another.

    Args:
        sampler: What decodes them.
        codes: N codes that the change is the mean over, ``(N, *latent_shape)``.
        values: ``(2, D)``, both values of every dimension of a flattened code.
        y: What the items depend on, one condition for all or one for each code, as `Sampler.sample` takes it.

    Raises:
        ValueError: If codes or conditions do not fit.
    """
    sampler.require_latents(codes)
    conditions = conditions_of_rows(sampler, y, len(codes), 2)
    effects = []
    for dimension in range(values.shape[1]):
        pairs = codes.flatten(1)[:, None].repeat(1, 2, 1)
        pairs[:, :, dimension] = values[:, dimension].to(pairs)
        items = decoded_rows(sampler, pairs.unflatten(2, codes.shape[1:]), conditions).items
        effects.append((items[:, 1] - items[:, 0]).float().square().mean())
    return _ordered(torch.stack(effects), "effect")


def order_by_variance(codes: Tensor) -> Order:
    """Orders dimensions by how much codes ``(N, *latent_shape)`` differ in them."""
    return _ordered(codes.float().flatten(1).var(0, unbiased=False), "variance")


def first_dimensions(sampler: Sampler) -> Tensor:
    """The dimensions of a sampler of which nothing tells which matter, in their order; continuous codes are in front.

    Returns:
        ``(D,)``, int64: places in a code that is flattened.
    """
    places = torch.arange(math.prod(sampler.latent_shape))
    if not isinstance(sampler.prior, CodedDensity):
        return places
    numbers = sampler.prior.parts(places[None]).numbers[0]
    return torch.cat([numbers, places[: len(places) - len(numbers)]])


def _ordered(scores: Tensor, by: Literal["kl", "effect", "variance"]) -> Order:
    # Stable, so that dimensions of equal scores keep their order.
    sorted_scores, dimensions = scores.cpu().sort(descending=True, stable=True)
    return Order(dimensions, sorted_scores, by)
