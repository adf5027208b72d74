"""The public names, for type checkers; written by scripts/write_public_names.py."""

from genzoo.augmentations.augmentation import Augmentation as Augmentation
from genzoo.augmentations.augmentation import Augmenter as Augmenter
from genzoo.augmentations.diff_augment import DiffAugment as DiffAugment
from genzoo.augmentations.diff_augment import DiffAugmenter as DiffAugmenter
