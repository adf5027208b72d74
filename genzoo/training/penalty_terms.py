"""What a game's discriminator is held to: penalties and their sum at a step, and constraints of its weights."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from genzoo.losses.constraints import Constraint
from genzoo.losses.objectives import AdversarialObjective
from genzoo.losses.penalties import Penalty
from genzoo.losses.regularisation import Regularisation
from genzoo.names import numbered
from genzoo.noise import Noise, Stream
from genzoo.spec import DataSpec
from genzoo.training.recorder import Recorder


class PenaltyTerms:
    """What is added to the discriminator's loss, and what its weights have to obey.

    Args:
        given: Penalties and constraints, each of which follows its schedules.
        spec: Of the data.
        objective: Of the game.

    Attributes:
        given: All of them.
        by_name: The penalties by their names in the log, ``penalty/R1``; of several of one name the later ones have a
            number, ``penalty/R1_2``.

    Raises:
        ValueError: If one of them does not fit the data or the objective.
    """

    def __init__(self, given: Sequence[Regularisation], spec: DataSpec, objective: AdversarialObjective) -> None:
        if isinstance(given, Regularisation):
            raise ValueError(f"penalties are a list, got {given}; put it into one")
        self.given = tuple(given)
        for each in self.given:
            each.require_fit(spec, objective)
        penalties = [each for each in given if isinstance(each, Penalty)]
        self.constraints = [each for each in given if isinstance(each, Constraint)]
        self.by_name: dict[str, Penalty] = {}
        for penalty in penalties:
            self.by_name[numbered(f"penalty/{penalty.name}", self.by_name)] = penalty

    @property
    def settings(self) -> dict[str, Any]:
        """What may follow a schedule, by name."""
        return self.by_name | {"constraint": self.constraints}

    def added_to(
        self,
        loss: Tensor,
        score: Callable[[Tensor], Tensor],
        shown: tuple[Tensor, Tensor],
        noise: Noise,
        step: int,
        recorder: Recorder,
    ) -> Tensor:
        """The loss with all that is due at a step.

        Args:
            loss: Of the discriminator, a scalar.
            score: As for a `Penalty`.
            shown: Real and generated items, ``(N, *data_shape)`` each, as the discriminator is shown them.
            noise: Of the batch; penalties draw from a branch of it.
            step: How many updates of the discriminator there have been.
            recorder: Gets the value of each.
        """
        for name, penalty in self.by_name.items():
            if (due := penalty.at(step)) is not None:
                value = due(score, *shown, noise.branch(Stream.PENALTY))
                # Whether it is a log step or not: at the next one it may not be due.
                recorder.keep(name, value)
                loss = loss + value
        return loss

    def constrain(self, discriminator: nn.Module, step: int) -> None:
        """Brings the discriminator's weights, once it has moved, to where constraints want them.

        Args:
            discriminator: Changed in place.
            step: How many updates of it there have been.
        """
        for constraint in self.constraints:
            if (due := constraint.at(step)) is not None:
                due.constrain(discriminator)
