"""Arrays that are made once and kept on disk: by one process, whole or not at all, made anew when damaged."""

import hashlib
import json
import logging
import os
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from genzoo.files import reason, remedy

MANIFEST = "manifest.json"

logger = logging.getLogger(__name__)


def default_cache_dir() -> Path:
    """``$GENZOO_CACHE``, else ``$XDG_CACHE_HOME/genzoo``, else ``~/.cache/genzoo``."""
    if own := os.environ.get("GENZOO_CACHE"):
        return Path(own)
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared) / "genzoo"
    return Path.home() / ".cache" / "genzoo"


class ArrayWriter:
    """Writes arrays and notes into the folder of a cache that is being made.

    Args:
        folder: An empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.arrays: dict[str, Any] = {}
        self.notes: dict[str, Any] = {}

    def write(self, name: str, rows: Iterable[NDArray[Any]], dtype: Any, row_shape: tuple[int, ...]) -> int:
        """Writes an array row by row.

        Args:
            name: What to call it.
            rows: The rows.
            dtype: Their type.
            row_shape: Their shape.

        Returns:
            How many rows there were.
        """
        path = self.folder / f"{name}.bin"
        count = checksum = 0
        with writing(self.folder.parent):
            file = path.open("wb")
        try:
            for row in rows:
                content = np.ascontiguousarray(row, dtype).tobytes()
                with writing(self.folder.parent):
                    file.write(content)
                checksum = zlib.crc32(content, checksum)
                count += 1
        finally:
            with writing(self.folder.parent):
                file.close()
        state = path.stat()
        self.arrays[name] = {
            "dtype": np.dtype(dtype).str,
            "shape": [count, *row_shape],
            "bytes": state.st_size,
            "modified": state.st_mtime_ns,
            "crc32": checksum,
        }
        return count

    def finish(self) -> None:
        """Writes down what there is; without this the cache does not count."""
        with writing(self.folder.parent):
            (self.folder / MANIFEST).write_text(json.dumps({"arrays": self.arrays, "notes": self.notes}))


class ArrayCache:
    """Named arrays in a folder that appears only once they are complete. The folder may be deleted at any time.

    Args:
        folder: Where; its name should change with everything that the arrays depend on.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def notes(self) -> dict[str, Any]:
        """What was written down beside the arrays."""
        notes: dict[str, Any] = self._manifest()["notes"]
        return notes

    def ensure(self, make: Callable[[ArrayWriter], None]) -> None:
        """Makes the arrays unless they are there undamaged; one process does while others wait.

        Args:
            make: Writes the arrays.

        Raises:
            OSError: If the folder cannot be written.
        """
        if self.is_whole():
            return
        # Beside the folder, which is not there yet and may be deleted at any time.
        lock = FileLock(f"{self.folder}.lock")
        with writing(self.folder.parent):
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        try:
            # Another process may have made it while this one waited for the lock.
            if not self.is_whole():
                self._make(make)
        finally:
            lock.release()

    def open(self, name: str) -> NDArray[Any]:
        """Maps an array into memory, read-only."""
        entry = self._manifest()["arrays"][name]
        shape = tuple(entry["shape"])
        # An empty file cannot be mapped.
        if entry["bytes"] == 0:
            return np.zeros(shape, entry["dtype"])
        return np.memmap(self.folder / f"{name}.bin", entry["dtype"], "r", shape=shape)

    def __contains__(self, name: str) -> bool:
        """Whether there is an array of this name."""
        return name in self._manifest()["arrays"]

    def length(self, name: str) -> int:
        """How many rows an array has."""
        return int(self._manifest()["arrays"][name]["shape"][0])

    def checksum(self, *names: str) -> str:
        """Tells the content of some arrays from any other, wherever the cache lies."""
        entries = [self._manifest()["arrays"][name] for name in names]
        content = json.dumps([(entry["dtype"], entry["shape"], entry["crc32"]) for entry in entries])
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def is_whole(self) -> bool:
        """Whether all files are there as they were written; a file that was touched since is read and compared."""
        try:
            return all(self._is_as_written(name, entry) for name, entry in self._manifest()["arrays"].items())
        # Of a damaged cache the manifest may be missing, cut off, or any other JSON.
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False

    def _is_as_written(self, name: str, entry: dict[str, Any]) -> bool:
        path = self.folder / f"{name}.bin"
        state = path.stat()
        if state.st_size != entry["bytes"]:
            return False
        # Copying a cache changes the times of its files, but not what is in them.
        return bool(state.st_mtime_ns == entry["modified"] or _crc32(path) == entry["crc32"])

    def _manifest(self) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads((self.folder / MANIFEST).read_text())
        return manifest

    def _make(self, make: Callable[[ArrayWriter], None]) -> None:
        unfinished = self.folder.with_name(f"{self.folder.name}.unfinished")
        if self.folder.exists():
            logger.warning("the cache %s is damaged and is being made anew", self.folder)
        with writing(self.folder.parent):
            for leftover in (unfinished, self.folder):
                shutil.rmtree(leftover, ignore_errors=True)
            unfinished.mkdir()
        try:
            writer = ArrayWriter(unfinished)
            make(writer)
            writer.finish()
            with writing(self.folder.parent):
                unfinished.replace(self.folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Says what to do where a folder of caches cannot be written."""
    try:
        yield
    except OSError as error:
        raise OSError(
            f"the cache folder {folder.absolute()} cannot be written ({reason(error)}); "
            f"{remedy(error, 'choose another folder with cache_dir or the variable GENZOO_CACHE')}"
        ) from error


def _crc32(path: Path) -> int:
    checksum = 0
    with path.open("rb") as file:
        while content := file.read(2**22):
            checksum = zlib.crc32(content, checksum)
    return checksum
