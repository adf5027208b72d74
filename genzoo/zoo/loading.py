"""Trained models by where they lie: checkpoints, run folders and files, as samplers that need torch alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from genzoo.checkpoint_files import BEST, CHECKPOINTS, LAST
from genzoo.sampling.safe_files import read_sampler
from genzoo.sampling.sampler import Sampler
from genzoo.sampling.stored import load_sampler

SAFETENSORS = ".safetensors"


def load(place: str | Path, weights: Literal["raw", "averaged"] | None = None, allow: Sequence[str] = ()) -> Sampler:
    """Loads what was trained, ready to sample from, without what trained it.

    Args:
        place: A checkpoint or its address, a run folder (its best checkpoint, else its last), or a safetensors file.
        weights: Those of a checkpoint that were trained (``raw``), or their averages; left out, the averages if there
            are any.
        allow: Packages beside genzoo whose classes are made: those of models of one's own.

    Returns:
        The sampler, on the CPU and in eval mode.

    Raises:
        FileNotFoundError: If there is nothing.
        ValueError: If it is something else, is damaged, has no such weights, or needs a class of another package.
    """
    allowed = ("genzoo", *allow)
    path = Path(place)
    if path.suffix == SAFETENSORS:
        if weights is not None:
            raise ValueError(f"{place} holds one set of weights; leave weights out")
        return read_sampler(path, allowed)
    if path.is_dir():
        place = checkpoint_of(path)
    return load_sampler(place, weights, allowed)


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
