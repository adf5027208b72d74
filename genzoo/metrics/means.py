"""Means over images, the same whatever the batch size and the number of devices."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric


class ImageMean(Metric):
    r"""The mean over all images seen of a statistic that each image has.

    .. math:: \bar s = \frac{1}{N} \sum_{i=1}^N s_i

    Sums are kept in float64 where the device has it, and added up over devices.

    Args:
        shape: Shape of the statistic of one image; ``()`` for a number.
        device: Where the statistic is computed.
        **kwargs: As for `torchmetrics.Metric`.
    """

    full_state_update = False
    total: Tensor
    images: Tensor

    def __init__(self, shape: tuple[int, ...], device: torch.device, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        precision = torch.float32 if device.type == "mps" else torch.float64
        self.add_state("total", torch.zeros(shape, dtype=precision), dist_reduce_fx="sum")
        self.add_state("images", torch.tensor(0), dist_reduce_fx="sum")
        self.to(device)

    def update(self, values: Tensor) -> None:
        """Takes in the statistics of some images, ``(N, *shape)``."""
        # Into the metric's own precision before they are added up, where a batch's sum would be rounded.
        self.total += values.detach().to(self.total).sum(0)
        self.images += len(values)

    def compute(self) -> Tensor:
        """The mean, of the statistic's shape, float32."""
        return (self.total / self.images).float()
