"""Whose turn it is in a game, as a function of the number of the first player's updates."""

from genzoo.hyperparameters import whole_number
from genzoo.schedules.schedule import Schedule, extremes_of, value_at


class Turns:
    r"""After which updates of the first player the others answer: after every k-th, where k may follow a schedule.

    Answers come after :math:`t_1 < t_2 < \dots` updates, with :math:`t_0 = 0` and :math:`t_{i+1} = t_i + k(t_i)`, with
    k rounded to the nearest whole number. They follow from the schedule alone, so that no checkpoint need hold them.

    Args:
        steps: k.

    Raises:
        ValueError: If it is, or ever becomes, less than 1.

    Example:
        >>> from genzoo.schedules import Linear
        >>> from genzoo.training.turns import Turns
        >>> turns = Turns(Linear(start=4.0, end=1.0, steps=8))
        >>> [step for step in range(1, 11) if turns.answers_after(step)]
        [4, 6, 8, 9, 10]
        >>> turns.answers_until(8)
        3
    """

    def __init__(self, steps: int | Schedule) -> None:
        if not isinstance(steps, Schedule):
            steps = whole_number("discriminator_steps", steps, 1)
        elif round(extremes_of(steps)[0]) < 1:
            raise ValueError(f"discriminator_steps must be at least 1 at every step, got {steps}")
        self.steps = steps
        # When the latest answer came that has been asked for, and which it was: each step goes on from there.
        self._latest = self._answers = 0

    @property
    def settings(self) -> dict[str, int | Schedule]:
        """What may follow a schedule, by name."""
        return {"discriminator_steps": self.steps}

    def steps_at(self, updates: int) -> int:
        """How many updates lie between an answer after so many updates and the next one."""
        return round(value_at(self.steps, updates))

    def answers_until(self, updates: int) -> int:
        """How often the others have answered after so many updates."""
        if updates < self._latest:
            self._latest = self._answers = 0
        while (following := self._latest + self.steps_at(self._latest)) <= updates:
            self._latest, self._answers = following, self._answers + 1
        return self._answers

    def answers_after(self, updates: int) -> bool:
        """Whether the others answer after so many updates, at least 1."""
        self.answers_until(updates)
        return self._latest == updates
