"""A look at how much the items of a batch differ, by which a discriminator notices that samples are all alike."""

import torch
from torch import Tensor, nn

from genzoo.precision import at_least_float32


class MinibatchDeviation(nn.Module):
    r"""Adds a map that is constant: the mean standard deviation over a group of items.

    .. math:: s_g = \frac{1}{CHW} \sum_{c,h,w} \sqrt{\operatorname{Var}_{n \in g} x_{nchw} + \epsilon}

    Source: Karras et al. 2018, section 3; groups of 4 items are those of the authors' code. Not from the paper: batches
    need not be a multiple of the group, some groups then have an item more; and in eval mode the map holds a running
    average of training, over real and generated batches alike, so that each item is judged by itself, as with batch
    norm.

    In training it mixes the items of a batch: the gradient of a logit with respect to one item, which penalties look
    at, is then that of its group's.

    Args:
        group: Items per group, at least 2; a smaller batch is one group.
        momentum: Share of the latest batch in the running average.
    """

    running_deviation: Tensor

    def __init__(self, group: int = 4, momentum: float = 0.1) -> None:
        super().__init__()
        self.group = group
        self.momentum = momentum
        self.register_buffer("running_deviation", torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, H, W)`` to ``(N, C + 1, H, W)``."""
        deviations = self._deviations(x) if self.training else self.running_deviation.expand(len(x))
        beside = deviations.to(x.dtype)[:, None, None, None].expand(-1, -1, *x.shape[2:])
        return torch.cat([x, beside], dim=1)

    def _deviations(self, x: Tensor) -> Tensor:
        """That of the group of each item, ``(N,)``."""
        # Autocast would multiply matrices in half precision: the rounding of a mean would pass for variety.
        with torch.autocast(x.device.type, enabled=False):
            deviations, place = self._of_groups(at_least_float32(x).flatten(1))
        with torch.no_grad():
            self.running_deviation.lerp_(deviations.mean().to(self.running_deviation.dtype), self.momentum)
        return deviations[place]

    def _of_groups(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """That of each group, ``(G,)``, and the group of each item, ``(N,)``."""
        number = max(len(values) // self.group, 1)
        # As in the authors' code the items of a group stand as far apart in the batch as can be.
        place = torch.arange(len(values), device=values.device) % number
        # The share of each item in the mean of each group.
        member = nn.functional.one_hot(place, number).to(values.dtype)
        share = (member / member.sum(0)).T
        differences = values - (share @ values)[place]
        return (share @ differences.square() + 1e-8).sqrt().mean(1), place
