"""Pictures of rows of images."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from genzoo.drawing import tiled
from genzoo.spec import DataSpec, to_native, to_uint8

Picture = NDArray[np.uint8]
# Small images are enlarged by whole numbers until a side has so many pixels: on screens of today 28 are few.
SHOWN_SIZE = 48
TEXT = 13


def tiles(images: Tensor, spec: DataSpec, shown_size: int = SHOWN_SIZE) -> Tensor:
    """Images as they are shown: bytes in native size, small ones enlarged.

    Args:
        images: ``(..., C, H, W)`` in [-1, 1].
        spec: The model's data spec.
        shown_size: How many pixels a side has at least.

    Returns:
        ``(..., C, height, width)``, uint8.
    """
    shown = to_uint8(to_native(images.detach().cpu().flatten(0, -4), spec))
    scale = -(-shown_size // shown.shape[-1])
    shown = shown.repeat_interleave(scale, -1).repeat_interleave(scale, -2)
    return shown.reshape(*images.shape[:-3], *shown.shape[1:])


def labelled_rows(images: Tensor, spec: DataSpec, labels: Sequence[str]) -> Picture:
    """Rows of images ``(R, C, *data_shape)`` in [-1, 1], with a label in front of each."""
    shown = tiles(images, spec)
    return beside([_column_of(labels, shown.shape[-2]), tiled(shown.flatten(0, 1), shown.shape[1])])


def without_gaps(images: Tensor, spec: DataSpec) -> Picture:
    """Rows of images ``(R, C, *data_shape)`` in [-1, 1] as one picture, each in native size."""
    shown = tiles(images, spec, shown_size=1)
    rows, columns, channels, height, width = shown.shape
    picture = shown.permute(0, 3, 1, 4, 2).reshape(rows * height, columns * width, channels)
    return np.array(picture.expand(-1, -1, 3).numpy())


def beside(pictures: Sequence[Picture]) -> Picture:
    """Pictures side by side, their tops at one height."""
    height = max(picture.shape[0] for picture in pictures)
    rests = [height - picture.shape[0] for picture in pictures]
    padded = [np.pad(p, ((0, r), (0, 0), (0, 0)), constant_values=255) for p, r in zip(pictures, rests, strict=True)]
    return np.concatenate(padded, axis=1)


def _column_of(labels: Sequence[str], tile_height: int) -> Picture:
    """Labels one below the other, each half way up the row of tiles that it stands for."""
    font = ImageFont.load_default(TEXT)
    width = max((round(font.getlength(label)) for label in labels), default=0)
    # The lines between tiles are 2 pixels wide.
    image = Image.new("RGB", (width + 10, len(labels) * (tile_height + 2) + 2), "white")
    draw = ImageDraw.Draw(image)
    for row, label in enumerate(labels):
        draw.text((width + 5, 2 + row * (tile_height + 2) + tile_height / 2), label, "black", font, anchor="rm")
    return np.array(image)
