"""Pictures of images and of points: laid out, written, and handed to loggers."""

from pathlib import Path

import numpy as np
from lightning.pytorch.loggers import Logger, TensorBoardLogger
from PIL import Image
from torch import Tensor
from torchvision.utils import make_grid

from genzoo.files import whole_file
from genzoo.spec import DataSpec, to_native, to_uint8


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


def tiled(images: Tensor, columns: int) -> np.ndarray:
    """Lays images ``(N, C, H, W)``, uint8, out in rows: uint8, ``(height, width, 3)``."""
    picture: np.ndarray = make_grid(images, nrow=columns, padding=2, pad_value=255).permute(1, 2, 0).numpy()
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
        Image.fromarray(picture).save(unfinished, format="PNG")


def log_picture(logger: Logger, name: str, picture: np.ndarray, step: int) -> None:
    """Hands a picture to a logger, if it is one that takes pictures.

    Args:
        logger: Any of Lightning's loggers.
        name: What the picture is called there.
        picture: uint8, ``(height, width, 3)``; passed on exactly as it is.
        step: The step that scalars of the same moment carry.
    """
    if hasattr(logger, "log_image"):
        logger.log_image(key=name, images=[picture], step=step)
    elif isinstance(logger, TensorBoardLogger):
        logger.experiment.add_image(name, picture, step, dataformats="HWC")
