"""Penalties that are not computed at every step."""

from dataclasses import dataclass, replace

from torch import Tensor
from typing_extensions import Self

from genzoo.hyperparameters import whole_number
from genzoo.losses.objectives import AdversarialObjective
from genzoo.losses.penalties import Penalty, Scoring
from genzoo.noise import Noise
from genzoo.spec import DataSpec


@dataclass(frozen=True)
class Every(Penalty):
    """A penalty at every n-th step, n times as heavy: nearly the same effect for a fraction of its time.

    Source: Karras et al. 2020 (StyleGAN2), "lazy regularization", with n = 16 for `R1`. Not here: their correction of
    Adam's learning rate and betas by n / (n + 1), which optimisers can be given. It acts at the steps 0, n, 2 n, ...,
    at all batches of an accumulated one, and is logged under the penalty's name with what it adds at its latest step.

    Args:
        penalty: What is added.
        steps: n, at least 1, in updates of the discriminator.
    """

    penalty: Penalty
    steps: int = 16

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", whole_number("steps of Every", self.steps, 1))
        if not isinstance(self.penalty, Penalty) or isinstance(self.penalty, Every):
            raise ValueError(
                f"Every takes a penalty that acts at each step, such as R1, but got a {type(self.penalty).__name__}; "
                "give that itself, beside Every or in its place"
            )

    @property
    def name(self) -> str:
        """That of the penalty."""
        return self.penalty.name

    @property
    def limits_slope(self) -> bool:
        """As the penalty does."""
        return self.penalty.limits_slope

    @property
    def compares_passes(self) -> bool:
        """As the penalty does."""
        return self.penalty.compares_passes

    def at(self, step: int) -> Self | None:
        """With the penalty as it is at this step; None between the steps at which it acts."""
        due = self.penalty.at(step) if step % self.steps == 0 else None
        return None if due is None else replace(self, penalty=due)

    def require_fit(self, spec: DataSpec, objective: AdversarialObjective) -> None:
        """As the penalty does."""
        self.penalty.require_fit(spec, objective)

    def __call__(self, score: Scoring, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        """The penalty, n times."""
        return self.steps * self.penalty(score, real, fake, noise)
