import numpy as np
import pytest
from PIL import Image

from genzoo.data.decoding import read_image


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


def test_floating_point_pixels_are_refused(saved):
    with pytest.raises(ValueError, match="floating-point pixels have no agreed range"):
        saved(Image.fromarray(gradient(np.float32, 1)), "image.tif")
