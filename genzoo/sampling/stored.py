"""Samplers out of checkpoints, without what trained them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from genzoo.checkpoint_files import CheckpointError, read_checkpoint
from genzoo.sampling.rebuilding import rebuilt
from genzoo.sampling.sampler import Sampler

# The entry of a checkpoint that says how its sampler is made.
SAMPLER = "sampler"
# How the names of its weights, and those of their averages, begin.
RAW, AVERAGED = "sampler.", "average.copies."
UPDATES = "average._extra_state"


def load_sampler(
    place: str | Path, weights: Literal["raw", "averaged"] | None = None, allowed: Sequence[str] = ("genzoo",)
) -> Sampler:
    """Loads the sampler of a checkpoint. Neither Lightning nor the model's class is imported, and no code is run.

    Args:
        place: The checkpoint, or its address.
        weights: Those that were trained (``raw``), or their averages; left out, the averages if there are any.
        allowed: The packages whose classes are made.

    Returns:
        The sampler, on the CPU and in eval mode. Its samples are those of the model, to the last bit.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If it is no checkpoint, or says nothing of its sampler, or has no averages that are wanted.
        ValueError: If a class is of no allowed package.
    """
    checkpoint = read_checkpoint(place)
    if SAMPLER not in checkpoint:
        raise CheckpointError(
            f"{place} was written by version 0.1.0, which does not say how samplers are made; load it by "
            "genzoo.training.GenerativeModel.load_from_checkpoint, whose attribute sampler it is"
        )
    state: dict[str, Any] = checkpoint["state_dict"]
    has_averages = state.get(UPDATES, 0) > 0
    if weights == "averaged" and not has_averages:
        raise CheckpointError(f'{place} holds no averaged weights; ask for weights="raw"')
    own = _below(RAW, state)
    if has_averages and weights != "raw":
        # The density is not averaged: it is fitted to what the averages make.
        own |= _below(AVERAGED, state)
    return rebuilt(checkpoint[SAMPLER], own, place, allowed)


def _below(prefix: str, state: dict[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
