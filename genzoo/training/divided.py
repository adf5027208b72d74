"""Weights that a strategy divides among devices, so that none can compute alone."""

from collections.abc import Callable
from typing import Any, TypeVar

from lightning.pytorch import LightningModule

from genzoo.training.feasible import divides_weights

Result = TypeVar("Result")


class Together:
    """Computes what needs the networks outside of a step; where weights are divided, on all devices at once.

    Args:
        model: Whose networks are needed; its method ``call`` calls what it is given.
    """

    def __init__(self, model: LightningModule) -> None:
        self.model = model
        self._is_under_way = False

    @property
    def is_needed(self) -> bool:
        """Whether the weights are divided; what is computed is then computed on all devices at once."""
        return self.model._trainer is not None and divides_weights(self.model.trainer)

    def __call__(self, compute: Callable[[], Result]) -> Result:
        """Computes.

        Args:
            compute: Does it, with the same calls of the networks on each device.
        """
        if not self.is_needed or self._is_under_way or self.model.trainer.strategy.model in (None, self.model):
            return compute()
        self._is_under_way = True
        try:
            # As a step of training does: by way of what gathers the weights.
            strategy: Any = self.model.trainer.strategy
            result: Result = strategy._forward_redirection(strategy.model, self.model, "call", compute)
            return result
        finally:
            self._is_under_way = False
