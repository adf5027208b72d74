"""Samplers as single safetensors files: weights, and the plain data that say how the sampler is made."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from genzoo.files import whole_file
from genzoo.hyperparameters import as_plain
from genzoo.sampling.rebuilding import rebuilt
from genzoo.sampling.sampler import Sampler

# The entry of a file's metadata, which are texts, that says how its sampler is made.
SAMPLER = "genzoo.sampler"


class SafeFileError(ValueError):
    """A file holds no sampler, or none that can be made: says what is wrong with it and what to do."""


def write_sampler(sampler: Sampler, path: Path) -> None:
    """Writes a sampler, whole or not at all; `read_sampler` is the way back.

    Args:
        sampler: Its weights are written in their own type.
        path: Where to; its folder is made if need be. What is there is replaced.

    Raises:
        OSError: If it cannot be written.
    """
    # Weights that two layers share, or that are views of others, are written once for each.
    weights = {name: value.detach().cpu().contiguous().clone() for name, value in sampler.state_dict().items()}
    with whole_file(path) as unfinished:
        # safetensors' own file could be read by its owner alone.
        unfinished.write_bytes(save(weights, {SAMPLER: json.dumps(as_plain(sampler))}))


def read_sampler(path: Path, allowed: Sequence[str] = ("genzoo",)) -> Sampler:
    """Reads a sampler that `write_sampler` has written, without running anything that the file holds.

    Args:
        path: The file.
        allowed: The packages whose classes are made.

    Returns:
        The sampler, on the CPU and in eval mode.

    Raises:
        FileNotFoundError: If there is no such file.
        SafeFileError: If it holds no sampler, or is damaged.
        ValueError: If a class is of no allowed package.
    """
    weights, metadata = read_weights(path)
    if SAMPLER not in metadata:
        raise SafeFileError(
            f"{path} holds weights, but does not say of which sampler; give a file that genzoo export has written"
        )
    return rebuilt(_plain_in(metadata[SAMPLER], path), weights, path, allowed)


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Reads a safetensors file, which cannot hold anything that runs.

    Args:
        path: The file.

    Returns:
        Its tensors, on the CPU, and its metadata.

    Raises:
        FileNotFoundError: If there is no such file.
        SafeFileError: If it is something else, or is damaged.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; give one that genzoo export or genzoo publish has written")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except PermissionError as error:
        raise SafeFileError(f"{path} cannot be read ({error.strerror}); give the right to read it") from error
    except (SafetensorError, OSError) as error:
        raise SafeFileError(
            f"{path} is no safetensors file, or is cut off or damaged ({error}); copy it anew, or give another one"
        ) from error
    return weights, metadata


def _plain_in(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise SafeFileError(f"what {path} says of its sampler is damaged; copy it anew, or give another one") from error
