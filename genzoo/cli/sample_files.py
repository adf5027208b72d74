"""The forms in which samples are written: one picture, a folder of pictures, or an archive of arrays.

Each takes samples block by block as they are drawn, so that memory does not grow with their number (but for the one
picture, whose size is bounded).
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np
import torch
from numpy.lib import format as npy
from numpy.typing import NDArray
from PIL import Image

from genzoo.drawing import LINE, save_picture, tiled
from genzoo.files import whole_file, whole_folder
from genzoo.sampling.images import Images, Samples, as_samples
from genzoo.spec import DataSpec, is_image

# More would not open in many viewers, and Pillow warns of pictures of 90 million.
MOST_PIXELS = 50_000_000
MOST_POINTS = 1_000_000


@dataclass(frozen=True)
class Series:
    """So many samples of a model, to be drawn.

    Args:
        spec: Of the samples.
        number: How many there are.
        labels: ``(number,)``, int64, the class of each; None where samples have none.
    """

    spec: DataSpec
    number: int
    labels: NDArray[np.int64] | None = None

    @property
    def is_image(self) -> bool:
        """Whether they are images rather than points."""
        return is_image(self.spec["shape"])

    @property
    def item_shape(self) -> tuple[int, ...]:
        """Of one sample as it is written: ``(H, W, C)`` in native size, or ``(D,)``."""
        shape = self.spec["shape"]
        if not self.is_image:
            return tuple(shape)
        size = self.spec.get("native_size", shape[-1])
        return (size, size, shape[0])

    @property
    def columns(self) -> int:
        """Of a grid, which is about square; classes that come in turn stand below each other, if they fit a row."""
        square = math.ceil(math.sqrt(self.number))
        kinds = 1 if self.labels is None else np.count_nonzero(np.bincount(self.labels))
        return min(self.number, math.ceil(square / kinds) * kinds) if kinds <= 2 * square else square


def as_written(samples: Samples) -> NDArray[Any]:
    """Samples as files hold them: images uint8 ``(N, H, W, C)`` in native size, points float32 ``(N, D)``."""
    return samples.bytes() if isinstance(samples, Images) else samples.float().cpu().numpy()


class SampleFile(ABC):
    """A form of samples."""

    def misfit(self, series: Series) -> str | None:
        """Why these samples cannot be written in this form, and what to do; None if they can."""
        return None

    @abstractmethod
    def write(self, place: Path, series: Series, blocks: Iterable[NDArray[Any]]) -> None:
        """Writes samples, all of them or nothing.

        Args:
            place: File or folder, which takes the place of what was there before.
            series: What they are.
            blocks: The samples in their order, each block ``(n, *item_shape)``: images uint8, points float32.

        Raises:
            OSError: If they cannot be written.
        """


class Picture(SampleFile):
    """One PNG: images in rows, or points of the plane, darker where there are more."""

    def misfit(self, series: Series) -> str | None:
        """Too many for one picture, or such as make none."""
        if not series.is_image:
            if series.item_shape[0] < 2:
                return "points of one coordinate make no picture; write them to an array, --out samples.npz"
            if series.number > MOST_POINTS:
                return (
                    f"a picture shows at most {MOST_POINTS} points; ask for fewer, or write all {series.number} to an "
                    "array, --out samples.npz"
                )
            return None
        if reason := _no_pictures(series):
            return reason
        size = series.item_shape[0] + LINE
        if series.number * size**2 > MOST_PIXELS:
            return (
                f"one picture of {series.number} images of {series.item_shape[0]} pixels would be too large to be "
                f"looked at; ask for at most {MOST_PIXELS // size**2}, or write all to a folder, --out samples/, or "
                "to an array, --out samples.npz"
            )
        return None

    def write(self, place: Path, series: Series, blocks: Iterable[NDArray[Any]]) -> None:
        """Draws the picture once all samples are there."""
        samples = torch.from_numpy(np.concatenate(list(blocks)))
        if series.is_image:
            picture = tiled(samples.permute(0, 3, 1, 2), series.columns)
        else:
            picture = as_samples(samples, series.spec).picture()
        save_picture(place, picture)


class Folder(SampleFile):
    """A folder of PNGs, ``000000.png`` and so on, in the order of the samples."""

    def misfit(self, series: Series) -> str | None:
        """Points, and images of other channels than PNGs have."""
        if not series.is_image:
            return (
                "this model makes points, which have no pictures of their own; write all to one array, "
                "--out samples.npz, or draw them into one picture, --out samples.png"
            )
        return _no_pictures(series)

    def write(self, place: Path, series: Series, blocks: Iterable[NDArray[Any]]) -> None:
        """Writes one file after the other, into a folder that gets its name once it is whole."""
        digits = max(6, len(str(series.number - 1)))
        index = 0
        with whole_folder(place) as unfinished:
            for image in (image for block in blocks for image in block):
                # Grey images have no last dimension in Pillow.
                Image.fromarray(image.squeeze(2) if image.shape[2] == 1 else image).save(
                    unfinished / f"{index:0{digits}d}.png"
                )
                index += 1


class Arrays(SampleFile):
    """An archive of NumPy's, as ``numpy.load`` reads it.

    ``images`` uint8 ``(N, H, W, C)`` in native size, or ``points`` float32 ``(N, D)``, and ``labels`` int64 ``(N,)``
    where samples have classes. They are stored as they are: compression would save about a third of the room, and take
    about a third as long as a network of perceptrons takes to draw them.
    """

    def write(self, place: Path, series: Series, blocks: Iterable[NDArray[Any]]) -> None:
        """Writes one block after the other, behind a header that says how many there will be."""
        name, kind = ("images", np.uint8) if series.is_image else ("points", np.float32)
        with whole_file(place) as unfinished, ZipFile(unfinished, "w") as archive:
            with _member(archive, name) as file:
                _write_header(file, (series.number, *series.item_shape), np.dtype(kind))
                for block in blocks:
                    file.write(np.ascontiguousarray(block, kind).data)
            if series.labels is not None:
                with _member(archive, "labels") as file:
                    _write_header(file, series.labels.shape, series.labels.dtype)
                    file.write(series.labels.data)


def _no_pictures(series: Series) -> str | None:
    """Why images make no PNG; None if they do."""
    channels = series.item_shape[2]
    if channels in (1, 3):
        return None
    return (
        f"pictures have 1 or 3 channels, but the images of this model have {channels}; write them to an array, "
        "--out samples.npz"
    )


def _member(archive: ZipFile, name: str) -> IO[bytes]:
    """An array in an archive, to be written bit by bit."""
    # Without a time, so that the same samples give the same bytes tomorrow; zip64 in case that there are 4 GB of them.
    member = ZipInfo(f"{name}.npy")
    member.compress_type = ZIP_STORED
    return archive.open(member, "w", force_zip64=True)


def _write_header(file: IO[bytes], shape: Sequence[int], kind: np.dtype[Any]) -> None:
    """What stands in front of an array in NumPy's files."""
    description = {"descr": npy.dtype_to_descr(kind), "fortran_order": False, "shape": tuple(shape)}
    npy.write_array_header_1_0(file, description)


FORMS: dict[str, type[SampleFile]] = {".png": Picture, ".npz": Arrays, "": Folder}
