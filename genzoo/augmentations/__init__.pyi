"""The public names, for type checkers; written by scripts/write_public_names.py."""

from genzoo.augmentations.adaptive_augment import AdaptiveAugment as AdaptiveAugment
from genzoo.augmentations.adaptive_augment import AdaptiveAugmenter as AdaptiveAugmenter
from genzoo.augmentations.affine_augment import AffineAugment as AffineAugment
from genzoo.augmentations.affine_augment import AffineAugmenter as AffineAugmenter
from genzoo.augmentations.augmentation import Augmentation as Augmentation
from genzoo.augmentations.augmentation import Augmenter as Augmenter
from genzoo.augmentations.augmentation import OccasionalAugmenter as OccasionalAugmenter
from genzoo.augmentations.consistency import Consistency as Consistency
from genzoo.augmentations.diff_augment import DiffAugment as DiffAugment
from genzoo.augmentations.diff_augment import DiffAugmenter as DiffAugmenter
from genzoo.augmentations.in_turn import InTurn as InTurn
from genzoo.augmentations.in_turn import SuccessiveAugmenter as SuccessiveAugmenter
from genzoo.augmentations.instance_noise import InstanceNoise as InstanceNoise
from genzoo.augmentations.instance_noise import NoiseAdder as NoiseAdder
