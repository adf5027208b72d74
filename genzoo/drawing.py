"""Pictures of images and of points: laid out, and written."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from genzoo.files import whole_file
from genzoo.spec import DataSpec, to_native, to_uint8

Picture = NDArray[np.uint8]
LINE = 2
# Small images are enlarged by whole numbers until a side has so many pixels: on screens of today 28 are few.
SHOWN_SIZE = 48
TEXT, MARGIN = 13, 6


def grid(images: Tensor, spec: DataSpec, columns: int) -> np.ndarray:
    """Lays images out in rows, in native size.

    Args:
        images: ``(N, C, H, W)`` in [-1, 1], as a model gives them.
        spec: The model's data spec.
        columns: Images in a row.

    Returns:
        uint8, ``(height, width, 3)``.
    """
    return tiled(to_uint8(to_native(images.detach().cpu(), spec)), columns)


def in_pairs(given: Tensor, made: Tensor, spec: DataSpec, columns: int) -> np.ndarray:
    """Lays out rows of what a model was given, and below each of them a row of what it made of it.

    Args:
        given: Images ``(N, C, H, W)`` in [-1, 1]; a last row that is not full is left out.
        made: As many, of the same size; grey ones are drawn in colour beside others in colour.
        spec: The model's data spec.
        columns: Images in a row.

    Returns:
        uint8, ``(height, width, 3)``.
    """
    channels = max(given.shape[1], made.shape[1])
    # A last row that is not full would shift all others.
    number = len(given) // columns * columns or len(given)
    alike = [images[:number].cpu().expand(-1, channels, -1, -1) for images in (given, made)]
    rows = zip(*(torch.split(images, columns) for images in alike), strict=True)
    return grid(torch.cat([row for pair in rows for row in pair]), spec, min(columns, number))


def tiled(images: Tensor, columns: int) -> np.ndarray:
    """Lays images out in rows, with white lines of 2 pixels between and around them.

    As torchvision's ``make_grid`` does, without which samples can be drawn so.

    Args:
        images: ``(N, C, H, W)``, uint8, grey or in colour.
        columns: Images in a row.

    Returns:
        uint8, ``(height, width, 3)``; a single image as it is, without lines.
    """
    pixels: np.ndarray = images.permute(0, 2, 3, 1).expand(-1, -1, -1, 3).numpy()
    if len(pixels) == 1:
        return np.array(pixels[0])
    number, height, width = pixels.shape[:3]
    columns = min(columns, number)
    rows = -(-number // columns)
    picture = np.full((rows * (height + LINE) + LINE, columns * (width + LINE) + LINE, 3), 255, np.uint8)
    for place, image in enumerate(pixels):
        top, left = LINE + place // columns * (height + LINE), LINE + place % columns * (width + LINE)
        picture[top : top + height, left : left + width] = image
    return picture


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


def captioned(picture: Picture, caption: str) -> Picture:
    """A picture with a line of text above its middle."""
    font = ImageFont.load_default(TEXT)
    width = max(picture.shape[1], round(font.getlength(caption)) + MARGIN)
    image = Image.new("RGB", (width, picture.shape[0] + TEXT + MARGIN), "white")
    ImageDraw.Draw(image).text((width / 2, TEXT / 2 + 1), caption, "black", font, anchor="mm")
    image.paste(Image.fromarray(picture), ((width - picture.shape[1]) // 2, TEXT + MARGIN))
    return np.array(image)


def scatter(points: Tensor, limit: float, size: int = 300) -> np.ndarray:
    """Draws points of the plane, darker where there are more.

    Args:
        points: ``(N, D)``, of which the first two coordinates are drawn.
        limit: The picture shows [-limit, limit] in both directions; what lies outside is left out.
        size: Height and width of the picture in pixels.

    Returns:
        uint8, ``(size, size, 3)``.
    """
    x, y = points.detach().cpu().float()[:, :2].T.numpy()
    # Rows of a picture run downwards, y upwards.
    counts, _, _ = np.histogram2d(-y, x, bins=size, range=[[-limit, limit], [-limit, limit]])
    # A single point makes its pixel dark, 1/e of white, and further ones little darker: outliers can be seen.
    grey = (255 * np.exp(-counts)).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def save_picture(path: Path, picture: np.ndarray) -> None:
    """Writes a picture as PNG; the file is either whole or not there.

    Args:
        path: Where to; its folder is made if need be.
        picture: uint8, ``(height, width, 3)``.

    Raises:
        OSError: If it cannot be written.
    """
    with whole_file(path) as unfinished:
        unfinished.write_bytes(png(picture))


def png(picture: np.ndarray) -> bytes:
    """A picture, uint8, ``(height, width, 3)``, as the bytes of a PNG file."""
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG")
    return buffer.getvalue()


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
