"""Files that are whole or not there, and what it means when the system refuses one."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REMEDIES = {
    errno.ENOSPC: "make room",
    errno.EDQUOT: "the quota is used up: make room or have it raised",
    errno.EFBIG: "raise the limit of a file's size (ulimit -f)",
    errno.EROFS: "make the file system writable",
    errno.EACCES: "give the right to do so",
    errno.EPERM: "give the right to do so",
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n) or lower num_workers",
    errno.ENFILE: "too many files are open on this machine: close some or lower num_workers",
}


@contextmanager
def whole_file(path: Path, what: str = "") -> Iterator[Path]:
    """A place to write a file to that is moved to its own place once it is on disk.

    Until then, and after any failure, there is what was there before.

    Args:
        path: The file's own place; its folder is made if need be.
        what: What the file is, for the message of an error.

    Yields:
        Where to write it.

    Raises:
        OSError: If it cannot be written.
    """
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield unfinished
        # Some systems flush only what is open for writing.
        with unfinished.open("r+b") as file:
            os.fsync(file.fileno())
        # Atomic within one file system, which is why the unfinished file lies beside its place.
        unfinished.replace(path)
    # torch reports a full disk as a RuntimeError.
    except (OSError, RuntimeError) as error:
        refused = system_error(error)
        if refused is None:
            raise
        kept = "; the one from before is kept" if path.is_file() else ""
        raise OSError(
            f"{what} {path} cannot be written ({reason(refused)}){kept}; {remedy(refused)}".strip()
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder to write into that is moved to its own place once everything in it is written.

    Until then, and after any failure, there is what was there before; a folder that was there is replaced.

    Args:
        path: The folder's own place; the one around it is made if need be.

    Yields:
        An empty folder to write into.

    Raises:
        OSError: If it cannot be written.
    """
    unfinished, before = (path.with_name(f"{path.name}.{state}") for state in ("unfinished", "before"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # What a process has left that was killed.
        _settle(before, path)
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        yield unfinished
        # A folder that is not empty cannot be replaced in one step.
        if path.is_dir():
            path.replace(before)
        unfinished.replace(path)
    except OSError as error:
        raise OSError(f"{path} cannot be written ({reason(error)}); {remedy(error)}") from error
    finally:
        _settle(before, path)
        shutil.rmtree(unfinished, ignore_errors=True)


def _settle(before: Path, path: Path) -> None:
    """Puts the folder from before back, unless there is one in its place, or removes it."""
    if before.is_dir() and not path.exists():
        before.replace(path)
    shutil.rmtree(before, ignore_errors=True)


def require_free(path: Path, overwrite: bool = False, option: str = "--out") -> None:
    """Requires that something can be written to a place, before it is made.

    Args:
        path: The file or folder to be.
        overwrite: Whether what is there may be replaced.
        option: What chooses the place, for the message.

    Raises:
        FileExistsError: If something is there already.
        ValueError: If the place cannot be written to.
    """
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} is there already; give --overwrite to replace it, or choose another {option}")
    # Around the root of a file system there is nothing else.
    around = next((folder for folder in path.absolute().parents if folder.exists()), path)
    if not around.is_dir():
        raise ValueError(f"{path} cannot be written, since {around} is no folder; choose another {option}")
    if not os.access(around, os.W_OK | os.X_OK):
        raise ValueError(f"{path} cannot be written, since nothing may be put into {around}; choose another {option}")


def write_whole(path: Path, text: str) -> None:
    """Writes a text, whole or not at all.

    Raises:
        OSError: If it cannot be written.
    """
    with whole_file(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def system_error(error: BaseException) -> OSError | None:
    """The system's own error that is, or lies behind, another one: torch reports a failed write in its own words."""
    cause: BaseException | None = error
    while cause is not None and not (isinstance(cause, OSError) and cause.errno is not None):
        cause = cause.__cause__ or cause.__context__
    return cause


def system_refusal(error: OSError, path: Path | None = None) -> str:
    """What the system has refused, why, and what to do about it: one sentence.

    Args:
        error: With a number (`errno`), as the system gives them.
        path: The file; left out, the one that the error names, if it names one.
    """
    if path is None and error.filename:
        path = Path(os.fsdecode(error.filename))
    if error.errno in (errno.EMFILE, errno.ENFILE):
        failed = "cannot be opened"
    elif error.errno in (errno.EACCES, errno.EPERM) and path is not None and not _is_readable(path):
        failed = "cannot be read"
    else:
        failed = "cannot be written"
    return f"{path or 'a file of the run'} {failed} ({reason(error)}); {remedy(error)}"


def reason(error: OSError) -> str:
    """Why, in the system's words, such as ``No space left on device``."""
    return error.strerror or str(error)


def remedy(error: OSError, otherwise: str = "") -> str:
    """What to do about it.

    Args:
        error: With a number, as the system gives them.
        otherwise: What else can be done, such as ``choose another place with --run.root``.
    """
    known = REMEDIES.get(error.errno or 0, "")
    return ", or ".join(filter(None, (known, otherwise))) or "choose another place"


def _is_readable(path: Path) -> bool:
    """Whether a file could be read; one that is not there yet could be written, if anything."""
    # Files are opened as the effective user, where `os.access` asks for the real one by default.
    takes_effective_ids = os.access in os.supports_effective_ids
    try:
        return not path.exists() or os.access(path, os.R_OK, effective_ids=takes_effective_ids)
    except OSError:
        return False
