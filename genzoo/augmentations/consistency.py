"""What asks a discriminator for the same answer to an item and to changed copies of it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from genzoo.augmentations.augmentation import Augmentation
from genzoo.augmentations.diff_augment import DiffAugment
from genzoo.losses.objectives import AdversarialObjective
from genzoo.losses.penalties import Penalty, Scoring
from genzoo.noise import Noise
from genzoo.precision import at_least_float32
from genzoo.schedules.schedule import Schedule, require_not_negative, value_at
from genzoo.spec import DataSpec

SHIFTS = DiffAugment(policies=("translation",))


@dataclass(frozen=True)
class Consistency(Penalty):
    r"""Asks for the same logit of an item and of its augmented copy, real or generated.

    .. math:: \lambda_{real} E_x (l(x) - l(T(x)))^2 + \lambda_{fake} E_z (l(G(z)) - l(T(G(z))))^2

    Unlike a model's ``augmentation``, which changes all that the discriminator is shown, it adds copies to items that
    stay as they are shown. Source: Zhao et al. 2021, Algorithm 1 (balanced consistency regularisation, bCR), with its
    weights; their T shifts images by a few pixels and mirrors them.

    Args:
        augmentation: T, an augmentation that follows nothing but its settings.
        real_weight: Weight of real items, >= 0.
        fake_weight: Weight of generated items, >= 0; 0 is the regularisation of Zhang et al. 2020 (CR-GAN).
    """

    augmentation: Augmentation = SHIFTS
    real_weight: float | Schedule = 10.0
    fake_weight: float | Schedule = 10.0

    def __post_init__(self) -> None:
        require_not_negative("real_weight of Consistency", self.real_weight)
        require_not_negative("fake_weight of Consistency", self.fake_weight)
        augmenter = self.augmentation.build()
        if augmenter.is_adaptive or augmenter.state_dict():
            raise ValueError(
                f"Consistency takes an augmentation that does not change while a model is trained, but that of "
                f"{type(self.augmentation).__name__} follows the discriminator or has a state; give it one that does "
                "not, such as DiffAugment, and this one to the model's augmentation"
            )

    @property
    def compares_passes(self) -> bool:
        """Items and their copies pass one after the other."""
        return True

    def require_fit(self, spec: DataSpec, objective: AdversarialObjective) -> None:
        """Asks whether the augmentation can change the data."""
        self.augmentation.require_fit(spec, objective)

    def __call__(self, score: Scoring, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        """The mean squared differences of logits, weighted."""
        augmenter = self.augmentation.build().to(real.device)

        def difference(items: Tensor) -> Tensor:
            items = at_least_float32(items.detach())
            # Logits of half precision would differ by little more than their last digit.
            with torch.autocast(items.device.type, enabled=False):
                logits, changed = (at_least_float32(score(shown)) for shown in (items, augmenter(items, noise)))
            return (logits - changed).square().mean()

        return value_at(self.real_weight, 0) * difference(real) + value_at(self.fake_weight, 0) * difference(fake)
