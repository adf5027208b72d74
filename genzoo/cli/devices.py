"""Where verbs compute that only load what was trained."""

import torch
from torch import nn


def move(module: nn.Module, device: str) -> None:
    """Moves a module to a device.

    Args:
        module: What shall compute there.
        device: Its name for torch, such as ``cuda:1``.

    Raises:
        ValueError: If torch cannot compute there.
    """
    try:
        # Not every device that has a name can compute.
        torch.ones((), device=device).item()
        module.to(device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f"torch cannot compute on {device} here ({reason}); choose another --device, such as cpu"
        ) from error
