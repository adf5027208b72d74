"""Fashion-MNIST (Xiao, Rasul and Vollgraf 2017): 28 x 28 grey pictures of clothes in ten classes.

Whole, or as the part of it that comes with the package.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torchvision import datasets

from genzoo.data.idx import FILE_NAMES, IdxImages, read_idx
from genzoo.data.images import ImageDataModule
from genzoo.data.splits import Split

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

LICENSE = "mit"
HUB_NAME = "zalando-datasets/fashion_mnist"

# Where Debian's package dataset-fashion-mnist puts the files.
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")

MINI_FOLDER = Path(__file__).parent / "assets" / "fashion_mnist_mini"

MINI_HASHES = {
    "train-images-idx3-ubyte.xz": "0f45460de28bfd12d4d8e84d84132b4dd058e87999ae12be9199bbad68951f30",
    "train-labels-idx1-ubyte.xz": "5b2c9f8780464acb94269ee5039f58014cbf31035a8c7c40e53f7ee7f31fee9a",
    "t10k-images-idx3-ubyte.xz": "4f37e0817817453b45258c7c7b8b7203ab04404248cdaffb66bde7903bf44453",
    "t10k-labels-idx1-ubyte.xz": "225349329a73f2b8a83dd21b12b2497662f98b559db53b39288cd2a2877d4731",
}


class FashionMNIST(IdxImages):
    """Fashion-MNIST: 60,000 training and 10,000 test images.

    The four files are looked for in ``root`` (directly, or in torchvision's ``FashionMNIST/raw``), then in
    the folder of Debian's package ``dataset-fashion-mnist``; if they are in neither they are downloaded into
    ``root``.
    """

    title = "FashionMNIST"
    class_names = CLASS_NAMES
    license = LICENSE
    hub_name = HUB_NAME

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where the files are looked for, in this order."""
        return *super().folders, DEBIAN_FOLDER

    def download(self) -> None:
        """Fetches the files into the root, as torchvision does."""
        datasets.FashionMNIST(str(self.root), download=True)

    def _ways_out(self) -> str:
        return (
            f"install it with `apt-get install dataset-fashion-mnist`, or {super()._ways_out()}, or use the part of "
            "it that comes with genzoo: --data FashionMNISTMini"
        )


class FashionMNISTMini(ImageDataModule):
    """The part of Fashion-MNIST that comes with the package: 10,000 training and 2,000 test images.

    They are picked from the official training and test files, equally many of each class, and unchanged.
    """

    channels = 1
    native_size = 28
    class_names: Sequence[str] = CLASS_NAMES
    license = LICENSE
    hub_name = HUB_NAME

    def load(self, split: Split) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Reads one of the two splits.

        Raises:
            ValueError: If a file is not the one that was shipped.
        """
        images, labels = (MINI_FOLDER / f"{name}.xz" for name in FILE_NAMES[split])
        for path in (images, labels):
            if hashlib.sha256(path.read_bytes()).hexdigest() != MINI_HASHES[path.name]:
                raise ValueError(f"{path} is not the file that was shipped with genzoo; install genzoo again")
        return read_idx(images)[:, None], read_idx(labels).astype(np.int64)
