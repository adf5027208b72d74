"""The formats that samplers are written in, each with the runtime that a file of it is run in."""

import json
import logging
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from genzoo.export import FORMAT_NAMES
from genzoo.export.description import described
from genzoo.export.parts import Part, in_float32, parts_of
from genzoo.extras import import_extra
from genzoo.sampling.safe_files import read_sampler, write_sampler
from genzoo.sampling.sampler import Sampler

# The newest that exporters of all supported versions of torch write by themselves.
OPSET = 18
# A file of Protocol Buffers holds no more.
MOST_BYTES_OF_ONNX = 2**31 - 1
# Bounded, since torch 2.6 refuses batches that might be as long as its mark of an open end.
BATCH = torch.export.Dim("N", max=2**31 - 1)
# Of two, since torch takes a batch of one for a constant.
TRACED = 2

Run = Callable[..., Tensor]
"""A part as its file's own runtime runs it: inputs in the order of their names, to the output."""


class Format(ABC):
    """A format of files: what they hold, and how they are written and run.

    Attributes:
        packages: The modules that it needs, beside torch.
    """

    packages: ClassVar[tuple[str, ...]] = ()

    def require_packages(self) -> None:
        """Raises a `ModuleNotFoundError` if a package is missing."""
        for package in self.packages:
            import_extra(package, package, "this export", install="'genzoo[export]'")

    @abstractmethod
    def files(self, sampler: Sampler) -> dict[str, list[Part]]:
        """The names of the files that a sampler becomes, each with the parts that it holds."""

    @abstractmethod
    def write(self, parts: Sequence[Part], path: Path) -> None:
        """Writes parts of a sampler to one file."""

    @abstractmethod
    def opened(self, path: Path, allowed: Sequence[str]) -> list[Run]:
        """The parts that a file holds, as its own runtime runs them.

        Args:
            path: The file.
            allowed: The packages whose classes are made, where a file names classes.
        """


class SafetensorsFormat(Format):
    """All weights in one file, with what says how the sampler is made, for `genzoo.load`: types are kept."""

    packages = ("safetensors",)

    def files(self, sampler: Sampler) -> dict[str, list[Part]]:
        """One file for all parts."""
        return {"model.safetensors": parts_of(sampler)}

    def write(self, parts: Sequence[Part], path: Path) -> None:
        """Writes the sampler."""
        write_sampler(parts[0].sampler, path)

    def opened(self, path: Path, allowed: Sequence[str]) -> list[Run]:
        """The parts of the sampler that is read."""
        return [*parts_of(read_sampler(path, allowed))]


class GraphFormat(Format):
    """One file per part that holds what it computes too, in float32, for batches of any size.

    Attributes:
        suffix: Of the files' names.
    """

    suffix: ClassVar[str]

    def files(self, sampler: Sampler) -> dict[str, list[Part]]:
        """A file per part."""
        return {f"{part.name}{self.suffix}": [part] for part in parts_of(in_float32(sampler))}


class TorchExportFormat(GraphFormat):
    """Programs for ``torch.export.load``, and what compiles these."""

    suffix = ".pt2"

    def write(self, parts: Sequence[Part], path: Path) -> None:
        """Writes the program of a part, with its description as JSON in the extra file ``genzoo.json``."""
        (part,) = parts
        with quiet():
            program = torch.export.export(part, part.examples(TRACED), dynamic_shapes=dynamic(part), strict=False)
            torch.export.save(program, path, extra_files={"genzoo.json": json.dumps(described(part))})

    def opened(self, path: Path, allowed: Sequence[str]) -> list[Run]:
        """The program."""
        with quiet():
            return [torch.export.load(path).module()]


class OnnxFormat(GraphFormat):
    """ONNX, for onnxruntime and others: inputs ``z`` or ``x`` and, for conditional models, ``y``; weights embedded."""

    suffix = ".onnx"
    packages = ("onnx", "onnxscript", "onnxruntime")

    def write(self, parts: Sequence[Part], path: Path) -> None:
        """Writes the graph of a part, with its description among the model's metadata.

        Raises:
            ValueError: If there are more weights than a file can embed.
        """
        (part,) = parts
        if sum(values.nbytes for values in part.state_dict().values()) > MOST_BYTES_OF_ONNX:
            raise ValueError("an ONNX file embeds at most 2 GB of weights, and these are more")
        with quiet():
            program = torch.onnx.export(
                part,
                part.examples(TRACED),
                dynamo=True,
                dynamic_shapes=dynamic(part),
                input_names=part.input_names,
                output_names=[part.gives],
                opset_version=OPSET,
                verbose=False,
            )
            assert program is not None
            program.model.metadata_props.update(described(part))
            program.save(str(path), external_data=False)

    def opened(self, path: Path, allowed: Sequence[str]) -> list[Run]:
        """The graph in a session of onnxruntime on the processor."""
        runtime = import_extra("onnxruntime", "onnxruntime", "this export", install="'genzoo[export]'")
        session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        names = [entry.name for entry in session.get_inputs()]

        def run(*inputs: Tensor) -> Tensor:
            arrays = (values.numpy() for values in inputs)
            return torch.from_numpy(session.run(None, dict(zip(names, arrays, strict=True)))[0])

        return [run]


FORMATS: Mapping[str, Format] = dict(
    zip(FORMAT_NAMES, (OnnxFormat(), SafetensorsFormat(), TorchExportFormat()), strict=True)
)


def dynamic(part: Part) -> tuple[dict[int, Any], ...]:
    """The dimensions of inputs that are left open: the first of each, all of one size."""
    return len(part.input_names) * ({0: BATCH},)


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps exporters from telling how they go about it: what they fail on they raise."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
