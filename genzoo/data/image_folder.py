"""Any folder of images, decoded once into a cached array."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from genzoo.data.decoded import DecodedImages, Listing
from genzoo.data.decoding import read_image
from genzoo.data.folders import DEAD_LINK, FolderContent, LeftOut, content_of, report_left_out, require_images
from genzoo.data.split_names import split_called, splits_among
from genzoo.data.splits import Split
from genzoo.spec import DataSpec
from genzoo.subsets import require_fraction

# What is often kept beside images. A subfolder that holds nothing else is no class whose images are lost.
ANNOTATIONS = {
    *(".txt", ".md", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".toml", ".html", ".pdf", ".log"),
    *(".npy", ".npz", ".mat", ".pkl", ".parquet", ".zip", ".py", ".ipynb", ".sh"),
}

BESIDE_SPLITS = "an image beside the folders of the splits"


class Layout(NamedTuple):
    """How a folder of images was understood.

    Attributes:
        tops: The folder of each official split, relative to the root; of ``train`` alone it is the root itself where
            no folder is named after a split.
        bases: The same without wrappers: what lies directly in them are images or classes.
        class_names: Subfolders of the training images, in order; none where images lie beside each other.
    """

    tops: dict[Split, Path]
    bases: dict[Split, Path]
    class_names: list[str]

    def __str__(self) -> str:
        found = [f"{base.as_posix()} is the {split} split" for split, base in self.bases.items() if base != Path()]
        return ", ".join([*found, *([] if "test" in self.bases else ["the test images are set aside by name"])])


class ImageFolder(DecodedImages):
    """A folder of images of any size, raster format and mode, labelled by its subfolders or not at all.

    Each image becomes a square: the shorter side is resized to ``image_size``, of the longer one the middle is kept;
    transparent parts become white. If the folder holds subfolders named ``train`` or ``training``, ``test`` or
    ``testing``, and ``val``, ``valid`` or ``validation``, in upper or lower case, these are the splits. Without one for
    the test, some images of each class are set aside for it, and without one for validation, ``validation_fraction``
    applies: both by the names of the files, so that an image more or less moves no other one. Each further subfolder
    with images is a class, unless images lie beside it: then there are no labels. A folder that only holds one folder
    of folders is looked through. All that is hidden is ignored; files that are no images are counted and left out.

    The images are decoded once into a cache, which is used again until a file, the size or the number of
    channels changes.

    Args:
        root: The folder.
        test_fraction: About which share of the images, the same of each class, makes up the test split where there is
            no folder for it.
        **kwargs: As for `DecodedImages`.

    Attributes:
        layout: How the folder was understood when it was last looked at.
        left_out: What is in it and was not taken.

    Raises:
        ValueError: If the names of its folders leave open which images are trained on.
    """

    def __init__(self, root: str, test_fraction: float = 0.1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        require_fraction("test_fraction", test_fraction)
        self.root = Path(root).expanduser()
        self.test_fraction = test_fraction
        self.left_out: list[LeftOut] = []
        # Looked at already here, since the spec with the classes is asked for before any data are prepared.
        self.layout = self._layout(content_of(self.root).images if self.root.is_dir() else [])
        self.class_names = self.layout.class_names

    @property
    def cache_name(self) -> str:
        """What the folder of the cache begins with."""
        return self.root.absolute().name

    @property
    def spec(self) -> DataSpec:
        """What a model must know of these images; that takes a look at the folder.

        Raises:
            FileNotFoundError: If there is no such folder.
        """
        self._require_root()
        return super().spec

    def prepare_data(self) -> None:
        """Decodes the images, unless the cache has them, and says which files are left out.

        Raises:
            FileNotFoundError: If there are none.
            ValueError: If an image is broken and ``skip_broken`` is False.
        """
        super().prepare_data()
        report_left_out(self.root, self.left_out)

    def summary(self) -> str:
        """One line on what is loaded, and on how the folder was understood."""
        return f"{super().summary()}; in {self.root}: {self.layout}"

    def listing(self) -> dict[Split, Listing]:
        """The files and labels of all splits.

        Raises:
            FileNotFoundError: If there is no such folder, or no image in it.
            ValueError: If the subfolders do not agree on the classes, or a class is lost.
        """
        self._require_root()
        content = content_of(self.root)
        self.layout = self._layout(content.images)
        self.left_out = content.left_out
        listings: dict[Split, Listing] = {}
        for split, top in self.layout.tops.items():
            inside = content.below(top)
            require_images((self.root / top).absolute(), inside)
            if self.class_names:
                _require_no_lost_class(self.root, inside, self.layout.bases[split])
            listings[split] = self._labelled(inside.images, self.layout.bases[split])
        used = {path for listing in listings.values() for path in listing.items}
        self.left_out += [LeftOut(image, BESIDE_SPLITS) for image in content.images if image not in used]
        if "test" not in listings:
            listings["train"], listings["test"] = listings["train"].without(self.test_fraction)
        return listings

    def fingerprint(self) -> Any:
        """Paths, labels, sizes and times of all files."""
        return {
            split: [
                (path.as_posix(), label, *_state(self.root / path))
                for path, label in zip(paths, labels.tolist(), strict=True)
            ]
            for split, (paths, labels, _) in self.listing().items()
        }

    def read(self, item: Path) -> NDArray[np.uint8]:
        """Decodes one file, which is named relative to the root."""
        return read_image(self.root / item, size=self.image_size, channels=self.channels)

    def _require_root(self) -> None:
        if not self.root.is_dir():
            raise FileNotFoundError(f"there is no folder {self.root.absolute()}; set root to a folder of images")

    def _layout(self, images: Sequence[Path]) -> Layout:
        try:
            return layout_of(images)
        except ValueError as error:
            raise ValueError(f"in {self.root.absolute()}, {error}") from error

    def _labelled(self, images: Sequence[Path], base: Path) -> Listing:
        """Images of one split, each with the place of its class folder among the class names."""
        inner = images if base == Path() else [image.relative_to(base) for image in images]
        names = [path.as_posix() for path in inner]
        if not self.class_names:
            return Listing(images, np.zeros(len(images), np.int64), names)
        label_of = {name: label for label, name in enumerate(self.class_names)}
        classes = [path.parts[0] for path in inner]
        if unknown := set(classes) - set(self.class_names):
            raise ValueError(
                f"{(self.root / base).absolute()} holds {', '.join(sorted(unknown))}, but all images must be in "
                f"folders of the training classes {', '.join(self.class_names)}"
            )
        return Listing(images, np.array([label_of[name] for name in classes], np.int64), names)


class FolderTree:
    """The folders on the way to some images.

    Args:
        images: Paths relative to a folder.
    """

    def __init__(self, images: Iterable[Path]) -> None:
        self.with_images = {image.parent for image in images}
        self.children: defaultdict[Path, set[str]] = defaultdict(set)
        for folder in self.with_images:
            for part in (folder, *folder.parents)[:-1]:
                self.children[part.parent].add(part.name)

    def subfolders(self, folder: Path) -> list[str]:
        """The names of the folders in a folder, sorted."""
        return sorted(self.children[folder])

    def unwrapped(self, folder: Path) -> Path:
        """Looks through folders that hold but one folder, which holds folders in turn."""
        while folder not in self.with_images and len(inner := self.subfolders(folder)) == 1:
            only = folder / inner[0]
            # A folder that holds images is a class, and no wrapper, unless the splits lie in it too.
            if split_called(only.name) or (only in self.with_images and not self.holds_splits(only)):
                break
            folder = only
        return folder

    def holds_splits(self, folder: Path) -> bool:
        """Whether there are folders for training and for another split, which then are no classes."""
        splits = {split_called(name) for name in self.subfolders(folder)} - {None}
        return "train" in splits and len(splits) > 1

    def split_folders(self, folder: Path) -> dict[Split, str]:
        """The names of the folders of official splits; none where such names can only be those of classes."""
        names = self.subfolders(folder)
        only_splits = bool(names) and all(map(split_called, names)) and folder not in self.with_images
        if not only_splits and not self.holds_splits(folder):
            return {}
        splits = splits_among(names)
        if "train" not in splits:
            raise ValueError(
                f"there is no folder train beside {' and '.join(names)}; add it, or set root to the folder that is to "
                "be trained on"
            )
        return splits


def layout_of(images: Iterable[Path]) -> Layout:
    """Finds splits and classes among images.

    Args:
        images: Paths relative to a folder.

    Raises:
        ValueError: If the names of the folders leave open which images are trained on.
    """
    tree = FolderTree(images)
    root = tree.unwrapped(Path())
    splits = tree.split_folders(root)
    tops: dict[Split, Path] = {split: root / name for split, name in splits.items()} or {"train": Path()}
    training = tree.unwrapped(tops["train"])
    class_names = [] if training in tree.with_images else tree.subfolders(training)
    for name in class_names:
        if tree.holds_splits(training / name):
            raise ValueError(
                f"the folder {name} holds {' and '.join(tree.subfolders(training / name))}; put the classes into the "
                "splits, not the splits into the classes"
            )
    # A split may lack some of the classes. Folders that are no classes are wrappers, which one split may have alone.
    bases = {
        split: top if set(tree.subfolders(top)) <= set(class_names) else tree.unwrapped(top)
        for split, top in tops.items()
    }
    return Layout(tops, bases | {"train": training}, class_names)


def _require_no_lost_class(root: Path, content: FolderContent, base: Path) -> None:
    """Refuses a folder beside or below the classes that holds files, but none that counts as an image."""
    kept = {_folder_beside(image, base) for image in content.images}
    for path, reason in content.left_out:
        # A link that leads nowhere may have led to a folder.
        folder = _folder_beside(path / "gone" if reason == DEAD_LINK else path, base)
        if folder is not None and folder not in kept and reason not in ANNOTATIONS:
            raise ValueError(
                f"{root / folder} holds no image, but files left out ({reason}); convert them, or move the folder away "
                "if it is no class"
            )


def _folder_beside(path: Path, base: Path) -> Path | None:
    """The first folder on the way to a file that is not on the way to the base; None if there is none."""
    pairs = enumerate(zip(path.parts, base.parts, strict=False))
    shared = next((depth for depth, (own, other) in pairs if own != other), len(base.parts))
    return Path(*path.parts[: shared + 1]) if len(path.parts) > shared + 1 else None


def _state(path: Path) -> tuple[int, int] | tuple[()]:
    """Size and time of a file; nothing of a link that leads nowhere."""
    try:
        state = path.stat()
    except OSError:
        return ()
    return state.st_size, state.st_mtime_ns
