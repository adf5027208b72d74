"""Writes samplers to files of other formats, each compared with what it was made of before it takes its place."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

import torch

from genzoo.export.formats import FORMATS, Format, Run
from genzoo.export.parts import Part
from genzoo.files import require_free, whole_file
from genzoo.names import nearest
from genzoo.sampling.sampler import Sampler

BATCH_SIZES = (1, 3, 64)
# In units of the largest value, where that is above 1: images lie in [-1, 1].
TOLERANCE = 1e-4


class ExportError(RuntimeError):
    """A model cannot be exported, or its file does not compute what the model does."""


@dataclass(frozen=True)
class Exported:
    """A part of a sampler in its file.

    Attributes:
        path: The file.
        signature: Inputs and output with their types and shapes.
        difference: The largest one between the file's outputs and the sampler's.
    """

    path: Path
    signature: str
    difference: float


def format_named(name: str) -> Format:
    """The format of a name, whose packages are installed.

    Raises:
        ValueError: If there is none of the name.
        ModuleNotFoundError: If a package that it needs is missing.
    """
    if name not in FORMATS:
        raise ValueError(f"there is no format {name!r}; {nearest(name, FORMATS)}there are {', '.join(FORMATS)}")
    FORMATS[name].require_packages()
    return FORMATS[name]


def export_sampler(
    sampler: Sampler, folder: str | Path, to: str, overwrite: bool = False, allowed: Sequence[str] = ("genzoo",)
) -> list[Exported]:
    """Writes a sampler to files, whole or not at all, and runs these against it on batches of several sizes.

    Args:
        sampler: On the CPU and in eval mode.
        folder: Where the files go: ``decoder`` and, where there is an encoder, ``encoder`` with the suffix of the
            format; or ``model.safetensors``.
        to: Name of the format: ``onnx``, ``safetensors`` or ``torch-export``.
        overwrite: Whether files of these names are replaced.
        allowed: The packages whose classes are made where a file is read back.

    Returns:
        What was written, part by part.

    Raises:
        ValueError: If there is no such format.
        ModuleNotFoundError: If a package that the format needs is missing.
        FileExistsError: If a file is there and may not be replaced.
        OSError: If a file cannot be written.
        ExportError: If the format cannot hold the model, or a file computes something else.
    """
    form = format_named(to)
    files = {Path(folder) / name: parts for name, parts in form.files(sampler).items()}
    for path in files:
        require_free(path, overwrite)
    exported = []
    with TemporaryDirectory() as workshop, torch.no_grad():
        for path, parts in files.items():
            file = Path(workshop) / path.name
            with said_in_a_sentence(f"the {' and '.join(part.name for part in parts)} cannot be exported to {to}"):
                form.write(parts, file)
                runs = form.opened(file, allowed)
                for part, run in zip(parts, runs, strict=True):
                    exported.append(Exported(path, signature(part), compared(part, run)))
        # None takes its place before all have been compared.
        for path in files:
            with whole_file(path, "the export") as unfinished:
                copyfile(Path(workshop) / path.name, unfinished)
    return exported


@contextmanager
def said_in_a_sentence(failed: str) -> Iterator[None]:
    """Turns what exporters and runtimes raise, which is of almost any type, into an `ExportError`.

    Args:
        failed: Beginning of the sentence.
    """
    try:
        yield
    except (ExportError, OSError):
        raise
    except Exception as error:
        cause: BaseException = error
        # Exporters tell of what has failed by errors of their own, whose texts are advice for their makers.
        while cause.__cause__ is not None:
            cause = cause.__cause__
        reason = (str(cause).strip().splitlines() or ["without a reason"])[0]
        raise ExportError(f"{failed} ({type(cause).__name__}: {reason}); choose another format") from error


def compared(part: Part, run: Run) -> float:
    """The largest difference between what a part and its file compute, on batches of several sizes.

    Args:
        part: As torch runs it.
        run: As its file's own runtime does.

    Raises:
        ExportError: If it is more than rounding makes.
    """
    largest = 0.0
    for number in BATCH_SIZES:
        inputs = part.examples(number)
        expected, found = part(*inputs), run(*inputs)
        difference = float((found - expected).abs().max())
        # Not the other way round: a difference that is no number is no small one.
        if not difference <= TOLERANCE * max(1.0, float(expected.abs().max())):
            raise ExportError(
                f"the exported {part.name} differs from that of the model by {difference:.1e}, on a batch of {number}, "
                f"which is more than rounding makes ({TOLERANCE:g}); nothing was written; choose another format"
            )
        largest = max(largest, difference)
    return largest


def signature(part: Part) -> str:
    """Inputs and output of a part, such as ``z float32 (N, 32) -> x float32 (N, 1, 32, 32)``."""
    inputs = part.examples(1)
    named = [*zip(part.input_names, inputs, strict=True), (part.gives, part(*inputs))]
    *taken, given = (f"{name} {str(values.dtype).removeprefix('torch.')} {_shape(values)}" for name, values in named)
    return f"{', '.join(taken)} -> {given}"


def _shape(values: torch.Tensor) -> str:
    return f"(N, {', '.join(map(str, values.shape[1:]))})" if values.ndim > 1 else "(N,)"
