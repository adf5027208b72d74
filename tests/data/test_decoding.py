import os
import struct
import subprocess
import zlib
from io import BytesIO

import numpy as np
import PIL
import pytest
from packaging.version import Version
from PIL import EpsImagePlugin, ExifTags, Image, ImageCms

from genzoo.data.decoding import open_image, read_image


@pytest.fixture
def saved(tmp_path):
    """Saves a Pillow image losslessly and reads it back through `read_image`."""

    def save_and_read(image, name="image.png", size=8, channels=3, **settings):
        image.save(tmp_path / name, **settings)
        return read_image(tmp_path / name, size, channels)

    return save_and_read


def colour_of(pixels):
    assert (pixels == pixels[:, :1, :1]).all()
    return pixels[:, 0, 0].tolist()


def gradient(dtype=np.uint8, top=255):
    return np.linspace(0, top, 64).round().reshape(8, 8).astype(dtype)


def palette_with_transparency():
    image = Image.new("P", (8, 8), 1)
    image.putpalette([10, 20, 30, 40, 50, 60])
    return image


@pytest.mark.parametrize(
    ("image", "settings", "colour"),
    [
        (Image.new("L", (8, 8), 70), {}, [70, 70, 70]),
        (Image.new("1", (8, 8), 1), {}, [255, 255, 255]),
        (Image.new("RGB", (8, 8), (10, 20, 30)), {}, [10, 20, 30]),
        (Image.new("RGBA", (8, 8), (10, 20, 30, 255)), {}, [10, 20, 30]),
        (Image.new("RGBA", (8, 8), (10, 20, 30, 0)), {}, [255, 255, 255]),
        (Image.new("RGBA", (8, 8), (55, 155, 255, 51)), {}, [215, 235, 255]),
        (Image.new("LA", (8, 8), (55, 51)), {}, [215, 215, 215]),
        (palette_with_transparency(), {}, [40, 50, 60]),
        (palette_with_transparency(), {"transparency": 1}, [255, 255, 255]),
        (palette_with_transparency(), {"transparency": bytes([255, 0])}, [255, 255, 255]),
        (Image.new("L", (8, 8), 70), {"transparency": 70}, [255, 255, 255]),
        (Image.new("RGB", (8, 8), (1, 2, 3)), {"transparency": (1, 2, 3)}, [255, 255, 255]),
    ],
)
def test_every_mode_becomes_colour(saved, image, settings, colour):
    pixels = saved(image, **settings)
    assert pixels.shape == (3, 8, 8)
    assert pixels.dtype == np.uint8
    assert colour_of(pixels) == colour


def test_cmyk(saved):
    assert colour_of(saved(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), "image.tif")) == [0, 255, 255]


def test_colour_becomes_grey(saved):
    pixels = saved(Image.new("RGB", (8, 8), (255, 0, 0)), channels=1)
    assert pixels.shape == (1, 8, 8)
    assert colour_of(pixels) == [76]


@pytest.mark.parametrize("name", ["image.png", "image.tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_are_scaled_to_eight(saved, name, channels):
    pixels = saved(Image.fromarray(gradient(np.uint16, 65535)), name, channels=channels)
    assert np.array_equal(pixels, np.broadcast_to(gradient(), (channels, 8, 8)))


def test_pixels_of_the_right_size_stay_as_they_are(saved):
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    assert np.array_equal(saved(Image.fromarray(noise)), noise.transpose(2, 0, 1))


@pytest.mark.parametrize("shape", [(8, 24), (24, 8), (16, 48), (48, 16), (4, 12)])
def test_the_middle_of_the_longer_side_is_kept(saved, shape):
    longer = int(np.argmax(shape))
    thirds = np.repeat([0, 100, 255], max(shape) // 3).astype(np.uint8)
    picture = np.broadcast_to(thirds if longer == 1 else thirds[:, None], shape)
    pixels = saved(Image.fromarray(np.ascontiguousarray(picture)), channels=1)
    assert pixels.shape == (1, 8, 8)
    middle = pixels[0, 2:6, 2:6]
    assert (np.abs(middle.astype(int) - 100) <= 12).all()


def test_shrinking_does_not_alias(saved):
    stripes = np.tile(np.array([0, 255], np.uint8), (64, 32))
    assert np.abs(saved(Image.fromarray(stripes), channels=1).astype(int) - 128).max() <= 8


def test_the_orientation_of_the_camera_is_honoured(saved):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    turned = np.rot90(gradient(), -1)
    assert np.array_equal(saved(Image.fromarray(gradient()), channels=1, exif=exif)[0], turned)


@pytest.mark.parametrize(
    "spoil", [lambda content: content[:60], lambda content: b"", lambda content: b"text", lambda c: c[:40] + c[60:]]
)
def test_a_broken_file_is_named(tmp_path, spoil):
    path = tmp_path / "broken.png"
    Image.fromarray(gradient()).save(path)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ValueError, match=r"broken\.png cannot be read as an image .*; repair or remove it"):
        read_image(path, 8, 3)


def png(depth, colour_type, row, transparent=b""):
    """A PNG file of one row, as the bytes of the file; Pillow does not write all that the format allows."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    channels = {0: 1, 2: 3, 4: 2}[colour_type]
    header = struct.pack(">IIBBBBB", 8 * len(row) // (depth * channels), 1, depth, colour_type, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" + row)), (b"IEND", b"")]
    if transparent:
        chunks.insert(1, (b"tRNS", transparent))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*named) for named in chunks)


def tiff(width, data, **tags):
    """An uncompressed grey TIFF file of one row, as the bytes of the file."""
    values = {"ImageWidth": width, "ImageLength": 1, "BitsPerSample": 8, "Compression": 1, "SamplesPerPixel": 1}
    values |= {"PhotometricInterpretation": 1, "StripOffsets": 200, "StripByteCounts": len(data), **tags}
    entries = sorted((ExifTags.Base[name].value, value) for name, value in values.items())
    directory = b"".join(struct.pack("<HHIHH", tag, 3, 1, value, 0) for tag, value in entries)
    return (b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + directory + bytes(4)).ljust(200, b"\0") + data


WIDE = struct.pack("<4H", 0, 1000, 30_000, 65_535)


@pytest.mark.parametrize(
    ("content", "grey"),
    [
        pytest.param(png(16, 0, struct.pack(">2H", 0, 65_535)), [0, 255], id="16 bits"),
        pytest.param(png(16, 0, struct.pack(">2H", 256, 257), b"\1\1"), [1, 255], id="16 bits, one transparent"),
        pytest.param(png(16, 4, struct.pack(">4H", 514, 65_535, 514, 0)), [2, 255], id="16 bits with alpha"),
        pytest.param(png(8, 0, bytes([5, 6]), b"\0\5"), [255, 6], id="8 bits, one transparent"),
        pytest.param(png(4, 0, b"\x56", b"\0\5"), [255, 6 * 17], id="4 bits, one transparent"),
        pytest.param(png(2, 0, b"\x1b", b"\0\1"), [0, 255, 170, 255], id="2 bits, one transparent"),
        pytest.param(png(1, 0, b"\xf0", b"\0\0"), [255] * 8, id="1 bit, black transparent"),
        pytest.param(tiff(4, WIDE, BitsPerSample=16), [0, 4, 117, 255], id="TIFF of 16 bits"),
        pytest.param(
            tiff(4, WIDE, BitsPerSample=16, PhotometricInterpretation=0), [255, 251, 138, 0], id="TIFF with white at 0"
        ),
        pytest.param(
            tiff(4, bytes([0xFF, 0xF0, 0, 0x80, 1, 0]), BitsPerSample=12), [255, 0, 128, 16], id="TIFF of 12 bits"
        ),
        pytest.param(
            tiff(2, bytes([50, 100, 100, 100]), SamplesPerPixel=2, ExtraSamples=1),
            [205, 255],
            id="multiplied by alpha",
            marks=pytest.mark.skipif(Version(PIL.__version__) < Version("13"), reason="this Pillow cannot open it"),
        ),
        pytest.param(tiff(2, bytes([50, 100, 100, 100]), SamplesPerPixel=2, ExtraSamples=2), [175, 194], id="alpha"),
        pytest.param(b"P5 3 1 1023\n" + struct.pack(">3H", 0, 512, 1023), [0, 128, 255], id="PGM of 10 bits"),
    ],
)
def test_ranges_and_transparency_are_those_of_the_file(content, grey):
    pixels = np.asarray(open_image("image", channels=1, content=BytesIO(content)))
    assert pixels[0].tolist() == grey


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (tiff(2, struct.pack("<2i", 0, 255), BitsPerSample=32, SampleFormat=2), "signed pixels have no agreed range"),
        (tiff(2, struct.pack("<2I", 0, 255), BitsPerSample=32), "integer pixels like these have no agreed range"),
        (tiff(2, struct.pack("<2h", -1, 1), BitsPerSample=16, SampleFormat=2), "signed pixels have no agreed range"),
        (tiff(2, struct.pack("<2b", -1, 1), SampleFormat=2), "signed pixels have no agreed range"),
        (tiff(2, struct.pack("<2f", 0, 1), BitsPerSample=32, SampleFormat=3), "floating-point pixels have no agreed"),
        (png(16, 2, bytes(6), bytes(6)), "of colours with 16 bits it cannot be told"),
    ],
    ids=["signed 32", "32", "signed 16", "signed 8", "float", "16-bit colours, one transparent"],
)
def test_pixels_whose_range_is_not_known_are_refused(content, message):
    with pytest.raises(ValueError, match=f"image cannot be read as an image .*{message}"):
        open_image("image", channels=1, content=BytesIO(content))


@pytest.mark.parametrize("channels", [1, 3])
def test_lab_colours(saved, channels):
    red = Image.new("RGB", (8, 8), (200, 30, 60))
    lab = ImageCms.profileToProfile(
        red, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    expected = [200, 30, 60] if channels == 3 else [84]
    assert np.abs(np.subtract(colour_of(saved(lab, "image.tif", channels=channels)), expected)).max() <= 2


@pytest.mark.parametrize("name", ["image.tif", "image.png"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_images_that_are_not_square(tmp_path, name, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    pixels = np.arange(8, dtype=np.uint8).reshape(2, 4)
    Image.fromarray(pixels).save(tmp_path / name, exif=exif)
    mirrored = pixels[:, ::-1] if orientation in (2, 4, 5, 7) else pixels
    turns = {1: 0, 2: 0, 3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}[orientation]
    assert np.array_equal(np.asarray(open_image(tmp_path / name, channels=1)), np.rot90(mirrored, turns))


@pytest.mark.parametrize("content", [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n"])
@pytest.mark.parametrize("name", ["image.png", "image.eps"])
def test_postscript_is_never_opened(tmp_path, monkeypatch, name, content):
    monkeypatch.setattr(subprocess, "check_call", lambda *a, **k: pytest.fail("a program was started"))
    monkeypatch.setattr(EpsImagePlugin, "has_ghostscript", lambda: True)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{name} cannot be read as an image .*its content is of none of the formats"):
        read_image(tmp_path / name, 8, 3)


def test_a_named_pipe_is_no_image(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ValueError, match=r"pipe\.png cannot be read as an image \(it is no regular file\)"):
        read_image(tmp_path / "pipe.png", 8, 3)


def test_images_too_large_to_be_safe_are_named(saved, monkeypatch, caplog):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40)
    assert saved(Image.new("L", (8, 8), 70), channels=1).shape == (1, 8, 8)
    assert "image.png has 8 x 8 pixels; decoding it takes much memory" in caplog.text
    with pytest.raises(ValueError, match=r"image\.png cannot be read as an image \(it has more pixels than .* smaller"):
        saved(Image.new("L", (9, 9)))


def test_floating_point_pixels_are_refused(saved):
    with pytest.raises(ValueError, match="floating-point pixels have no agreed range"):
        saved(Image.fromarray(gradient(np.float32, 1)), "image.tif")
