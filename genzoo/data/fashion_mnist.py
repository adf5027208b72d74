"""Fashion-MNIST (Xiao, Rasul and Vollgraf 2017): 28 x 28 grey pictures of clothes in ten classes.

Whole, or as the part of it that comes with the package.
"""

import gzip
import hashlib
import lzma
import math
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torchvision import datasets

from genzoo.data.base import ImageDataModule, Split

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

# The official names, images first.
FILE_NAMES: dict[Split, tuple[str, str]] = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}

# Where Debian's package dataset-fashion-mnist puts the files.
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")

MINI_FOLDER = Path(__file__).parent / "assets" / "fashion_mnist_mini"

MINI_HASHES = {
    "train-images-idx3-ubyte.xz": "0f45460de28bfd12d4d8e84d84132b4dd058e87999ae12be9199bbad68951f30",
    "train-labels-idx1-ubyte.xz": "5b2c9f8780464acb94269ee5039f58014cbf31035a8c7c40e53f7ee7f31fee9a",
    "t10k-images-idx3-ubyte.xz": "4f37e0817817453b45258c7c7b8b7203ab04404248cdaffb66bde7903bf44453",
    "t10k-labels-idx1-ubyte.xz": "225349329a73f2b8a83dd21b12b2497662f98b559db53b39288cd2a2877d4731",
}

_DECOMPRESSORS: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.decompress, ".xz": lzma.decompress}


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Reads an array of bytes in the idx format of MNIST, plain or compressed (``.gz``, ``.xz``).

    Raises:
        ValueError: If the file is not one of these, is cut off, or has bytes to spare.
    """
    try:
        content = _DECOMPRESSORS.get(path.suffix, bytes)(path.read_bytes())
    except (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error) as error:
        raise ValueError(f"{path} is damaged ({error}); delete it and fetch it again") from error
    # The magic number: two zeros, the type of the entries (8 is uint8), the number of dimensions.
    dimensions = content[3] if content[:3] == b"\0\0\x08" and len(content) > 3 else 0
    start = 4 + 4 * dimensions
    if dimensions == 0 or len(content) < start:
        raise ValueError(f"{path} is not an idx file of bytes; delete it and fetch it again")
    shape = struct.unpack_from(f">{dimensions}I", content, offset=4)
    if len(content) - start != math.prod(shape):
        raise ValueError(
            f"{path} holds {len(content) - start} bytes where its header promises {math.prod(shape)}; "
            "delete it and fetch it again"
        )
    array: NDArray[np.uint8] = np.frombuffer(content, np.uint8, offset=start).reshape(shape)
    return array


class FashionMNIST(ImageDataModule):
    """Fashion-MNIST: 60,000 training and 10,000 test images.

    The four files are looked for in ``root`` (directly, or in torchvision's ``FashionMNIST/raw``), then in
    the folder of Debian's package ``dataset-fashion-mnist``; if they are in neither they are downloaded into
    ``root``.

    Args:
        root: Folder with the files, or to download them into.
        **kwargs: As for `ImageDataModule`.
    """

    channels = 1
    native_size = 28
    class_names = CLASS_NAMES

    def __init__(self, root: str = "data", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.root = Path(root).expanduser()

    @property
    def folders(self) -> tuple[Path, Path, Path]:
        """Where the files are looked for, in this order."""
        return self.root, self.root / "FashionMNIST" / "raw", DEBIAN_FOLDER

    def prepare_data(self) -> None:
        """Downloads the files if they are in none of the folders.

        Raises:
            FileNotFoundError: If that fails.
        """
        if all(self._find(split) for split in FILE_NAMES):
            return
        try:
            datasets.FashionMNIST(str(self.root), download=True)
        except (OSError, RuntimeError) as error:
            raise self._not_found("the download failed") from error

    def load(self, split: Split) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Reads one of the official splits.

        Raises:
            FileNotFoundError: If its files are in none of the folders.
        """
        files = self._find(split)
        if files is None:
            raise self._not_found("nothing has been downloaded")
        return _read_split(*files)

    def _find(self, split: Split) -> tuple[Path, Path] | None:
        """The images and labels of a split in the first folder that has both."""
        for folder in self.folders:
            images, labels = (_plain_or_compressed(folder / name) for name in FILE_NAMES[split])
            if images and labels:
                return images, labels
        return None

    def _not_found(self, outcome: str) -> FileNotFoundError:
        folders = ", ".join(str(folder.absolute()) for folder in self.folders)
        names = ", ".join(name for names in FILE_NAMES.values() for name in names)
        return FileNotFoundError(
            f"Fashion-MNIST is in none of {folders}, and {outcome}; install it with `apt-get install "
            f"dataset-fashion-mnist`, or put {names} (.gz or unpacked) into {self.root.absolute()}, or use "
            "the part of it that comes with genzoo: --data FashionMNISTMini"
        )


class FashionMNISTMini(ImageDataModule):
    """The part of Fashion-MNIST that comes with the package: 10,000 training and 2,000 test images.

    They are picked from the official training and test files, equally many of each class, and unchanged.
    """

    channels = 1
    native_size = 28
    class_names = CLASS_NAMES

    def load(self, split: Split) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Reads one of the two splits.

        Raises:
            ValueError: If a file is not the one that was shipped.
        """
        images, labels = (MINI_FOLDER / f"{name}.xz" for name in FILE_NAMES[split])
        for path in (images, labels):
            if hashlib.sha256(path.read_bytes()).hexdigest() != MINI_HASHES[path.name]:
                raise ValueError(f"{path} is not the file that was shipped with genzoo; install genzoo again")
        return _read_split(images, labels)


def _plain_or_compressed(path: Path) -> Path | None:
    return next((found for found in (path, path.with_name(f"{path.name}.gz")) if found.is_file()), None)


def _read_split(images: Path, labels: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    return read_idx(images)[:, None], read_idx(labels).astype(np.int64)
