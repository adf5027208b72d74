"""Images that are decoded once, into an array of the size that is wanted."""

import hashlib
import json
import logging
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from genzoo.data.cache import ArrayCache, ArrayWriter, default_cache_dir
from genzoo.data.images import ImageDataModule
from genzoo.data.splits import Arrays, Part, Split
from genzoo.hyperparameters import whole_number
from genzoo.subsets import Purpose, choose_by_draw, draws_of

# To be raised whenever the same files would give other pixels, labels or splits than before.
CACHE_VERSION = 3

logger = logging.getLogger(__name__)


class Listing(NamedTuple):
    """The images of a split before they are decoded.

    Attributes:
        items: What `DecodedImages.read` takes, one for each image.
        labels: One for each, int64 ``(N,)`` or float32 ``(N, K)``.
        names: One for each, by which images are held out whatever others there are; empty where the data never
            changes, and classes are divided exactly.
    """

    items: Sequence[Any]
    labels: NDArray[Any]
    names: Sequence[str] = ()

    def without(self, fraction: float) -> "tuple[Listing, Listing]":
        """Sets a share of each class aside by name; what remains, and what is set aside."""
        aside = choose_by_draw(self.labels, draws_of(self.names, Purpose.TEST), fraction)
        kept = np.setdiff1d(np.arange(len(self.items)), aside)
        return self.only(kept), self.only(aside)

    def only(self, places: NDArray[np.int64]) -> "Listing":
        """The images at some places."""
        names = [self.names[place] for place in places] if self.names else ()
        return Listing([self.items[place] for place in places], self.labels[places], names)


class DecodedImages(ImageDataModule):
    """Images that are costly to read: decoded once into a cache, which is mapped into memory from then on.

    A data set tells by `fingerprint` when to decode anew, by `listing` what there is, and by `read` what an
    image looks like.

    Args:
        image_size: Height and width in pixels that the model sees.
        channels: 1 for grey, 3 for colour.
        cache_dir: Where to keep the decoded images. None: ``$GENZOO_CACHE``, else ``$XDG_CACHE_HOME/genzoo``,
            else ``~/.cache/genzoo``.
        skip_broken: Leave out images that cannot be read, with a warning. False: they are an error.
        **kwargs: As for `ImageDataModule`.
    """

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 3,
        cache_dir: str | None = None,
        skip_broken: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(image_size=image_size, **kwargs)
        if channels not in (1, 3):
            raise ValueError(f"channels is {channels}, but must be 1 for grey or 3 for colour")
        self.channels = whole_number("channels", channels)
        self.native_size = self.image_size
        self.cache_dir = Path(cache_dir).expanduser() if cache_dir else default_cache_dir()
        self.skip_broken = skip_broken
        self._looked_at: ArrayCache | None = None

    @property
    def cache_name(self) -> str:
        """What the folder of the cache begins with."""
        return type(self).__name__

    @abstractmethod
    def fingerprint(self) -> Any:
        """Plain data that changes with everything that the decoded images depend on, but size and channels."""

    @abstractmethod
    def listing(self) -> dict[Split, Listing]:
        """The images of ``train`` and ``test``, and of ``validation`` where that is an official split.

        Raises:
            FileNotFoundError: If there are none.
            ValueError: If they do not fit together.
        """

    @abstractmethod
    def read(self, item: Any) -> NDArray[np.uint8]:
        """Decodes one image to ``(channels, image_size, image_size)``; called from several threads.

        Raises:
            ValueError: If it is broken; names it.
        """

    def prepare_data(self) -> None:
        """Decodes the images, unless the cache has them.

        Raises:
            FileNotFoundError: If there are none.
            ValueError: If an image is broken and ``skip_broken`` is False.
        """
        if skipped := self._look().notes["skipped"]:
            logger.warning("left out %d image(s) that cannot be read, the first: %s", len(skipped), skipped[0])

    @property
    def has_validation_split(self) -> bool:  # type: ignore[override]
        """Whether there is an official validation split."""
        return "validation_images" in self._cache

    def load(self, split: Split) -> Arrays:
        """Opens one of the splits; the images are mapped into memory, not read."""
        cache = self._look()
        return cache.open(f"{split}_images"), np.array(cache.open(f"{split}_labels"))

    @cached_property
    def identity(self) -> str:
        """Tells the training data from other data, for runs that go on: a function of names, pixels and labels."""
        checksum = self._cache.checksum("train_images", "train_labels", "train_draws")
        return f"{self._cache.length('train_images')}-{checksum}"

    def _sizes(self) -> dict[Part, int]:
        return super()._sizes() | {"test": self._cache.length("test_images")}

    def _held_out(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        draws = self._cache.open("train_draws")
        if len(draws) == 0:
            return super()._held_out(labels)
        return choose_by_draw(labels, draws, self.validation_fraction)

    @property
    def _cache(self) -> ArrayCache:
        """The images as they were when they were last looked at."""
        return self._looked_at or self._look()

    def _look(self) -> ArrayCache:
        """Looks for changes of the originals, and decodes them unless the cache has them."""
        # All that the arrays depend on is in the folder's name, so that other settings leave this cache as it is.
        everything = json.dumps([CACHE_VERSION, self.image_size, self.channels, self.fingerprint()])
        fingerprint = hashlib.sha256(everything.encode()).hexdigest()[:16]
        cache = ArrayCache(self.cache_dir / f"{self.cache_name}-{self.image_size}-{fingerprint}")
        cache.ensure(self._decode)
        if (skipped := cache.notes["skipped"]) and not self.skip_broken:
            raise self._broken(skipped[0])
        self._looked_at = cache
        return cache

    def _decode(self, writer: ArrayWriter) -> None:
        shape = (self.channels, self.image_size, self.image_size)
        skipped: list[str] = []
        for split, (items, labels, names) in self.listing().items():
            kept: list[int] = []
            decoded = self._readable(items, f"Decoding {self.cache_name} ({split})", kept, skipped)
            if writer.write(f"{split}_images", decoded, np.uint8, shape) == 0 and len(items):
                raise ValueError(f"none of the {len(items)} images can be read, the first: {skipped[0]}")
            # A class without images would go unnoticed: its name stays in the list, and a model never sees it.
            if labels.ndim == 1 and len(lost := np.setdiff1d(labels, labels[kept])):
                raise ValueError(
                    f"none of the {split} images of the class {self.class_names[lost[0]]} can be read; repair them, or "
                    "remove the class"
                )
            writer.write(f"{split}_labels", labels[kept], labels.dtype, labels.shape[1:])
            if split == "train":
                draws = draws_of((names[place] for place in kept), Purpose.VALIDATION) if names else ()
                writer.write("train_draws", draws, np.float64, ())
        writer.notes["skipped"] = skipped

    def _readable(
        self, items: Sequence[Any], title: str, kept: list[int], skipped: list[str]
    ) -> Iterator[NDArray[np.uint8]]:
        """The images that can be read; notes their places, and what is wrong with the others."""
        # Threads suffice: Pillow releases the interpreter's lock while it decodes.
        with ThreadPool() as pool:
            for place, image in enumerate(track(pool.imap(self._read, items), title, total=len(items))):
                if not isinstance(image, ValueError):
                    kept.append(place)
                    yield image
                elif self.skip_broken:
                    skipped.append(str(image))
                else:
                    raise self._broken(str(image)) from image

    def _read(self, item: Any) -> NDArray[np.uint8] | ValueError:
        # Raised, the error would end the pool's iteration at the first broken image.
        try:
            return self.read(item)
        except ValueError as error:
            return error

    def _broken(self, reason: str) -> ValueError:
        return ValueError(f"{reason}, or set skip_broken to true to leave such images out")


def file_states(paths: Iterable[Path]) -> list[tuple[str, int, int]]:
    """Names, sizes and times of files: changes when any of them does."""
    return [(path.name, state.st_size, state.st_mtime_ns) for path in paths for state in [path.stat()]]
