"""Digits without a download, and digits stacked to a thousand classes."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from genzoo.data.images import ImageDataModule
from genzoo.data.mnist import MNIST
from genzoo.data.splits import SPLIT_SEEDS, Split
from genzoo.extras import import_extra
from genzoo.hyperparameters import whole_number
from genzoo.noise import counter_seed
from genzoo.subsets import Purpose, choose_proportional, count_of, require_fraction


class Digits(ImageDataModule):
    """Optical recognition of handwritten digits (Alpaydin and Kaynak 1998): 1,797 images of 8 x 8 pixels.

    They come with scikit-learn. Their values 0 to 16 are scaled to 0 to 255.

    Args:
        test_fraction: Share of the images, the same of each class, that makes up the test split.
        **kwargs: As for `ImageDataModule`.
    """

    channels = 1
    native_size = 8
    class_names = tuple("0123456789")

    def __init__(self, test_fraction: float = 0.2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        require_fraction("test_fraction", test_fraction)
        self.test_fraction = test_fraction

    def prepare_data(self) -> None:
        """Checks that scikit-learn is there.

        Raises:
            ModuleNotFoundError: If it is not.
        """
        import_extra("sklearn.datasets", "scikit-learn", "Digits")

    def load(self, split: Split) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Reads one of the two splits."""
        bundled = import_extra("sklearn.datasets", "scikit-learn", "Digits").load_digits()
        labels = bundled.target.astype(np.int64)
        is_test = np.zeros(len(labels), bool)
        is_test[choose_proportional(labels, count_of(self.test_fraction, len(labels)), Purpose.TEST)] = True
        # The data set has no official split; this one is a function of the labels alone.
        chosen = is_test if split == "test" else ~is_test
        images = (bundled.images[chosen, None] * (255 / 16)).round().astype(np.uint8)
        return images, labels[chosen]


class StackedDigits(ImageDataModule):
    """Three random digits as red, green and blue: a thousand classes, to count modes by (Metz et al. 2017).

    The class of the digits r, g and b is 100 r + 10 g + b. Training images are made of the source's training
    digits, test images of its test digits.

    Args:
        source: ``digits``: scikit-learn's, 8 x 8 pixels; ``mnist``: 28 x 28.
        root: Folder with MNIST's files, or to download them into.
        training_images: How many images the training file has.
        test_images: How many the test file has.
        seed: Of the random digits.
        **kwargs: As for `ImageDataModule`.
    """

    channels = 3
    class_names = tuple(f"{number:03d}" for number in range(1000))

    def __init__(
        self,
        source: Literal["digits", "mnist"] = "digits",
        root: str = "data",
        training_images: int = 60_000,
        test_images: int = 10_000,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if source not in ("digits", "mnist"):
            raise ValueError(f"source is {source!r}, but must be 'digits' or 'mnist'")
        self.digits: ImageDataModule = Digits() if source == "digits" else MNIST(root=root)
        self.native_size = self.digits.native_size
        self.numbers: dict[Split, int] = {
            "train": whole_number("training_images", training_images, 1),
            "test": whole_number("test_images", test_images, 1),
        }
        self.seed = whole_number("seed", seed)

    def prepare_data(self) -> None:
        """Prepares the digits."""
        self.digits.prepare_data()

    def load(self, split: Split) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Stacks the digits of one of the splits."""
        images, labels = self.digits.load(split)
        raw = np.random.PCG64(counter_seed(self.seed, SPLIT_SEEDS[split])).random_raw((self.numbers[split], 3))
        # The remainder of 64 bits prefers some digits, but by less than one part in 10**15.
        triples = (raw % len(images)).astype(np.int64)
        return images[triples, 0], labels[triples] @ np.array([100, 10, 1])
