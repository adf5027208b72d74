"""What a run was made with: the command, versions of packages, and the state of the code in git."""

import json
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from genzoo.files import write_whole

PROVENANCE = "provenance.json"
PACKAGES = ("genzoo", "torch", "torchvision", "lightning", "torchmetrics", "numpy", "scikit-learn", "torch-fidelity")
# A repository on a slow file system must not hold up a training.
SECONDS_FOR_GIT = 5.0

Plain = str | int | float | bool | None

# A program of one's own, whose arguments are others, may run one command after the other.
_given: ContextVar[Sequence[str] | None] = ContextVar("given", default=None)


@contextmanager
def in_command(arguments: Sequence[str]) -> Iterator[None]:
    """Within it, `command` is ``genzoo`` with these arguments."""
    token = _given.set(arguments)
    try:
        yield
    finally:
        _given.reset(token)


def command() -> str:
    """What is run, as one would type it."""
    given = _given.get()
    return shlex.join(["genzoo", *(sys.argv[1:] if given is None else given)])


def versions() -> dict[str, Plain]:
    """The versions of Python and of the packages that a training and its scores depend on."""
    found: dict[str, Plain] = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        # Optional ones, and genzoo itself where it runs from a checkout that is not installed.
        except PackageNotFoundError:
            continue
    return found


def code_state(folder: Path) -> dict[str, Plain]:
    """The commit of the git repository around a folder, and whether tracked files differ from it.

    Args:
        folder: Any folder.

    Returns:
        ``git_commit`` and ``git_dirty``; nothing where there is no repository, no commit, or no git.
    """
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return {}
    # Run folders and data lie untracked beside the code: they make no difference to it.
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return {"git_commit": commit.strip(), "git_dirty": None if changes is None else bool(changes.strip())}


def _git(folder: Path, *arguments: str) -> str | None:
    """What git answers; None if it does not."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_FOR_GIT, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def provenance() -> dict[str, Any]:
    """Of this process: ``command``, ``versions``, and the state of the code in the working folder."""
    return {
        "command": command(),
        "versions": versions(),
        **code_state(Path.cwd()),
    }


def read_provenance(folder: Path) -> list[dict[str, Any]]:
    """Of every process that trained, or tested, a run, in their order; none of runs of earlier versions.

    Args:
        folder: The run folder.
    """
    path = folder / PROVENANCE
    entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    return entries


def add_provenance(folder: Path, entry: Mapping[str, Any]) -> None:
    """Writes an entry behind those that a run folder holds.

    Args:
        folder: The run folder.
        entry: As `provenance` makes them, with whatever else tells this one from the others.
    """
    write_whole(folder / PROVENANCE, json.dumps([*read_provenance(folder), dict(entry)], indent=1) + "\n")
