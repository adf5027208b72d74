"""Scalars of a training step, kept on the device until they are handed to the loggers."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim import Optimizer

from genzoo.training.optimizers import learning_rate
from genzoo.training.update_size import UpdateSize


class Recorder:
    """Keeps what the players' updates report, so that a log step can hand out the latest of each.

    A step between two log steps computes nothing for the log and waits for no device. Batches of one accumulated update
    are averaged.

    Attributes:
        is_on: Whether the update that is under way will be reported.

    Example:
        >>> import torch
        >>> from genzoo.training import Recorder
        >>> recorder = Recorder()
        >>> recorder.record("generator_loss", lambda: torch.tensor(1.0))  # off: not even computed
        >>> recorder.is_on = True
        >>> recorder.record("generator_loss", lambda: torch.tensor(2.0))
        >>> recorder.record("generator_loss", lambda: torch.tensor(4.0))
        >>> recorder.end_update()
        >>> recorder.latest
        {'generator_loss': tensor(3.)}
    """

    def __init__(self) -> None:
        self.is_on = False
        self.latest: dict[str, Tensor] = {}
        self._of_update: dict[str, list[Tensor]] = {}
        self._size = UpdateSize({})

    def record(self, name: str, value: Callable[[], Tensor]) -> None:
        """Keeps a scalar of the update that is under way.

        Args:
            name: What it is reported as, under ``train/``.
            value: Computes it; not called if nothing is to be reported.
        """
        if self.is_on:
            with torch.no_grad():
                self.keep(name, value())

    def keep(self, name: str, value: Tensor) -> None:
        """Keeps a scalar that is there anyway, whether this update is reported or not.

        Args:
            name: What it is reported as, under ``train/``.
            value: Not computed in every update, so that a later log step reports the latest.
        """
        self._of_update.setdefault(name, []).append(value.detach())

    def record_means(self, values: Callable[[], dict[str, Tensor]]) -> None:
        """Keeps the mean over the batch of what was measured of each item.

        Args:
            values: Computes it, ``(N,)`` by name; not called if nothing is to be reported.
        """
        if self.is_on:
            for name, measured in values().items():
                self.record(name, measured.mean)

    def begin_update(self, name: str, optimizer: Optimizer) -> None:
        """Keeps the learning rate of an update that is about to be made, and lets `end_update` tell its size.

        Args:
            name: Whose it is.
            optimizer: What will make it.
        """
        if self.is_on:
            weights = [parameter for group in optimizer.param_groups for parameter in group["params"]]
            self._size = UpdateSize({name: weights})
            self.keep(f"{name}_learning_rate", learning_rate(optimizer, weights[0].device))

    def end_update(self) -> None:
        """Makes what was recorded since the last call the latest."""
        for name, value in self._size.measured().items():
            self.keep(name, value)
        self._size = UpdateSize({})
        self.latest |= {name: torch.stack(values).mean() for name, values in self._of_update.items()}
        self._of_update = {}

    def state_dict(self) -> dict[str, float]:
        """The latest values as plain numbers, for the checkpoint: a later log step may report them."""
        return {name: float(value) for name, value in self.latest.items()}

    def load_state_dict(self, state: dict[str, float], device: torch.device) -> None:
        """Restores the latest values."""
        self.latest = {name: torch.tensor(value, device=device) for name, value in state.items()}
