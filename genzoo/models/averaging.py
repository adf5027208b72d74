r"""Averaged weights: a second set of weights that follows the trained one smoothly, and the switch between the two.

.. math:: \bar\theta_{n+1} = d_n \bar\theta_n + (1 - d_n) \theta, \qquad
    d_n = \min\Big(d, \frac{1 + n}{10 + n}\Big)

Source: exponential moving average of the generator, Yaz{\i}c{\i} et al. 2019; its warm-up is that of TensorFlow's
``ExponentialMovingAverage``. Buffers, such as the running averages of batch norm, are copied.
"""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Literal, get_args

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.trainer.states import TrainerFn
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

Weights = Literal["raw", "averaged"]


class WeightAverage(nn.Module):
    """The averages of some modules.

    Args:
        modules: What is averaged, by name.
        decay: d, the share of the old average in the new one, once the warm-up is over.

    Attributes:
        updates: n, how often it was updated. A plain number: asking for it does not wait for the device.
    """

    def __init__(self, modules: Mapping[str, nn.Module], decay: float) -> None:
        super().__init__()
        self.copies = nn.ModuleDict({name: copy.deepcopy(module) for name, module in modules.items()})
        self.copies.requires_grad_(False)
        self.decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self, modules: Mapping[str, nn.Module]) -> None:
        """Takes in the present weights of the modules."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        averages = [value for name in modules for value in self.copies[name].parameters()]
        values = [value.detach() for module in modules.values() for value in module.parameters()]
        get_ema_multi_avg_fn(decay)(averages, values, self.updates)
        for name, module in modules.items():
            for average, value in zip(self.copies[name].buffers(), module.buffers(), strict=True):
                average.copy_(value)
        self.updates += 1

    def get_extra_state(self) -> int:
        """The number of updates, for the checkpoint."""
        return self.updates

    def set_extra_state(self, state: int) -> None:
        """Takes the number of updates from a checkpoint."""
        self.updates = state


class AveragedModule(LightningModule):
    """A module some of whose parts have averages, which take their place where they are switched on.

    Training moves the raw weights; validation, tests, predictions and samples use the averages. A checkpoint holds
    both, and the switch changes nothing in it.

    Args:
        average_decay: Of the averages, for instance 0.999. 0.0: none are kept.

    Attributes:
        averaged_modules: Names of the parts that samples depend on; a model need not have them all.
    """

    averaged_modules: ClassVar[tuple[str, ...]] = ()

    def __init__(self, average_decay: float = 0.0) -> None:
        super().__init__()
        if not 0.0 <= average_decay < 1.0:
            raise ValueError(f"average_decay should be at least 0.0 (no averages) and below 1.0, got {average_decay}")
        self.average_decay = average_decay
        self.average: WeightAverage | None = None
        self._weights: Weights = "raw"

    def __getattr__(self, name: str) -> Any:
        """The part of a name; its average while that is switched on."""
        if name in self.averaged_modules and self.__dict__.get("_weights") == "averaged":
            average: Any = self._modules["average"]
            return average.copies[name]
        return super().__getattr__(name)

    @property
    def weights(self) -> Weights:
        """Which weights act: those that are trained (``raw``) or their averages (``averaged``)."""
        return self._weights

    @property
    def best_weights(self) -> Weights:
        """The averages where there are any, else the raw weights.

        Raises:
            RuntimeError: If there should be averages, but they have never been updated. In training they are not
                missed before the first update: until then they are the raw weights.
        """
        if self.average_decay == 0.0:
            return "raw"
        if self.average is not None and self.average.updates > 0:
            return "averaged"
        if self.is_fitting:
            return "raw"
        raise RuntimeError(
            f"the averaged weights of this {type(self).__name__} have never been updated; train it, or ask for "
            'weights="raw"'
        )

    @contextmanager
    def using(self, weights: Weights | None = None) -> Iterator[None]:
        """Lets one of the two sets of weights act for a while.

        Args:
            weights: Which of them; left out, `best_weights`.

        Raises:
            ValueError: If there are no such weights.
            RuntimeError: If there are no averages, or none that have been updated.
        """
        if weights not in (None, *get_args(Weights)):
            raise ValueError(f"weights must be one of {', '.join(get_args(Weights))}, got {weights!r}")
        if weights == "averaged" and self.average_decay == 0.0:
            raise RuntimeError(f'this {type(self).__name__} keeps no averaged weights; ask for weights="raw"')
        before, self._weights = self._weights, self.best_weights if weights != "raw" else "raw"
        try:
            yield
        finally:
            self._weights = before

    def switch_to_best_weights(self) -> None:
        """Lets the averages act from now on, if there are any that have been updated."""
        if self.average is not None and self.average.updates > 0:
            self._weights = "averaged"

    def update_average(self) -> None:
        """Takes the weights of the averaged parts in; to be called after each of their updates."""
        if self.average is not None:
            self.average.update(self._raw_parts())

    def setup(self, stage: str) -> None:
        """Makes the averages; what trains, trains the raw weights."""
        self._make_average()
        if stage == "fit":
            self._weights = "raw"

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Makes the averages before they are loaded; they begin with the weights of a checkpoint without any."""
        self._make_average()
        state: dict[str, Any] = checkpoint.get("state_dict", {})
        if self.average is None:
            for key in [key for key in state if key.startswith("average.")]:
                del state[key]
        elif not any(key.startswith("average.") for key in state):
            for name in self.averaged_modules:
                for key in [key for key in state if key.startswith(f"{name}.")]:
                    state[f"average.copies.{key}"] = state[key]
            state["average._extra_state"] = 0

    @property
    def is_fitting(self) -> bool:
        """Whether a trainer is fitting this module, validation in between included."""
        return self._trainer is not None and self._trainer.state.fn == TrainerFn.FITTING

    def _make_average(self) -> None:
        if self.average_decay > 0.0 and self.average is None:
            self.average = WeightAverage(self._raw_parts(), self.average_decay).to(self.device)

    def _raw_parts(self) -> dict[str, nn.Module]:
        parts = {name: self._modules.get(name) for name in self.averaged_modules}
        return {name: part for name, part in parts.items() if part is not None}
