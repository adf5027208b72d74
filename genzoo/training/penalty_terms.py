"""The penalties of a game: their sum at a step, and the names under which they are logged."""

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from genzoo.losses.penalties import Penalty
from genzoo.names import numbered
from genzoo.noise import Noise, Stream
from genzoo.training.recorder import Recorder


class PenaltyTerms:
    """What is added to the discriminator's loss.

    Args:
        penalties: The terms, each of which follows its schedules.

    Attributes:
        by_name: The penalties by their names in the log, ``penalty/R1``; of several of one name the later ones have a
            number, ``penalty/R1_2``.
    """

    def __init__(self, penalties: Sequence[Penalty]) -> None:
        self.by_name: dict[str, Penalty] = {}
        for penalty in penalties:
            self.by_name[numbered(f"penalty/{penalty.name}", self.by_name)] = penalty

    @property
    def settings(self) -> dict[str, Penalty]:
        """What may follow a schedule, by name."""
        return self.by_name

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
                recorder.record(name, value.detach)
                loss = loss + value
        return loss

    def constrain(self, discriminator: nn.Module) -> None:
        """Keeps the discriminator's weights where penalties want them, once it has moved."""
        for penalty in self.by_name.values():
            penalty.constrain(discriminator)
