"""Trained models by where they lie or what they are called, as samplers that need torch alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from genzoo.checkpoint_files import BEST, CHECKPOINTS, LAST
from genzoo.sampling.rebuilding import rebuilt
from genzoo.sampling.safe_files import read_sampler, read_weights
from genzoo.sampling.sampler import Sampler
from genzoo.sampling.stored import load_sampler
from genzoo.zoo.entry import Entry, is_entry
from genzoo.zoo.shelves import entry_at

SAFETENSORS = ".safetensors"
# What ends so is a file, whether or not it is there, and neither a name nor an address of the Hub.
FILES = (SAFETENSORS, ".ckpt", ".pt", ".pth")


def load(place: str | Path, weights: Literal["raw", "averaged"] | None = None, allow: Sequence[str] = ()) -> Sampler:
    """Loads what was trained, ready to sample from, without what trained it.

    Args:
        place: What is there: a checkpoint or its address (``https://...``), a run folder (its best checkpoint, else
            its last), an entry's folder or a safetensors file. Else a name: of an entry that comes with genzoo, or in
            the user's folder of entries (`genzoo.zoo.shelves.own_folder`), or ``user/name`` of the Hugging Face Hub,
            with ``@revision`` if it shall be a certain one.
        weights: Those of a checkpoint that were trained (``raw``), or their averages; left out, the averages if there
            are any.
        allow: Packages beside genzoo whose classes are made: those of models of one's own.

    Returns:
        The sampler, on the CPU and in eval mode.

    Raises:
        FileNotFoundError: If there is nothing.
        ValueError: If it is something else, is damaged, has no such weights, or needs a class of another package.
        ConnectionError: If the Hugging Face Hub cannot be reached, and it is not in its cache on this machine.
    """
    allowed = ("genzoo", *allow)
    path = Path(place)
    if path.is_dir() and not is_entry(path):
        return load_sampler(checkpoint_of(path), weights, allowed)
    if path.is_file() or path.suffix in FILES or "://" in str(place):
        if path.suffix != SAFETENSORS:
            return load_sampler(place, weights, allowed)
        _require_no_choice(place, weights)
        return read_sampler(path, allowed)
    _require_no_choice(place, weights)
    return _sampler_of(entry_at(place), allowed)


def _sampler_of(entry: Entry, allowed: Sequence[str]) -> Sampler:
    weights, _ = read_weights(entry.require_whole())
    return rebuilt(entry.record["sampler"], weights, entry.folder, allowed)


def _require_no_choice(place: str | Path, weights: str | None) -> None:
    if weights is not None:
        raise ValueError(f"{place} holds one set of weights; leave weights out")


def checkpoint_of(run: Path) -> Path:
    """The checkpoint that a run folder stands for: the best one, else the last.

    Raises:
        FileNotFoundError: If there is none.
    """
    best, last = (run / CHECKPOINTS / name for name in (BEST, LAST))
    if not (best.is_file() or last.is_file()):
        raise FileNotFoundError(
            f"there is no {last}; give the folder of a run that has written one, runs/MODEL/NAME, or a checkpoint"
        )
    return best if best.is_file() else last
