"""Several augmentations, one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from genzoo.augmentations.augmentation import Augmentation, Augmenter
from genzoo.losses.objectives import AdversarialObjective
from genzoo.noise import Noise
from genzoo.spec import DataSpec


@dataclass(frozen=True)
class InTurn(Augmentation):
    """Changes items by one augmentation after the other; adaptive ones among them follow the discriminator as ever.

    Args:
        augmentations: In their order, at least one.
    """

    augmentations: tuple[Augmentation, ...]

    def __post_init__(self) -> None:
        # Plain data, such as those of a checkpoint, have lists.
        object.__setattr__(self, "augmentations", tuple(self.augmentations))
        if not self.augmentations:
            raise ValueError("augmentations of InTurn must be at least one, got none; leave the augmentation out")

    def require_fit(self, spec: DataSpec, objective: AdversarialObjective) -> None:
        """Each of them must fit."""
        for augmentation in self.augmentations:
            augmentation.require_fit(spec, objective)

    @property
    def leaks(self) -> bool:
        """Whether one of them does."""
        return any(augmentation.leaks for augmentation in self.augmentations)

    def build(self) -> "SuccessiveAugmenter":
        """A module with one of each."""
        return SuccessiveAugmenter([augmentation.build() for augmentation in self.augmentations])


class SuccessiveAugmenter(Augmenter):
    """Applies augmenters one after the other.

    Args:
        augmenters: In their order.
    """

    def __init__(self, augmenters: Sequence[Augmenter]) -> None:
        super().__init__()
        for place, augmenter in enumerate(augmenters):
            self.add_module(str(place), augmenter)

    def forward(self, items: Tensor, noise: Noise) -> Tensor:
        """Changes items ``(N, *data_shape)`` by each."""
        for augmenter in self.children():
            items = augmenter(items, noise)
        return items
