r"""Adaptive discriminator augmentation: as much of it as keeps the discriminator from knowing its images by heart.

Source: Karras et al., "Training generative adversarial networks with limited data", NeurIPS 2020, section 3.

.. math:: r_t = E_x[\mathrm{sign}(D(x))], \qquad
    p \leftarrow p + \mathrm{sign}(r_t - r) \, \frac{\text{real images seen}}{\text{images for p from 0 to 1}}

From the paper: r_t and its target, the step of p after every fourth update, p from 0 on, not below 0. Not from the
paper: p is bounded from above too, D is counted from the objective's own threshold, and any augmentation that has a
probability can be adapted.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from genzoo.augmentations.affine_augment import HIGHEST, AffineAugment
from genzoo.augmentations.augmentation import Augmentation, Augmenter, OccasionalAugmenter
from genzoo.hyperparameters import whole_number
from genzoo.losses.objectives import AdversarialObjective
from genzoo.noise import Noise
from genzoo.spec import DataSpec


@dataclass(frozen=True)
class AdaptiveAugment(Augmentation):
    """Changes images with a probability p that rises while too many real ones are taken for real, and falls otherwise.

    Args:
        augmentation: Whose changes are made with probability p; a probability of its own below 1 is multiplied by it.
            Where it is several in turn, those that have none, such as `InstanceNoise`, are as ever.
        target: r, the share of real images taken for real less the share that is not, for which p stands still.
        images: How many real images the discriminator sees while p goes from 0 to 1.
        highest: Bound of p. Beyond about 0.8 unchanged images are too few to tell what is changed, and changes leak
            into what is generated (section 2.2).
        updates: Over how many updates of the discriminator r_t is averaged before p takes a step.
    """

    augmentation: Augmentation = field(default_factory=AffineAugment)
    target: float = 0.6
    images: int = 500_000
    highest: float = HIGHEST
    updates: int = 4

    def __post_init__(self) -> None:
        for name in ("images", "updates"):
            object.__setattr__(self, name, whole_number(f"{name} of AdaptiveAugment", getattr(self, name), 1))
        if not -1.0 < self.target < 1.0:
            raise ValueError(f"target of AdaptiveAugment must be between -1 and 1, got {self.target}")
        if not 0.0 < self.highest <= 1.0:
            raise ValueError(f"highest of AdaptiveAugment must be a probability above 0, got {self.highest}")

    def require_fit(self, spec: DataSpec, objective: AdversarialObjective) -> None:
        """Asks also for an objective that says which images are taken for real."""
        self.augmentation.require_fit(spec, objective)
        if objective.threshold is None:
            raise ValueError(
                f"AdaptiveAugment counts real images that are taken for real, but scores of {type(objective).__name__} "
                "have no threshold; choose an objective that has one, such as NonSaturating or Hinge, or give "
                f"{type(self.augmentation).__name__} a probability, which may follow a schedule"
            )

    @property
    def leaks(self) -> bool:
        """Where p may rise too high for what it changes."""
        return self.highest > HIGHEST and self.augmentation.leaks

    def build(self) -> "AdaptiveAugmenter":
        """A module that begins with p = 0."""
        return AdaptiveAugmenter(self)


class AdaptiveAugmenter(Augmenter):
    """Drives the probability of an augmenter.

    Its state are whole numbers, which are the same whatever the model computes in, and stay on the device: an update
    waits for none.

    Args:
        settings: What it is built from.

    Raises:
        ValueError: If the augmentation has no probability, or adapts one itself.
    """

    level: Tensor
    gathered: Tensor

    def __init__(self, settings: AdaptiveAugment) -> None:
        super().__init__()
        self.settings = settings
        self.augmenter = settings.augmentation.build()
        self._driven = [part for part in self.augmenter.modules() if isinstance(part, OccasionalAugmenter)]
        if not self._driven or self.augmenter.is_adaptive:
            raise ValueError(
                "AdaptiveAugment adapts the probability of an augmentation that has a fixed one, such as AffineAugment "
                f"or DiffAugment, but got {settings.augmentation}"
            )
        # p in images: it rises by as many as are seen.
        self.register_buffer("level", torch.zeros((), dtype=torch.long))
        # Sum of the signs, number of real images and number of updates since the last step of p.
        self.register_buffer("gathered", torch.zeros(3, dtype=torch.long))

    @property
    def probability(self) -> Tensor:
        """P, a scalar."""
        return self.level / self.settings.images

    def forward(self, items: Tensor, noise: Noise) -> Tensor:
        """Changes items ``(N, *data_shape)``, by each change with probability p."""
        for part in self._driven:
            part.factor = self.probability
        changed: Tensor = self.augmenter(items, noise)
        return changed

    def observe(self, real_logits: Tensor) -> None:
        """Takes in the signs of the logits ``(N,)`` and, if it is due, moves p."""
        signs = real_logits.sign().long().sum()
        self.gathered += torch.stack([signs, *self.gathered.new_tensor([len(real_logits), 1])])
        signs, images, updates = self.gathered
        is_due = updates >= self.settings.updates
        direction = (signs - self.settings.target * images).sign().long()
        highest = int(self.settings.highest * self.settings.images)
        self.level.add_(direction * images * is_due).clamp_(0, highest)
        self.gathered *= ~is_due

    def report(self) -> dict[str, Tensor]:
        """P."""
        return {"augmentation/probability": self.probability}
