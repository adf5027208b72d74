"""Any data set of images of the library ``datasets``, from a local folder or from the hub."""

from collections.abc import Sequence
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genzoo.data.decoded import DecodedImages, Listing
from genzoo.data.decoding import read_image
from genzoo.data.split_names import splits_among
from genzoo.data.splits import Split
from genzoo.extras import import_extra
from genzoo.subsets import Purpose, choose_proportional, count_of, require_fraction


class HuggingFaceImages(DecodedImages):
    """Images of any size of a data set of the library ``datasets``; each becomes a square as in `ImageFolder`.

    Args:
        path: Name on the hub, such as ``uoft-cs/cifar10``; or a local folder (of Parquet files, of images, or
            written by ``save_to_disk``), or a Parquet file.
        name: Of the configuration, if the data set has several.
        image_column: Which column holds the images. None: the only one that does.
        label_column: Which column holds the class. None: the only one that does, if any.
        train_split: Name of the training split. None: ``train`` or ``training``, in upper or lower case.
        validation_split: Name of the validation split. None: ``val``, ``valid`` or ``validation`` if there is one,
            else some of the training images.
        test_split: Name of the test split. None: ``test`` or ``testing`` if there is one, else some of the training
            images. The validation split may be chosen; then validation images are some of the training images.
        test_fraction: Share of the training images, the same of each class, that makes up the test split where
            there is none.
        **kwargs: As for `DecodedImages`.
    """

    def __init__(
        self,
        path: str,
        name: str | None = None,
        image_column: str | None = None,
        label_column: str | None = None,
        train_split: str | None = None,
        validation_split: str | None = None,
        test_split: str | None = None,
        test_fraction: float = 0.1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        require_fraction("test_fraction", test_fraction)
        self.path = path
        self.hub_name = "" if Path(path).exists() else path
        self.name = name
        self.image_column = image_column
        self.label_column = label_column
        self.train_split = train_split
        self.validation_split = validation_split
        self.test_split = test_split
        self.test_fraction = test_fraction

    @property
    def cache_name(self) -> str:
        """What the folder of the cache begins with."""
        return Path(self.path).name

    @property
    def class_names(self) -> list[str]:  # type: ignore[override]
        """Names of the classes, which are known once the data set has been opened."""
        column = self._label_column
        return [] if column is None else list(self._train.features[column].names)

    def fingerprint(self) -> Any:
        """What the library tells of the content, and the choice of columns and splits."""
        # The library has no public name for it.
        fingerprints = {split: self._splits[name]._fingerprint for split, name in self._split_names.items()}
        return [fingerprints, self._image_column, self._label_column, self.test_fraction]

    def summary(self) -> str:
        """One line on what is loaded, and on which parts of the data set the splits are."""
        found = ", ".join(f"{name} is the {split} split" for split, name in self._split_names.items())
        return f"{super().summary()}; in {self.path}: {found}"

    def listing(self) -> dict[Split, Listing]:
        """The rows of all splits."""
        listings = {split: self._rows(self._splits[name]) for split, name in self._split_names.items()}
        if "test" in listings:
            return listings
        train = listings["train"]
        if train.names:
            listings["train"], listings["test"] = train.without(self.test_fraction)
            return listings
        aside = choose_proportional(train.labels, count_of(self.test_fraction, len(train.labels)), Purpose.TEST)
        kept = np.setdiff1d(np.arange(len(train.labels)), aside)
        return listings | {"train": train.only(kept), "test": train.only(aside)}

    def read(self, item: tuple[Any, int]) -> NDArray[np.uint8]:
        """Decodes the image of one row."""
        rows, place = item
        image = rows[place][self._image_column]
        name = image["path"] or f"image {place} of {self.path}"
        content = None if image["bytes"] is None else BytesIO(image["bytes"])
        return read_image(name, size=self.image_size, channels=self.channels, content=content)

    @cached_property
    def _splits(self) -> Any:
        """The splits by name, downloaded if need be."""
        library = import_extra("datasets", "datasets", "HuggingFaceImages")
        local = Path(self.path).expanduser()
        try:
            if local.is_dir() and list(local.glob("dataset_dict.json")):
                return library.load_from_disk(str(local))
            if local.is_file() and local.suffix == ".parquet":
                return library.load_dataset("parquet", data_files={self.train_split or "train": str(local)})
            return library.load_dataset(str(local) if local.exists() else self.path, self.name)
        # The library passes on errors of the hub's client, of the network and of parsers.
        except Exception as error:
            raise FileNotFoundError(
                f"{self.path} is no local folder or Parquet file that the library datasets reads, and could not be "
                f"fetched from the hub ({str(error).splitlines()[0]}); correct path, or download it where there is "
                "a network"
            ) from error

    @cached_property
    def _split_names(self) -> dict[Split, str]:
        """What the data set calls the splits that there are."""
        given: dict[Split, str | None] = {
            "train": self.train_split,
            "validation": self.validation_split,
            "test": self.test_split,
        }
        chosen: dict[Split, str] = {split: name for split, name in given.items() if name is not None}
        if unknown := [name for name in chosen.values() if name not in self._splits]:
            raise ValueError(f"{self.path} has no split {unknown[0]!r}; it has {', '.join(self._splits)}")
        try:
            found = splits_among(name for name in self._splits if name not in chosen.values())
        except ValueError as error:
            raise ValueError(f"in {self.path}, {error}, or choose one by its name") from error
        names = found | chosen
        if "train" not in names:
            raise ValueError(f"{self.path} has no split train; set train_split to one of {', '.join(self._splits)}")
        return {split: names[split] for split in given if split in names}

    @property
    def _train(self) -> Any:
        return self._splits[self._split_names["train"]]

    @property
    def _image_column(self) -> str:
        column = self._column("Image", "image_column", self.image_column)
        if column is None:
            raise ValueError(f"{self.path} has no column of images; it has {', '.join(self._train.features)}")
        return column

    @property
    def _label_column(self) -> str | None:
        return self._column("ClassLabel", "label_column", self.label_column)

    def _column(self, kind: str, argument: str, chosen: str | None) -> str | None:
        """The column that was chosen, or the only one of its kind."""
        columns = [name for name, feature in self._train.features.items() if type(feature).__name__ == kind]
        if chosen is not None and chosen not in columns:
            raise ValueError(f"{argument} is {chosen!r}, but the choice is {', '.join(columns) or 'empty'}")
        if chosen is None and len(columns) > 1:
            raise ValueError(f"{self.path} has several such columns; set {argument} to one of {', '.join(columns)}")
        return chosen or next(iter(columns), None)

    def _rows(self, rows: Any) -> Listing:
        library = import_extra("datasets", "datasets", "HuggingFaceImages")
        # Not decoded by the library, so that all images are opened by the same rules and in the pool's threads.
        images = rows.select_columns([self._image_column])
        images = images.cast_column(self._image_column, library.Image(decode=False))
        column = self._label_column
        labels = np.zeros(len(rows), np.int64) if column is None else np.array(rows[column][:], np.int64)
        paths = images.flatten()[f"{self._image_column}.path"][:]
        local = Path(self.path).expanduser().absolute()
        # Only files have names that stay; those in tables may be missing or the same.
        names = [Path(path).relative_to(local).as_posix() for path in paths] if _all_below(local, paths) else ()
        return Listing([(images, place) for place in range(len(rows))], labels, names)


def _all_below(folder: Path, paths: Sequence[str | None]) -> bool:
    return all(path is not None and Path(path).is_relative_to(folder) for path in paths)
