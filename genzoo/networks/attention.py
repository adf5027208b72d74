"""Self-attention between the places of feature maps."""

import torch
from torch import Tensor, nn


class SelfAttention(nn.Module):
    r"""Adds to each place of a feature map what it looks up at all others.

    .. math:: y = x + \gamma\, W_v\, o, \qquad o_j = \sum_i \beta_{ij} W_h x_i, \qquad
        \beta_{ij} = \operatorname{softmax}_i (W_f x_i)^\top W_g x_j

    Source: Zhang et al. 2019 (SAGAN), equations 1 to 3: 1x1 convolutions to an eighth of the channels, :math:`\gamma`
    from 0, so that a network begins with what it sees nearby. Not from the paper: where it has fewer than 8 channels,
    one is left.

    Args:
        channels: C, of the maps.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        fewer = max(channels // 8, 1)
        self.query, self.key, self.value = (nn.Conv2d(channels, fewer, 1) for _ in range(3))
        self.out = nn.Conv2d(fewer, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, H, W)`` to the same shape."""
        query, key, value = (layer(x).flatten(2) for layer in (self.query, self.key, self.value))
        # Plainly: torch's scaled_dot_product_attention cannot be differentiated twice.
        weights = (key.mT @ query).softmax(dim=1)
        looked_up: Tensor = self.out((value @ weights).unflatten(2, x.shape[2:]))
        return x + self.gamma * looked_up
