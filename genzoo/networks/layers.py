"""Layers in turn of which some are given the condition too, wherever they stand."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from genzoo.networks.conditioning import concatenate


class TakesCondition(nn.Module, ABC):
    """A layer that a condition changes, or that holds layers which one changes."""

    @abstractmethod
    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """The output for ``(N, ...)`` and ``(N, *condition_shape)``."""


class LayersInTurn(nn.Sequential, TakesCondition):
    """A sequence that hands the condition to those of its layers that take one."""

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """The output of the last layer."""
        for layer in self:
            x = layer(x, condition) if isinstance(layer, TakesCondition) else layer(x)
        return x


class Concatenation(TakesCondition):
    """Puts the condition beside a vector, as a layer: ``(N, D)`` and K numbers to ``(N, D + K)``."""

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Both in one vector."""
        return concatenate(x, condition)


class Residual(TakesCondition):
    """What layers add to their input (He et al. 2016).

    Args:
        layers: What is added.
        shortcut: How the input is brought to the shape of what is added; as it is if left out.
    """

    def __init__(self, layers: LayersInTurn, shortcut: nn.Module | None = None) -> None:
        super().__init__()
        self.layers = layers
        self.shortcut = nn.Identity() if shortcut is None else shortcut

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """The sum of both ways."""
        straight, added = self.shortcut(x), self.layers(x, condition)
        output: Tensor = straight + added
        return output
