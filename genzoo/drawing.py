"""Pictures of images and of points: laid out, and written."""

from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from genzoo.files import whole_file
from genzoo.spec import DataSpec, to_native, to_uint8

LINE = 2


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
