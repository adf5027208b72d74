"""From an image file of any kind to a square of bytes."""

from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps


def read_image(path: Path | str, size: int, channels: int, content: BinaryIO | None = None) -> NDArray[np.uint8]:
    """Reads an image file as a square: the shorter side resized to ``size``, the middle of the longer one.

    The camera's orientation is honoured, transparent parts become white, and 16 bits are scaled to 8.

    Args:
        path: File in any format that Pillow reads; of several frames, the first counts.
        size: Height and width of the result in pixels.
        channels: 1 for grey, 3 for colour.
        content: Where the file does not lie on its own: its bytes; the path then only names it in errors.

    Returns:
        ``(channels, size, size)``, uint8.

    Raises:
        ValueError: If the file cannot be read as an image.
    """
    try:
        with Image.open(content or path) as opened:
            image = _eight_bits(ImageOps.exif_transpose(opened))
        image = _on_white(image).convert("L" if channels == 1 else "RGB")
        pixels = np.asarray(ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS))
    # Pillow's decoders raise almost anything on broken files: OSError, SyntaxError, struct.error, ...
    except Exception as error:
        raise ValueError(f"{path} cannot be read as an image ({error}); repair or remove it") from error
    planes: NDArray[np.uint8] = np.moveaxis(pixels.reshape(size, size, channels), -1, 0)
    return planes


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scales 16-bit grey, which Pillow's own conversion would merely clip."""
    if image.mode == "F":
        raise ValueError("floating-point pixels have no agreed range; save it with 8 or 16 bits")
    if not image.mode.startswith("I"):
        return image
    wide = np.asarray(image).astype(np.float64)
    return Image.fromarray((wide / 257.0).round().clip(0, 255).astype(np.uint8))


def _on_white(image: Image.Image) -> Image.Image:
    """Lays an image with transparency, whatever form that has, over white."""
    if "transparency" not in image.info and not image.mode.lower().endswith("a"):
        return image
    transparent = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", transparent.size, "white"), transparent)
