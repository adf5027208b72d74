"""LSUN (Yu et al. 2015): scenes such as bedrooms and churches, from LMDB databases."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genzoo.data.decoded import DecodedImages, Listing, file_states
from genzoo.data.decoding import read_image
from genzoo.data.splits import Split
from genzoo.extras import import_extra

# The official names end so; the official test images have no labels, and are not used.
ENDINGS: dict[Split, str] = {"train": "train_lmdb", "test": "val_lmdb"}

CATEGORIES = (
    *("bedroom", "bridge", "church_outdoor", "classroom", "conference_room", "dining_room", "kitchen"),
    *("living_room", "restaurant", "tower"),
)


class LSUN(DecodedImages):
    """One or more of the ten scene categories; the 300 official validation images of each are the test split.

    The databases must be fetched and unpacked by hand, for they are up to 140 GB large: see
    https://github.com/fyu/lsun.

    Args:
        root: Folder with the unpacked databases, such as ``bedroom_train_lmdb`` and ``bedroom_val_lmdb``.
        categories: Which of them to use; each is a class.
        **kwargs: As for `DecodedImages`.
    """

    def __init__(self, root: str = "data", categories: Sequence[str] = ("bedroom",), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not categories or (unknown := set(categories) - set(CATEGORIES)):
            wrong = ", ".join(sorted(unknown)) if categories else "nothing"
            raise ValueError(f"categories holds {wrong}; it must hold one or more of {', '.join(CATEGORIES)}")
        self.root = Path(root).expanduser()
        self.class_names = list(categories)

    def fingerprint(self) -> Any:
        """Names, sizes and times of the databases, and the order of the classes."""
        return [self.class_names, *(file_states(self._databases(split)) for split in ENDINGS)]

    def listing(self) -> dict[Split, Listing]:
        """All keys of the databases."""
        lmdb = import_extra("lmdb", "lmdb", "LSUN")
        listings: dict[Split, Listing] = {}
        for split in ENDINGS:
            items: list[tuple[Any, bytes]] = []
            counts = []
            for path in self._databases(split):
                # Read-only folders have no room for a lock file, and reading ahead is for what fits into memory.
                database = lmdb.open(str(path.parent), readonly=True, lock=False, readahead=False)
                with database.begin() as transaction:
                    keys = list(transaction.cursor().iternext(keys=True, values=False))
                items += [(database, key) for key in keys]
                counts.append(len(keys))
            listings[split] = Listing(items, np.repeat(np.arange(len(counts)), counts))
        return listings

    def read(self, item: tuple[Any, bytes]) -> NDArray[np.uint8]:
        """Decodes one entry of a database."""
        database, key = item
        with database.begin() as transaction:
            content = BytesIO(transaction.get(key))
        name = f"image {key.decode()} of {database.path()}"
        return read_image(name, size=self.image_size, channels=self.channels, content=content)

    def _databases(self, split: Split) -> list[Path]:
        paths = [self.root / f"{category}_{ENDINGS[split]}" / "data.mdb" for category in self.class_names]
        if missing := [path for path in paths if not path.is_file()]:
            raise FileNotFoundError(
                f"{missing[0].absolute()} is missing; fetch LSUN's databases as https://github.com/fyu/lsun says, and "
                f"unpack {', '.join(path.parent.name for path in missing)} in {self.root.absolute()}"
            )
        return paths
