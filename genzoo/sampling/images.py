"""Samples that know what they are: tensors that notebooks show as pictures, and that are saved in one call."""

from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from typing_extensions import Self

from genzoo.drawing import grid, png, save_picture, scatter
from genzoo.spec import DataSpec, is_image, to_native, to_uint8

COLUMNS = 8


class Samples(Tensor):
    """A tensor ``(N, *data_shape)`` and the spec of the data that it is like.

    In every computation it is a tensor like others, and what comes out is a plain one; slices of it stay what it is.

    Attributes:
        spec: The data spec.
    """

    spec: DataSpec

    # Results are plain tensors.
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @abstractmethod
    def picture(self) -> np.ndarray:
        """All of them in one picture: uint8, ``(height, width, 3)``."""

    def save(self, path: str | Path) -> None:
        """Writes the picture of all of them as PNG.

        Args:
            path: Where to; its folder is made if need be.

        Raises:
            OSError: If it cannot be written.
        """
        save_picture(Path(path), self.picture())

    def _repr_png_(self) -> bytes | None:
        """What a notebook shows."""
        return png(self.picture()) if len(self) else None

    def __getitem__(self, places: Any) -> Tensor:
        chosen: Tensor = super().__getitem__(places)
        return as_samples(chosen, self.spec) if chosen.shape[1:] == self.shape[1:] else chosen

    # Copies in other processes and files are plain tensors, which load everywhere.
    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.as_subclass(Tensor).__reduce_ex__(protocol)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        copied = self.detach().clone().as_subclass(type(self))
        copied.spec = self.spec
        return copied


class Images(Samples):
    """Images ``(N, C, H, W)`` in [-1, 1].

    Example:
        >>> import torch
        >>> from genzoo.sampling.images import as_samples
        >>> from genzoo.spec import image_spec
        >>> images = as_samples(torch.zeros(10, 1, 32, 32), image_spec(1, 32, 28))
        >>> images.bytes().shape, images.grid(columns=5).shape, images[:5]._repr_png_()[1:4]
        ((10, 28, 28, 1), (62, 152, 3), b'PNG')
    """

    def bytes(self) -> np.ndarray:
        """What files hold: uint8, ``(N, H, W, C)``, in native size."""
        pixels: np.ndarray = to_uint8(to_native(self.detach().cpu(), self.spec)).permute(0, 2, 3, 1).numpy()
        return pixels

    def grid(self, columns: int = COLUMNS) -> np.ndarray:
        """Lays the images out in rows, in native size: uint8, ``(height, width, 3)``."""
        return grid(self, self.spec, columns)

    def picture(self) -> np.ndarray:
        """The grid of all of them."""
        return self.grid()


class Points(Samples):
    """Points ``(N, D)`` in the units of the data."""

    def picture(self) -> np.ndarray:
        """The plane of the first two coordinates, with a margin around the farthest point."""
        return scatter(self, 1.25 * float(self.abs().max()))


def as_samples(values: Tensor, spec: DataSpec) -> Samples:
    """Values ``(N, *data_shape)`` as samples of their kind, without a copy."""
    samples: Samples = values.as_subclass(Images if is_image(spec["shape"]) else Points)
    samples.spec = spec
    return samples
