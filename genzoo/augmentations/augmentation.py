"""What every augmentation is: a value that builds a module, which changes items before the discriminator sees them.

Real and generated items are changed alike, in the turns of both players, so that what is learned is the distribution
of the data and not that of its changed copies (Zhao et al. 2020), as long as the one can be told from the other: if all
images are turned by any angle, it cannot (Karras et al. 2020, section 2.2).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, get_args

import torch
from torch import Tensor, nn

from genzoo.losses.objectives import AdversarialObjective
from genzoo.names import numbered
from genzoo.noise import Noise
from genzoo.schedules.schedule import Schedule, extremes_of, value_at
from genzoo.spec import DataSpec, is_image


class Augmenter(nn.Module, ABC):
    """Changes items at random, each by numbers of its own.

    What it learns on the way is kept in buffers: it goes into the checkpoint and follows the model to its device. One
    that is made of others, its children, hands on to them what it is told.
    """

    _steps_done: int = 0

    @property
    def steps_done(self) -> int:
        """How many updates of the discriminator there have been, for settings that follow a schedule.

        The model keeps it up to date.
        """
        return self._steps_done

    @steps_done.setter
    def steps_done(self, steps: int) -> None:
        self._steps_done = steps
        for part in self._parts:
            part.steps_done = steps

    @property
    def _parts(self) -> list["Augmenter"]:
        return [part for part in self.children() if isinstance(part, Augmenter)]

    @abstractmethod
    def forward(self, items: Tensor, noise: Noise) -> Tensor:
        """Changes a whole batch at once, on its device; gradients pass through to the items.

        Args:
            items: ``(N, *data_shape)``, images in [-1, 1].
            noise: Where the random numbers come from.

        Returns:
            Items of the same shape and type; their values may leave [-1, 1].
        """

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Does nothing: each random number would part the compiled code, and each step of a schedule make it anew."""

    @property
    def is_adaptive(self) -> bool:
        """Whether it observes the discriminator; where it does not, nothing need be gathered for it."""
        return type(self).observe is not Augmenter.observe or any(part.is_adaptive for part in self._parts)

    def observe(self, real_logits: Tensor) -> None:
        """Called after every update of the discriminator, for augmentations that follow how sure it is.

        Args:
            real_logits: ``(N,)``, of all real items of the update, those of other devices included, without gradient.
                Where the objective has a threshold they are counted from it: above 0 are those that were taken for
                real.
        """
        for part in self._parts:
            part.observe(real_logits)

    def report(self) -> dict[str, Tensor]:
        """What it has learned, for the log: scalars by name, such as ``augmentation/probability``."""
        found: dict[str, Tensor] = {}
        for part in self._parts:
            found |= {numbered(name, found): value for name, value in part.report().items()}
        return found


class OccasionalAugmenter(Augmenter):
    """Makes each of its changes to some items alone, all with one probability and each by a draw of its own.

    Changes that are made to few items do not leak into what is generated: the share of unchanged ones tells which
    orientation, place or colour is that of the data (Karras et al. 2020, section 2.2).

    Args:
        probability: Of each change.

    Attributes:
        factor: What it is multiplied by, a number or a scalar tensor in [0, 1], for an augmentation that adapts it.
    """

    def __init__(self, probability: float | Schedule) -> None:
        super().__init__()
        self._probability = probability
        self.factor: float | Tensor = 1.0

    @property
    def probability(self) -> float | Tensor:
        """That of each change now."""
        return value_at(self._probability, self.steps_done) * self.factor

    def sometimes(
        self, changed: Tensor, unchanged: Tensor | float, noise: Noise, probability: float | Tensor | None = None
    ) -> Tensor:
        """Changed items in the place of some of the unchanged ones, each of which is chosen by a draw of its own.

        Args:
            changed: ``(N, ...)``, items or what they are changed by.
            unchanged: The same of items that stay as they are.
            noise: Drawn from unless all are chosen.
            probability: With which each is chosen; `probability` if left out.
        """
        probability = self.probability if probability is None else probability
        if isinstance(probability, float) and probability == 1.0:
            return changed
        is_chosen = noise.uniform(len(changed), *[1] * (changed.dim() - 1)) < probability
        return torch.where(is_chosen, changed, unchanged)


class Augmentation(ABC):
    """Says how items are changed: plain data, from which each model builds an augmenter of its own."""

    def require_fit(self, spec: DataSpec, objective: AdversarialObjective) -> None:
        """Asks whether a game can be played so: with images, unless an augmentation knows what to do with others.

        Args:
            spec: Of the data.
            objective: Of the game.

        Raises:
            ValueError: If it cannot.
        """
        if not is_image(spec["shape"]):
            raise ValueError(
                f"{type(self).__name__} changes images (C, H, W), but the data have shape {tuple(spec['shape'])}; "
                "leave the augmentation out"
            )

    @property
    def leaks(self) -> bool:
        """Whether it changes so many items that those of the data cannot be told from changed ones."""
        return False

    @abstractmethod
    def build(self) -> Augmenter:
        """The module that changes items."""


def some_of(name: str, given: Iterable[str], kinds: Any) -> tuple[Any, ...]:
    """A choice of kinds as a tuple; plain data, such as those of a checkpoint, have lists.

    Args:
        name: Of the setting, for the message.
        given: What was chosen.
        kinds: The ``Literal`` of all there are.

    Raises:
        ValueError: If nothing was chosen, or something unknown.
    """
    chosen, known = tuple(given), get_args(kinds)
    if not chosen or not set(chosen) <= set(known):
        raise ValueError(f"{name} must be some of {', '.join(known)}, got {list(chosen)}")
    return chosen


def require_probability(owner: str, value: float | Schedule) -> None:
    """Refuses what is no probability at some step.

    Raises:
        ValueError: If it leaves [0, 1].
    """
    lowest, highest = extremes_of(value)
    if not 0.0 <= lowest <= highest <= 1.0:
        raise ValueError(f"probability of {owner} must be in [0, 1], got {value}")
