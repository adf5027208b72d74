"""From an image file of any kind to bytes: all that opens images does it here."""

import functools
import logging
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, TiffImagePlugin, UnidentifiedImageError

# The raster formats that Pillow decodes by itself. Others start a program (EPS), open whatever they contain (IPTC) or
# are only identified (BUFR, GRIB, HDF5, MPEG, WMF). A file's name does not count, so that these must not be tried.
FORMATS = {
    *("AVIF", "BLP", "BMP", "CUR", "DCX", "DDS", "DIB", "FITS", "FLI", "FTEX", "GBR", "GIF", "ICNS", "ICO", "IM"),
    *("IMT", "JPEG", "JPEG2000", "MCIDAS", "MSP", "PCD", "PCX", "PIXAR", "PNG", "PPM", "PSD", "QOI", "SGI", "SPIDER"),
    *("SUN", "TGA", "TIFF", "WEBP", "XBM", "XPM", "XVTHUMB"),
}
# Photographs of several views: a JPEG to begin with.
ENDINGS_OF_FORMATS = FORMATS | {"MPO"}

# In these, 16 bits of grey are unsigned and Pillow brings fewer bits to 16.
FORMATS_OF_FULL_RANGE = ("PNG", "PPM", "JPEG2000")
# Values of the tags SampleFormat and PhotometricInterpretation in TIFF 6.0.
UNSIGNED = 1
BLACK_IS_ZERO = 1

logger = logging.getLogger(__name__)

# `open_image` warns of such images itself, with the name of the file.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


@functools.cache
def image_endings() -> frozenset[str]:
    """The endings of names of image files, in lower case and with their dot."""
    return frozenset(ending for ending, name in Image.registered_extensions().items() if name in ENDINGS_OF_FORMATS)


def read_image(path: Path | str, size: int, channels: int, content: BinaryIO | None = None) -> NDArray[np.uint8]:
    """Reads an image file as a square: the shorter side resized to ``size``, the middle of the longer one.

    Args:
        path: As for `open_image`.
        size: Height and width of the result in pixels.
        channels: 1 for grey, 3 for colour.
        content: As for `open_image`.

    Returns:
        ``(channels, size, size)``, uint8.

    Raises:
        ValueError: If the file cannot be read as an image.
    """
    return planes_of(ImageOps.fit(open_image(path, channels, content), (size, size), Image.Resampling.LANCZOS))


def planes_of(image: Image.Image) -> NDArray[np.uint8]:
    """The pixels of a grey or colour image, ``(channels, height, width)``, uint8."""
    planes: NDArray[np.uint8] = np.moveaxis(np.atleast_3d(np.asarray(image)), -1, 0)
    return planes


def open_image(path: Path | str, channels: int, content: BinaryIO | None = None) -> Image.Image:
    """Reads an image file in its own size, with 8 bits for each channel.

    The camera's orientation is honoured, transparent parts become white, and 16 bits are scaled to 8.

    Args:
        path: Regular file in any raster format that Pillow decodes by itself; of several frames, the first counts.
        channels: 1 for grey, 3 for colour.
        content: Where the file does not lie on its own: its bytes; the path then only names it in errors.

    Raises:
        ValueError: If the file cannot be read as an image, or the range of its values is not known; names it.
    """
    try:
        # Given a path, Pillow maps some TIFF files into memory, and mixes up pixels of those that lie on their side.
        with content or _regular_file(Path(path)) as file, Image.open(file, formats=_known_formats()) as opened:
            if opened.width * opened.height > (Image.MAX_IMAGE_PIXELS or float("inf")):
                logger.warning("%s has %d x %d pixels; decoding it takes much memory", path, *opened.size)
            packing = _packing(opened)
            ImageOps.exif_transpose(opened, in_place=True)
            image = _on_white(_eight_bits(opened, packing))
        if image.mode == "LAB":
            image = image.convert("RGB")
        return image.convert("L" if channels == 1 else "RGB")
    except Image.DecompressionBombError as error:
        raise ValueError(
            f"{path} cannot be read as an image (it has more pixels than Pillow takes for safe: {error}); make it "
            "smaller or remove it"
        ) from error
    except UnidentifiedImageError as error:
        raise ValueError(
            f"{path} cannot be read as an image (its content is of none of the formats {', '.join(_known_formats())}); "
            "repair or remove it"
        ) from error
    # Pillow's decoders raise almost anything on broken files: OSError, SyntaxError, struct.error, ...
    except Exception as error:
        raise ValueError(f"{path} cannot be read as an image ({error}); repair or remove it") from error


@functools.cache
def _known_formats() -> tuple[str, ...]:
    """Those of the formats that this Pillow has, in the order in which it tries them."""
    Image.init()
    return tuple(name for name in Image.ID if name in FORMATS)


def _regular_file(path: Path) -> BinaryIO:
    """Opens a file that can be read to its end, unlike a named pipe."""
    if path.is_symlink() and not path.exists():
        raise ValueError(f"it is a link to {path.readlink()}, where nothing is")
    if path.exists() and not path.is_file():
        raise ValueError("it is no regular file")
    return path.open("rb")


def _packing(opened: Image.Image) -> str:
    """How the file packs its pixels, such as ``L;4`` or ``RGB;16B``; to be asked before they are loaded."""
    return next((str(tile[3]) for tile in getattr(opened, "tile", ())), "")


def _eight_bits(image: Image.Image, packing: str) -> Image.Image:
    """Scales wide grey, which Pillow's own conversion would merely clip; a transparent colour follows the pixels."""
    if image.mode == "F":
        raise ValueError("floating-point pixels have no agreed range; save it with 8 or 16 bits")
    if _tiff_tag(image, ExifTags.Base.SampleFormat, UNSIGNED) != UNSIGNED:
        raise ValueError("signed pixels have no agreed range; save it with 8 or 16 bits, unsigned")
    transparent = image.info.get("transparency")
    if image.mode.startswith("I"):
        wide = np.asarray(image).astype(np.float64)
        grey = (wide / (_highest(image) / 255.0)).round().clip(0, 255).astype(np.uint8)
        # Pillow inverts these where they have 8 bits, but not where they have 16.
        white_is_zero = _tiff_tag(image, ExifTags.Base.PhotometricInterpretation, BLACK_IS_ZERO) != BLACK_IS_ZERO
        narrow = Image.fromarray(255 - grey if white_is_zero else grey)
        if transparent is not None:
            narrow.putalpha(Image.fromarray(np.where(wide == transparent, 0, 255).astype(np.uint8)))
        return narrow
    if transparent is not None and packing == "RGB;16B":
        raise ValueError(
            "of colours with 16 bits it cannot be told which is transparent; save it with an alpha channel"
        )
    # Pillow scales grey of 2 and 4 bits to 8, but leaves the transparent value as the file has it.
    if transparent is not None and packing in ("L;2", "L;4"):
        image.info["transparency"] = transparent * 255 // (2 ** int(packing[-1]) - 1)
    return image


def _highest(image: Image.Image) -> int:
    """The value of white in an image of wide integers."""
    if image.format in FORMATS_OF_FULL_RANGE:
        return 65535
    bits = _tiff_tag(image, ExifTags.Base.BitsPerSample, 32)
    if bits > 16:
        raise ValueError("integer pixels like these have no agreed range; save it with 8 or 16 bits, as PNG or TIFF")
    return int(2**bits - 1)


def _tiff_tag(image: Image.Image, tag: int, default: int) -> int:
    """The value of a tag for the first channel; the default for other formats too."""
    values = image.tag_v2.get(tag, default) if isinstance(image, TiffImagePlugin.TiffImageFile) else default
    return int(values[0] if isinstance(values, tuple) else values)


def _on_white(image: Image.Image) -> Image.Image:
    """Lays an image with transparency, whatever form that has, over white."""
    if "transparency" not in image.info and not image.mode.lower().endswith("a"):
        return image
    # Pillow has no direct way from grey that is multiplied by its alpha.
    straight = image.convert("LA") if image.mode == "La" else image
    transparent = straight.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", transparent.size, "white"), transparent)
