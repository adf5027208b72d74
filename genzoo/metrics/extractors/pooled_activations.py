"""The activations of a discriminator as features."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from genzoo.hyperparameters import whole_number


class PooledActivations(nn.Module):
    """All activations of a convolutional network, each pooled to a grid of 4 x 4, in one row.

    The features of a discriminator that Radford et al. 2016, section 5.1, train a linear classifier on.

    Args:
        network: Is called with images alone.
        kinds: The activations that count.
        grid: Height and width to pool to.

    Example:
        >>> import torch
        >>> from genzoo.metrics import PooledActivations
        >>> network = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3), torch.nn.LeakyReLU(), torch.nn.Flatten())
        >>> PooledActivations(network)(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 48])
    """

    def __init__(
        self, network: nn.Module, kinds: tuple[type[nn.Module], ...] = (nn.LeakyReLU, nn.ReLU), grid: int = 4
    ) -> None:
        super().__init__()
        self.network = network
        self.kinds = kinds
        self.grid = whole_number("grid", grid, 1)

    def forward(self, images: Tensor) -> Tensor:
        """``(N, C, H, W)`` to ``(N, D)``.

        Raises:
            ValueError: If the network has no activations of the kinds.
        """
        found: list[Tensor] = []

        def keep(module: nn.Module, inputs: Any, output: Tensor) -> None:
            if output.ndim == 4:
                found.append(functional.adaptive_max_pool2d(output, self.grid).flatten(1))

        hooks = [part.register_forward_hook(keep) for part in self.network.modules() if isinstance(part, self.kinds)]
        try:
            self.network(images)
        finally:
            for hook in hooks:
                hook.remove()
        if not found:
            raise ValueError(
                f"the {type(self.network).__name__} has no activation maps of "
                f"{', '.join(kind.__name__ for kind in self.kinds)}, as convolutional networks have; name in `kinds` "
                "those it has"
            )
        return torch.cat(found, dim=1)
