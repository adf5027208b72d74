"""Any folder of images, decoded once into a cached array."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from rich.progress import track
from torchvision.datasets.folder import IMG_EXTENSIONS

from genzoo.data.base import ImageDataModule, Split
from genzoo.data.decoding import read_image
from genzoo.data.selection import Purpose, choose_proportional, count_of, require_fraction

# To be raised whenever the same files would give other pixels, labels or splits than before.
CACHE_VERSION = 1

Listing = dict[Split, list[tuple[Path, int]]]


class ImageFolder(ImageDataModule):
    """A folder of images of any size, format and mode, labelled by its subfolders or not at all.

    Each image becomes a square: the shorter side is resized to ``image_size``, of the longer one the middle
    is kept; transparent parts become white. If the folder holds subfolders ``train`` and ``test``, these are
    the splits; else some images of each class are set aside for the test. Each further subfolder with images
    is a class, unless images lie beside it: then there are no labels. All that is hidden or not an image is
    ignored.

    The images are decoded once into a cache, which is used again until a file, the size or the number of
    channels changes. The cache may be deleted at any time.

    Args:
        root: The folder.
        image_size: Height and width in pixels that the model sees.
        channels: 1 for grey, 3 for colour.
        cache_dir: Where to keep the decoded images. None: ``$GENZOO_CACHE``, else ``$XDG_CACHE_HOME/genzoo``,
            else ``~/.cache/genzoo``.
        test_fraction: Share of the images, the same of each class, that makes up the test split where there
            are no folders ``train`` and ``test``.
        **kwargs: As for `ImageDataModule`.
    """

    def __init__(
        self,
        root: str,
        image_size: int = 64,
        channels: int = 3,
        cache_dir: str | None = None,
        test_fraction: float = 0.1,
        **kwargs: Any,
    ) -> None:
        super().__init__(image_size=image_size, **kwargs)
        if channels not in (1, 3):
            raise ValueError(f"channels is {channels}, but must be 1 for grey or 3 for colour")
        require_fraction("test_fraction", test_fraction)
        self.root = Path(root).expanduser()
        self.channels = channels
        self.native_size = image_size
        self.cache_dir = Path(cache_dir).expanduser() if cache_dir else default_cache_dir()
        self.test_fraction = test_fraction
        self.class_names = _class_names(self._split_folders.get("train", self.root))

    def prepare_data(self) -> None:
        """Decodes the images, unless the cache has them.

        Raises:
            FileNotFoundError: If there is no such folder, or no image in it.
            ValueError: If an image is broken, or the subfolders do not agree on the classes.
        """
        self._cached()

    def load(self, split: Split) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Opens one of the splits; the images are mapped into memory, not read."""
        folder = self._cached()
        return np.load(folder / f"{split}_images.npy", mmap_mode="r"), np.load(folder / f"{split}_labels.npy")

    @property
    def _split_folders(self) -> dict[Split, Path]:
        """The folders of the official splits; empty unless there are both."""
        folders: dict[Split, Path] = {"train": self.root / "train", "test": self.root / "test"}
        return folders if all(folder.is_dir() for folder in folders.values()) else {}

    def _cached(self) -> Path:
        """The folder with the decoded images, which one process fills while others wait for it."""
        listing = self._listing()
        fingerprint = self._fingerprint(listing)
        folder = self.cache_dir / f"{self.root.absolute().name}-{self.image_size}-{fingerprint}"
        if not folder.exists():
            self.cache_dir.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{folder}.lock"):
                if not folder.exists():
                    self._fill(folder, listing)
        return folder

    def _listing(self) -> Listing:
        """The files and labels of both splits."""
        if not self.root.is_dir():
            raise FileNotFoundError(f"there is no folder {self.root.absolute()}; set root to a folder of images")
        if folders := self._split_folders:
            return {split: _labelled_images(folder, self.class_names) for split, folder in folders.items()}
        files = _labelled_images(self.root, self.class_names)
        labels = np.array([label for _, label in files])
        test = set(choose_proportional(labels, count_of(self.test_fraction, len(files)), Purpose.TEST).tolist())
        return {
            "train": [file for place, file in enumerate(files) if place not in test],
            "test": [file for place, file in enumerate(files) if place in test],
        }

    def _fingerprint(self, listing: Listing) -> str:
        """Changes with everything that the decoded images depend on."""
        files = {
            split: [
                (path.relative_to(self.root).as_posix(), label, path.stat().st_size, path.stat().st_mtime_ns)
                for path, label in labelled
            ]
            for split, labelled in listing.items()
        }
        everything = json.dumps([CACHE_VERSION, self.image_size, self.channels, files])
        return hashlib.sha256(everything.encode()).hexdigest()[:16]

    def _fill(self, folder: Path, listing: Listing) -> None:
        """Decodes all images into a folder that appears only once it is complete."""
        unfinished = folder.with_name(f"{folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        try:
            for split, labelled in listing.items():
                np.save(unfinished / f"{split}_labels.npy", np.array([label for _, label in labelled], np.int64))
                self._decode([path for path, _ in labelled], unfinished / f"{split}_images.npy")
            unfinished.replace(folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _decode(self, paths: list[Path], target: Path) -> None:
        shape = (len(paths), self.channels, self.image_size, self.image_size)
        images = open_memmap(target, "w+", np.uint8, shape)
        read = partial(read_image, size=self.image_size, channels=self.channels)
        with ThreadPool() as pool:
            decoded = pool.imap(read, paths)
            for place, image in enumerate(track(decoded, f"Decoding {target.stem}", total=len(paths))):
                images[place] = image
        images.flush()


def default_cache_dir() -> Path:
    """``$GENZOO_CACHE``, else ``$XDG_CACHE_HOME/genzoo``, else ``~/.cache/genzoo``."""
    if own := os.environ.get("GENZOO_CACHE"):
        return Path(own)
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared) / "genzoo"
    return Path.home() / ".cache" / "genzoo"


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMG_EXTENSIONS and not path.name.startswith(".")


def _is_visible_folder(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _class_names(folder: Path) -> list[str]:
    """The subfolders with images; none if the folder does not exist, or if images lie beside them."""
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    if any(_is_image(entry) for entry in entries):
        return []
    return [entry.name for entry in entries if _is_visible_folder(entry) and any(_images_below(entry))]


def _images_below(folder: Path) -> Iterator[Path]:
    """All images in a folder and its visible subfolders, always in the same order."""
    for entry in sorted(folder.iterdir()):
        if _is_image(entry):
            yield entry
        elif _is_visible_folder(entry):
            yield from _images_below(entry)


def _labelled_images(folder: Path, class_names: Sequence[str]) -> list[tuple[Path, int]]:
    """All images of a folder, each with the place of its class folder among the class names."""
    paths = list(_images_below(folder))
    if not paths:
        raise FileNotFoundError(f"{folder.absolute()} holds no images; expected {', '.join(IMG_EXTENSIONS)}")
    if not class_names:
        return [(path, 0) for path in paths]
    label_of = {name: label for label, name in enumerate(class_names)}
    classes = [path.relative_to(folder).parts[0] for path in paths]
    if unknown := set(classes) - set(class_names):
        raise ValueError(
            f"{folder.absolute()} holds {', '.join(sorted(unknown))}, but all images must be in folders of the "
            f"training classes {', '.join(class_names)}"
        )
    return [(path, label_of[name]) for path, name in zip(paths, classes, strict=True)]
