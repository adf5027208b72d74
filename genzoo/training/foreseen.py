"""Networks with weights other than their own, through whose way there gradients pass."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call


class Foreseen:
    """What a network would be some steps of gradient descent later, while it stays where it is.

    Args:
        network: It is called by its ``forward``, which is never compiled: what is compiled cannot be differentiated
            twice.

    Attributes:
        weights: Where its parameters have moved, by name; functions of what the losses were made of.
        buffers: Copies of its buffers, such as the running averages of batch norm, by name.
    """

    def __init__(self, network: nn.Module) -> None:
        self.weights = {name: weight.detach().clone().requires_grad_() for name, weight in network.named_parameters()}
        self.buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
        self._uncompiled = _Uncompiled(network)

    def __call__(self, *arguments: Any) -> Tensor:
        """What the network makes of its arguments with the weights that it would have."""
        state = {f"network.{name}": value for name, value in (self.weights | self.buffers).items()}
        output: Tensor = functional_call(self._uncompiled, state, arguments)
        return output

    def descend(self, loss: Tensor, rate: float) -> None:
        """Moves the weights by one step.

        Args:
            loss: A scalar of what was called.
            rate: The learning rate.
        """
        gradients = torch.autograd.grad(loss, list(self.weights.values()), create_graph=True)
        moved = zip(self.weights.items(), gradients, strict=True)
        self.weights = {name: weight - rate * gradient for (name, weight), gradient in moved}


class _Uncompiled(nn.Module):
    """A module that is its network's ``forward``: weights can be put into a module alone."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *arguments: Any) -> Any:
        return self.network.forward(*arguments)
