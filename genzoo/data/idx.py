"""The idx format of MNIST, and what all data sets in it share."""

import gzip
import lzma
import math
import struct
import zlib
from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genzoo.data.images import ImageDataModule
from genzoo.data.splits import Split

# The official names, images first.
FILE_NAMES: dict[Split, tuple[str, str]] = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
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


class IdxImages(ImageDataModule):
    """28 x 28 grey images in the four official files, which are downloaded if need be.

    The files, plain or ``.gz``, are looked for in ``root``, directly or where torchvision puts them.

    Args:
        root: Folder with the files, or to download them into.
        **kwargs: As for `ImageDataModule`.

    Attributes:
        title: The name of the data set, and of torchvision's folder for it.
        file_names: Of the images and labels of each split.
    """

    channels = 1
    native_size = 28
    title: str
    file_names: dict[Split, tuple[str, str]] = FILE_NAMES

    def __init__(self, root: str = "data", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.root = Path(root).expanduser()

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where the files are looked for, in this order."""
        return self.root, self.root / self.title / "raw"

    @abstractmethod
    def download(self) -> None:
        """Fetches the files into the root."""

    def prepare_data(self) -> None:
        """Downloads the files if they are in none of the folders.

        Raises:
            FileNotFoundError: If that fails.
        """
        if all(self._find(split) for split in self.file_names):
            return
        try:
            self.download()
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
        images, labels = map(read_idx, files)
        return images[:, None], labels.astype(np.int64)

    def _find(self, split: Split) -> tuple[Path, Path] | None:
        """The images and labels of a split in the first folder that has both."""
        for folder in self.folders:
            images, labels = (_plain_or_compressed(folder / name) for name in self.file_names[split])
            if images and labels:
                return images, labels
        return None

    def _ways_out(self) -> str:
        """What the user can do where the files are missing."""
        names = ", ".join(name for names in self.file_names.values() for name in names)
        return f"put {names} (.gz or unpacked) into {self.root.absolute()}"

    def _not_found(self, outcome: str) -> FileNotFoundError:
        folders = ", ".join(str(folder.absolute()) for folder in self.folders)
        return FileNotFoundError(f"{self.title} is in none of {folders}, and {outcome}; {self._ways_out()}")


def _plain_or_compressed(path: Path) -> Path | None:
    return next((found for found in (path, path.with_name(f"{path.name}.gz")) if found.is_file()), None)
