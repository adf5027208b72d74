"""Checkpoints as files: opened in one place, without running code that they hold, and looked at before their use."""

import pickle
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from packaging.version import InvalidVersion, Version
from torch import Tensor

# In the folder of a run: its settings, where its checkpoints are, and which of them there may be.
CONFIG = "config.yaml"
CHECKPOINTS, BEST, LAST = "checkpoints", "best.ckpt", "last.ckpt"
OURS = "runs/MODEL/NAME/checkpoints/last.ckpt"
VERSION = "pytorch-lightning_version"
# What the entries of a checkpoint are, where it has them.
ENTRIES: dict[str, type] = {
    "state_dict": dict,
    VERSION: str,
    "global_step": int,
    "epoch": int,
    "hyper_parameters": dict,
    "loops": dict,
    "callbacks": dict,
    "optimizer_states": list,
    "lr_schedulers": list,
    "data_identity": str,
    "sampler": dict,
}
# What ``save_weights_only`` leaves out. Lightning would miss it only after the run has been set up.
RESUMED = ("loops", "optimizer_states")


class CheckpointError(ValueError):
    """A file is no checkpoint, or none that serves: says what is wrong with it and what to do."""


def read_checkpoint(
    place: str | Path,
    *,
    name: str | Path | None = None,
    map_location: Any = "cpu",
    mmap: bool = False,
    weights_only: bool = True,
) -> dict[str, Any]:
    """Reads a checkpoint of Lightning, and looks at what it holds.

    Args:
        place: The file, or an address, as for `local_file`.
        name: What messages call it; ``place`` if left out.
        map_location: Where its tensors go, as for ``torch.load``.
        mmap: Maps the tensors into memory rather than reading them, to have a look at the rest.
        weights_only: Reads plain data and tensors only, so that nothing that the file holds can run. False runs
            whatever the file says: for files of people whom one trusts.

    Returns:
        Its entries, ``state_dict`` among them.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If it cannot be read, or is no checkpoint.
    """
    name = place if name is None else name
    with local_file(place) as file:
        content = _load(file, name, map_location, mmap, weights_only)
    _require_checkpoint(content, name)
    return content  # type: ignore[no-any-return]


@contextmanager
def local_file(place: str | Path) -> Iterator[Path]:
    """The file that lies in a place; one at an address is fetched, and removed afterwards.

    Args:
        place: A path, or an address: ``https://...``, or another of those that fsspec knows, such as ``s3://...``.

    Raises:
        CheckpointError: If an address gives nothing.
    """
    if "://" not in str(place):
        yield Path(place)
        return
    with TemporaryDirectory() as folder:
        file = Path(folder) / "fetched.ckpt"
        try:
            # torch fetches from the web by itself, so that sharing weights takes no further package.
            if str(place).startswith(("http://", "https://")):
                torch.hub.download_url_to_file(str(place), str(file), progress=False)
            else:
                # Imported here, so that to read a file takes torch alone.
                from fsspec.core import url_to_fs

                filesystem, path = url_to_fs(str(place))
                filesystem.get_file(path, str(file))
        # Every kind of address fails in ways of its own.
        except Exception as error:
            raise CheckpointError(
                f"the checkpoint {place} cannot be fetched ({_last_line(error)}); correct the address, or fetch the "
                "file by other means and give its path"
            ) from error
        yield file


def require_states(checkpoint: dict[str, Any], name: object) -> None:
    """Requires what training needs to go on from a checkpoint, besides the weights.

    Args:
        checkpoint: What `read_checkpoint` has returned.
        name: What messages call it.

    Raises:
        CheckpointError: If it holds weights alone.
    """
    if missing := [entry for entry in RESUMED if not checkpoint.get(entry)]:
        raise CheckpointError(
            f"{name} can be tested and sampled from, but training cannot go on from it: it holds no {missing[0]}, as "
            "where save_weights_only is true; give a checkpoint that holds them, or begin a new run"
        )


def _load(file: Path, name: object, map_location: Any, mmap: bool, weights_only: bool) -> Any:
    if not file.exists():
        raise FileNotFoundError(f"there is no checkpoint {name}; give one that a run has written, {OURS}")
    if not file.is_file():
        kind = "a folder" if file.is_dir() else "no regular file"
        raise CheckpointError(f"{name} is {kind} and no checkpoint; give one that a run has written, {OURS}")
    try:
        # Only the archives that torch has written since 1.6 can be mapped; torch refuses to map what is older.
        mmap = mmap and zipfile.is_zipfile(file)
        with warnings.catch_warnings():
            # Whatever is wrong with a file is said in one sentence below.
            warnings.filterwarnings("ignore", message="Detected pickle protocol")
            return torch.load(file, map_location=map_location, mmap=mmap, weights_only=weights_only)
    except PermissionError as error:
        raise CheckpointError(f"{name} cannot be read ({error.strerror}); give the right to read it") from error
    # On files that it has not written, torch raises errors of almost any type.
    except Exception as error:
        raise CheckpointError(f"{name} {_what_is_wrong(file, error)}") from error


def _what_is_wrong(file: Path, error: Exception) -> str:
    if isinstance(error, pickle.UnpicklingError) and (found := re.search(r"GLOBAL (\S+)", str(error))):
        return (
            f"holds {found[1].rstrip('.')}, which is no plain data and could run code; nothing of it was run. Give a "
            "checkpoint that genzoo has written; if you trust whoever wrote this one, ask for weights_only false"
        )
    with file.open("rb") as opened:
        beginning = opened.read(2)
    if not beginning:
        return f"is empty; give a checkpoint that a run has written, {OURS}"
    # What torch saves is a zip archive, whose directory comes last.
    if beginning == b"PK":
        return "is cut off, damaged, or an archive that is no checkpoint; copy it anew, or give another one"
    return f"is no checkpoint; give one that a run has written, {OURS}"


def _require_checkpoint(content: Any, name: object) -> None:
    if not isinstance(content, dict):
        raise CheckpointError(
            f"{name} holds a {type(content).__name__} and no checkpoint; give one that a run has written, {OURS}"
        )
    if "state_dict" not in content:
        if content and all(isinstance(value, Tensor) for value in content.values()):
            raise CheckpointError(
                f"{name} holds bare weights and nothing that says of which model; make the model, and give them to "
                "its load_state_dict in Python"
            )
        raise CheckpointError(f"{name} holds no state_dict and thus no model; give a checkpoint such as {OURS}")
    # A missing entry is no fault: which of them are needed depends on what the checkpoint is used for.
    for entry, kind in ENTRIES.items():
        if not isinstance(content.get(entry, kind()), kind):
            raise CheckpointError(
                f"{name} is no sound checkpoint: its {entry} is of type {type(content[entry]).__name__}, not "
                f"{kind.__name__}; give one that a run has written, {OURS}"
            )
    spec = content.get("hyper_parameters", {}).get("data_spec")
    if spec is not None and not (isinstance(spec, dict) and isinstance(spec.get("shape"), list)):
        raise CheckpointError(
            f"{name} is no sound checkpoint: the data_spec in its hyper_parameters has no shape; give one that a run "
            f"has written, {OURS}"
        )
    # Lightning migrates every checkpoint by the version that wrote it, and fails on one that it cannot parse.
    try:
        Version(content.get(VERSION, ""))
    except InvalidVersion:
        found = repr(content[VERSION]) if VERSION in content else "missing"
        raise CheckpointError(
            f"{name} does not say which version of Lightning wrote it ({VERSION} is {found}); give a checkpoint that "
            f"a run has written, {OURS}"
        ) from None


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]
