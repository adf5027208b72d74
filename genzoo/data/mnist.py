"""MNIST and the sets that took over its format: handwritten digits, letters and Japanese characters."""

import string
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torchvision import datasets

from genzoo.data.idx import IdxImages
from genzoo.data.splits import Split


class MNIST(IdxImages):
    """MNIST (LeCun, Cortes and Burges 1998): 60,000 training and 10,000 test images of handwritten digits.

    The four files are looked for in ``root``, directly or in torchvision's ``MNIST/raw``, and else downloaded.
    """

    title = "MNIST"
    class_names = tuple(string.digits)

    def download(self) -> None:
        """Fetches the files into the root, as torchvision does."""
        datasets.MNIST(str(self.root), download=True)


class KMNIST(IdxImages):
    """Kuzushiji-MNIST (Clanuwat et al. 2018): 60,000 + 10,000 images of ten characters in Japanese cursive.

    The four files are looked for in ``root``, directly or in torchvision's ``KMNIST/raw``, and else downloaded.
    They have the names of MNIST's: keep them apart.
    """

    title = "KMNIST"
    class_names = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")

    def download(self) -> None:
        """Fetches the files into the root, as torchvision does."""
        datasets.KMNIST(str(self.root), download=True)


EMNISTSplit = Literal["byclass", "bymerge", "balanced", "letters", "digits", "mnist"]


class EMNIST(IdxImages):
    """EMNIST (Cohen et al. 2017): handwritten letters and digits, upright.

    The four files of a split are looked for in ``root``, directly or in torchvision's ``EMNIST/raw``, and else
    downloaded together with those of all other splits (0.5 GB).

    Args:
        split: ``byclass``: digits, capital and small letters, 62 classes; ``bymerge`` and ``balanced``: the same
            with letters merged whose two forms look alike, 47 classes; ``letters``: 26, both forms in one;
            ``digits`` and ``mnist``: 10.
        root: Folder with the files, or to download them into.
        **kwargs: As for `ImageDataModule`.
    """

    title = "EMNIST"

    def __init__(self, split: EMNISTSplit = "balanced", root: str = "data", **kwargs: Any) -> None:
        super().__init__(root=root, **kwargs)
        if split not in datasets.EMNIST.splits:
            raise ValueError(f"split is {split!r}, but must be one of {', '.join(datasets.EMNIST.splits)}")
        self.split = split
        # torchvision lists a class "N/A" for letters, whose labels begin with 1.
        self.class_names = [name for name in datasets.EMNIST.classes_split_dict[split] if name != "N/A"]
        names: tuple[Split, ...] = ("train", "test")
        self.file_names = {
            name: (f"emnist-{split}-{name}-images-idx3-ubyte", f"emnist-{split}-{name}-labels-idx1-ubyte")
            for name in names
        }

    def download(self) -> None:
        """Fetches the files into the root, as torchvision does."""
        datasets.EMNIST(str(self.root), split=self.split, download=True)

    def load(self, split: Split) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Reads one of the official splits; the files hold the images with rows and columns exchanged."""
        images, labels = super().load(split)
        upright = np.ascontiguousarray(images.swapaxes(2, 3))
        return upright, labels - 1 if self.split == "letters" else labels
