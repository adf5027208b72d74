"""Rows of codes and of what they become."""

from typing import NamedTuple

import torch
from torch import Tensor

from genzoo.sampling.given import Given
from genzoo.sampling.sampler import BLOCK, Sampler, in_eval_mode


class Rows(NamedTuple):
    """R rows of C codes and the items that they become.

    Attributes:
        codes: ``(R, C, *latent_shape)``.
        items: ``(R, C, *data_shape)``, images in [-1, 1].
    """

    codes: Tensor
    items: Tensor


def decoded_rows(sampler: Sampler, codes: Tensor, conditions: Tensor | None = None) -> Rows:
    """Decodes rows of codes, in eval mode and without gradient.

    Args:
        sampler: What decodes them.
        codes: ``(R, C, *latent_shape)``.
        conditions: As the networks get them, ``(R, C, *condition.shape)``; None for an unconditional sampler.
    """
    flat = codes.flatten(0, 1)
    flat_conditions = None if conditions is None else conditions.flatten(0, 1)
    items = []
    with in_eval_mode(sampler):
        # The last block is filled up: as with samples, what a code becomes does not depend on how many there are.
        for places in torch.arange(-(-len(flat) // BLOCK) * BLOCK).clamp(max=len(flat) - 1).split(BLOCK):
            condition = None if flat_conditions is None else flat_conditions[places].to(sampler.device)
            items.append(sampler.generate(flat[places].to(sampler.device), condition))
    return Rows(codes, torch.cat(items)[: len(flat)].reshape(*codes.shape[:2], *sampler.data_shape))


def conditions_of_rows(sampler: Sampler, y: Given | None, rows: int, columns: int) -> Tensor | None:
    """One condition for each row, as the networks get them: ``(R, C, *condition.shape)``, or None.

    Args:
        sampler: What depends on them.
        y: As `Sampler.sample` takes it for R items.
        rows: R.
        columns: C.
    """
    encoded = sampler.encoded_condition(rows, y)
    return None if encoded is None else encoded[:, None].expand(rows, columns, *encoded.shape[1:])


def step_sizes(items: Tensor) -> Tensor:
    """How much neighbours in a row differ: the root of the mean squared difference of their values.

    Args:
        items: ``(R, C, *data_shape)``.

    Returns:
        ``(R, C - 1)``, float32; for images in units of [-1, 1].
    """
    return items.float().diff(dim=1).flatten(2).square().mean(2).sqrt()
