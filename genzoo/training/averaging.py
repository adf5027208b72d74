r"""Averaged weights: a second set of weights that follows the trained one smoothly.

.. math:: \bar\theta_{n+1} = d_n \bar\theta_n + (1 - d_n) \theta, \qquad
    d_n = \min\Big(d, \frac{1 + n}{10 + n}\Big)

Source: exponential moving average of the generator, Yaz{\i}c{\i} et al. 2019; its warm-up is that of TensorFlow's
``ExponentialMovingAverage``. Buffers, such as the running averages of batch norm, are copied.
"""

import copy
from typing import Any, Literal, Protocol, TypeVar, get_args

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from genzoo.sampling.sampler import Sampler
from genzoo.sampling.stored import AVERAGED, RAW, UPDATES
from genzoo.schedules.schedule import Schedule, extremes_of, value_at

Weights = Literal["raw", "averaged"]
"""The weights that are trained, or their averages."""

AnySampler = TypeVar("AnySampler", bound=Sampler)


class WeightAverage(nn.Module):
    """The averages of the trained parts of a sampler.

    Args:
        sampler: Whose parts are averaged; the averages begin as copies.
        decay: d, the share of the old average in the new one, once the warm-up is over; a schedule counts updates.

    Attributes:
        updates: n, how often it was updated. A plain number: asking for it does not wait for the device.
    """

    def __init__(self, sampler: Sampler, decay: float | Schedule) -> None:
        super().__init__()
        self.copies = nn.ModuleDict({name: copy.deepcopy(part) for name, part in sampler.trained_parts().items()})
        self.copies.requires_grad_(False)
        self.decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self, sampler: Sampler) -> None:
        """Takes in the present weights of the sampler."""
        decay = min(value_at(self.decay, self.updates), (1 + self.updates) / (10 + self.updates))
        parts = sampler.trained_parts()
        averages = [value for name in parts for value in self.copies[name].parameters()]
        values = [value.detach() for part in parts.values() for value in part.parameters()]
        # torch's function moves all weights by a few fused operations, in place of some for each of them.
        get_ema_multi_avg_fn(decay)(averages, values, self.updates)
        for name, part in parts.items():
            for average, value in zip(self.copies[name].buffers(), part.buffers(), strict=True):
                average.copy_(value)
        self.updates += 1

    def standing_in(self, sampler: AnySampler) -> AnySampler:
        """The sampler with averages in the place of its trained parts; all else, its density too, is the same."""
        averaged = copy.copy(sampler)
        # The copy shares this dictionary with the original until it has one of its own.
        averaged._modules = sampler._modules | dict(self.copies.items())
        return averaged

    def get_extra_state(self) -> int:
        """The number of updates, for the checkpoint."""
        return self.updates

    def set_extra_state(self, state: int) -> None:
        """Restores the number of updates from a checkpoint."""
        self.updates = state


class Averaged(Protocol):
    """A model that may keep averages."""

    average_decay: float | Schedule
    average: WeightAverage | None

    @property
    def is_fitting(self) -> bool:
        """Whether a trainer is fitting it."""


def chosen_weights(wanted: Weights | None, model: Averaged) -> Weights:
    """Which weights of a model act if some are wanted.

    Args:
        wanted: Which; None: the averages where there are any, else the raw weights.
        model: Whose weights they are.

    Raises:
        ValueError: If there are no such weights.
        RuntimeError: If there are no averages, or if there should be some, but they have never been updated. In
            training they are not missed before the first update: until then they are the raw weights.
    """
    if wanted not in (None, *get_args(Weights)):
        raise ValueError(f"weights must be one of {', '.join(get_args(Weights))}, got {wanted!r}")
    if wanted == "raw" or (wanted is None and not keeps_averages(model.average_decay)):
        return "raw"
    if not keeps_averages(model.average_decay):
        raise RuntimeError(f'this {type(model).__name__} keeps no averaged weights; ask for weights="raw"')
    if model.average is not None and model.average.updates > 0:
        return "averaged"
    if model.is_fitting:
        return "raw"
    raise RuntimeError(
        f"the averaged weights of this {type(model).__name__} have never been updated; train it, or ask for "
        'weights="raw"'
    )


def keeps_averages(average_decay: float | Schedule) -> bool:
    """Whether there are averages, which there are with a decay that is ever more than 0."""
    return extremes_of(average_decay)[1] > 0.0


def require_decay(average_decay: float | Schedule) -> float | Schedule:
    """Refuses a decay that would average nothing, or never move.

    Raises:
        ValueError: If it leaves [0, 1).
    """
    lowest, highest = extremes_of(average_decay)
    if not 0.0 <= lowest <= highest < 1.0:
        raise ValueError(f"average_decay should be at least 0.0 (no averages) and below 1.0, got {average_decay}")
    return average_decay


def fit_average(state: dict[str, Any], average: WeightAverage | None, sampler: Sampler) -> None:
    """Changes the weights of a checkpoint to those of a model that keeps averages, or keeps none.

    Averages that the model does not keep are dropped. Where it keeps some and the checkpoint has none, they begin
    with the checkpoint's weights.

    Args:
        state: Of the checkpoint, by name; changed in place.
        average: The model's averages.
        sampler: The model's sampler.
    """
    stored = [name for name in state if name.startswith((AVERAGED, UPDATES))]
    if average is None:
        for name in stored:
            del state[name]
    elif not stored:
        parts = tuple(f"{RAW}{name}." for name in sampler.trained_parts())
        raw = {name.removeprefix(RAW): value for name, value in state.items() if name.startswith(parts)}
        state.update({f"{AVERAGED}{name}": value for name, value in raw.items()})
        state[UPDATES] = 0
