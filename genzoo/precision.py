"""Types of floating-point numbers: networks compute in the type of their weights, losses never in less than float32."""

import torch
from torch import Tensor


def at_least_float32(values: Tensor) -> Tensor:
    """Floats in which sums and logarithms are safe: half precision becomes float32, float64 stays.

    Args:
        values: Floats of any type and shape.
    """
    return values if values.dtype == torch.float64 else values.float()
