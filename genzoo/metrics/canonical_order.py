"""An order of features that does not depend on the order in which they came."""

import numpy as np
import torch
from torch import Tensor

from genzoo.subsets import shuffled


def canonical_order(features: Tensor, seed: int) -> Tensor:
    """A shuffled order of features that is a function of the set and a seed, not of the order they came in.

    Args:
        features: ``(N, D)``.
        seed: Of the shuffling.

    Returns:
        ``(N,)``, int64.
    """
    generator = torch.Generator().manual_seed(0)
    direction = torch.randn(features.shape[1], generator=generator, dtype=torch.float64)
    # The projection on one fixed direction tells all rows apart but equal ones, whose order does not matter.
    places = np.argsort((features.double().cpu() @ direction).numpy(), kind="stable")
    return torch.from_numpy(places[shuffled(len(features), seed)])
