"""What a discriminator is held to beside its objective."""

from abc import ABC, abstractmethod

from typing_extensions import Self

from genzoo.losses.objectives import AdversarialObjective
from genzoo.schedules.schedule import at_step
from genzoo.spec import DataSpec


class Regularisation(ABC):
    """A `Penalty`, which is added to the discriminator's loss, or a `Constraint`, which its weights have to obey."""

    @property
    @abstractmethod
    def limits_slope(self) -> bool:
        """Whether it limits how steeply the logit of an item depends on the item."""

    def at(self, step: int) -> Self | None:
        """What it is at a step: its settings have the values of their schedules. None: nothing is done then.

        Args:
            step: How many updates of the discriminator there have been.
        """
        return at_step(self, step)

    def require_fit(self, spec: DataSpec, objective: AdversarialObjective) -> None:  # noqa: B027 - most fit all games
        """Asks whether it makes sense in a game.

        Args:
            spec: Of the data.
            objective: Of the game.

        Raises:
            ValueError: If it does not.
        """
