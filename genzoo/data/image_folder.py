"""Any folder of images, decoded once into a cached array."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torchvision.datasets.folder import IMG_EXTENSIONS

from genzoo.data.base import Split
from genzoo.data.decoded import DecodedImages, Listing
from genzoo.data.decoding import read_image
from genzoo.data.selection import Purpose, choose_proportional, count_of, require_fraction
from genzoo.spec import DataSpec

TEST_FOLDERS = ("test", "val", "valid", "validation")


class ImageFolder(DecodedImages):
    """A folder of images of any size, format and mode, labelled by its subfolders or not at all.

    Each image becomes a square: the shorter side is resized to ``image_size``, of the longer one the middle is kept;
    transparent parts become white. If the folder holds subfolders ``train`` and ``test`` (or ``val``, which then is
    the test), these are the splits; else some images of each class are set aside for the test. Each further subfolder
    with images is a class, unless images lie beside it: then there are no labels. All that is hidden or not an image
    is ignored.

    The images are decoded once into a cache, which is used again until a file, the size or the number of
    channels changes.

    Args:
        root: The folder.
        test_fraction: Share of the images, the same of each class, that makes up the test split where there
            are no folders ``train`` and ``test``.
        **kwargs: As for `DecodedImages`.
    """

    def __init__(self, root: str, test_fraction: float = 0.1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        require_fraction("test_fraction", test_fraction)
        self.root = Path(root).expanduser()
        self.test_fraction = test_fraction
        self.class_names = _class_names(self._split_folders.get("train", self.root))

    @property
    def cache_name(self) -> str:
        """What the folder of the cache begins with."""
        return self.root.absolute().name

    @property
    def _split_folders(self) -> dict[Split, Path]:
        """The folders of the official splits; empty unless there are both."""
        train = self.root / "train"
        test = next((self.root / name for name in TEST_FOLDERS if (self.root / name).is_dir()), None)
        return {"train": train, "test": test} if test is not None and train.is_dir() else {}

    @property
    def spec(self) -> DataSpec:
        """What a model must know of these images; that takes a look at the folder.

        Raises:
            FileNotFoundError: If there is no such folder.
        """
        if not self.root.is_dir():
            raise FileNotFoundError(f"there is no folder {self.root.absolute()}; set root to a folder of images")
        return super().spec

    def listing(self) -> dict[Split, Listing]:
        """The files and labels of both splits.

        Raises:
            FileNotFoundError: If there is no such folder, or no image in it.
            ValueError: If the subfolders do not agree on the classes.
        """
        if not self.root.is_dir():
            raise FileNotFoundError(f"there is no folder {self.root.absolute()}; set root to a folder of images")
        if folders := self._split_folders:
            return {split: _labelled_images(folder, self.class_names) for split, folder in folders.items()}
        paths, labels = _labelled_images(self.root, self.class_names)
        is_test = np.zeros(len(paths), bool)
        is_test[choose_proportional(labels, count_of(self.test_fraction, len(paths)), Purpose.TEST)] = True
        places: dict[Split, NDArray[np.int64]] = {"train": np.flatnonzero(~is_test), "test": np.flatnonzero(is_test)}
        return {split: Listing([paths[place] for place in chosen], labels[chosen]) for split, chosen in places.items()}

    def fingerprint(self) -> Any:
        """Paths, labels, sizes and times of all files."""
        return {
            split: [
                (path.relative_to(self.root).as_posix(), label, path.stat().st_size, path.stat().st_mtime_ns)
                for path, label in zip(paths, labels.tolist(), strict=True)
            ]
            for split, (paths, labels) in self.listing().items()
        }

    def read(self, item: Path) -> NDArray[np.uint8]:
        """Decodes one file."""
        return read_image(item, size=self.image_size, channels=self.channels)


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


def _labelled_images(folder: Path, class_names: Sequence[str]) -> Listing:
    """All images of a folder, each with the place of its class folder among the class names."""
    paths = list(_images_below(folder))
    if not paths:
        raise FileNotFoundError(f"{folder.absolute()} holds no images; expected {', '.join(IMG_EXTENSIONS)}")
    if not class_names:
        return Listing(paths, np.zeros(len(paths), np.int64))
    label_of = {name: label for label, name in enumerate(class_names)}
    classes = [path.relative_to(folder).parts[0] for path in paths]
    if unknown := set(classes) - set(class_names):
        raise ValueError(
            f"{folder.absolute()} holds {', '.join(sorted(unknown))}, but all images must be in folders of the "
            f"training classes {', '.join(class_names)}"
        )
    return Listing(paths, np.array([label_of[name] for name in classes], np.int64))
