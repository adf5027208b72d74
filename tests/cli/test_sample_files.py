"""Samples in each form, written block by block."""

import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from genzoo.cli.sample_files import Arrays, Folder, Picture, Series
from genzoo.drawing import tiled
from genzoo.spec import DataSpec, image_spec
from tests.test_files import no_file_larger_than

FORMS = {"grid.png": Picture(), "folder": Folder(), "arrays.npz": Arrays()}
POINTS = DataSpec(shape=[2])


def images(number, channels=1, size=8):
    return np.random.default_rng(0).integers(0, 256, (number, size, size, channels), np.uint8)


def blocks(samples, length):
    return (samples[start : start + length] for start in range(0, len(samples), length))


@pytest.mark.parametrize("channels", [1, 3])
def test_all_forms_hold_the_same_images(channels, working_folder):
    samples = images(10, channels)
    series = Series(image_spec(channels, 8), 10)
    for name, form in FORMS.items():
        assert form.misfit(series) is None
        form.write(working_folder / name, series, blocks(samples, 4))
    with np.load(working_folder / "arrays.npz") as found:
        assert found.files == ["images"]
        np.testing.assert_array_equal(found["images"], samples)
    names = sorted(path.name for path in (working_folder / "folder").iterdir())
    assert names == [f"{index:06d}.png" for index in range(10)]
    read = [np.asarray(Image.open(working_folder / "folder" / name)).reshape(8, 8, channels) for name in names]
    np.testing.assert_array_equal(read, samples)
    grid = np.asarray(Image.open(working_folder / "grid.png"))
    # Three rows of four, each with a white line of two pixels around it.
    assert grid.shape == (32, 42, 3)
    np.testing.assert_array_equal(grid[12:20, 22:30], np.broadcast_to(samples[6], (8, 8, 3)))
    np.testing.assert_array_equal(grid, tiled(torch.from_numpy(samples).permute(0, 3, 1, 2), columns=4))


def test_an_archive_has_the_same_bytes_whatever_the_blocks_and_the_time(working_folder, monkeypatch):
    samples, labels = images(10), np.arange(10) % 3
    series = Series(image_spec(1, 8), 10, labels)
    for length in (1, 4, 10):
        monkeypatch.setattr("time.localtime", lambda *_, day=length: (2030, 1, day, 0, 0, 0, 0, 0, 0))
        Arrays().write(working_folder / f"{length}.npz", series, blocks(samples, length))
    first, *others = [path.read_bytes() for path in working_folder.iterdir()]
    assert all(other == first for other in others)
    with np.load(working_folder / "1.npz") as found:
        assert found["labels"].dtype == np.int64
        np.testing.assert_array_equal(found["labels"], labels)
    with zipfile.ZipFile(working_folder / "1.npz") as archive:
        assert archive.testzip() is None
        assert {member.compress_type for member in archive.infolist()} == {zipfile.ZIP_STORED}


def test_points_are_an_array_or_a_picture(working_folder):
    points = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    series = Series(POINTS, 50)
    Arrays().write(working_folder / "arrays.npz", series, blocks(points, 16))
    with np.load(working_folder / "arrays.npz") as found:
        assert (found.files, found["points"].dtype) == (["points"], np.float32)
        np.testing.assert_array_equal(found["points"], points)
    Picture().write(working_folder / "scatter.png", series, blocks(points, 16))
    shown = np.asarray(Image.open(working_folder / "scatter.png"))
    # Every point darkens a pixel, and none lies outside.
    assert 45 <= (shown[..., 0] < 255).sum() <= 50


@pytest.mark.parametrize(
    ("number", "labels", "columns"),
    [
        (64, None, 8),
        (10, None, 4),
        (1, None, 1),
        # Where they fit a row, classes in turn stand below each other.
        (64, np.arange(64) % 10, 10),
        (64, np.arange(64) % 3, 9),
        (64, np.zeros(64, np.int64), 8),
        (5, np.arange(5), 5),
        (64, np.arange(64) % 40, 8),
        (3, np.arange(3) % 2, 2),
    ],
)
def test_a_grid_is_about_square(number, labels, columns):
    assert Series(image_spec(1, 8), number, labels).columns == columns


def test_samples_are_written_in_native_size():
    assert Series(image_spec(3, 32, native_size=28), 1).item_shape == (28, 28, 3)
    assert Series(POINTS, 1).item_shape == (2,)


@pytest.mark.parametrize(
    ("form", "series", "expected"),
    [
        (Picture(), Series(image_spec(1, 28), 100_000), "one picture of 100000 images of 28 pixels would be too large"),
        (Picture(), Series(image_spec(1, 256), 1000), "at most 751, or write all to a folder, --out samples/, or to"),
        (Picture(), Series(image_spec(2, 8), 1), "pictures have 1 or 3 channels, but the images of this model have 2"),
        (Folder(), Series(image_spec(4, 8), 1), "pictures have 1 or 3 channels, but the images of this model have 4"),
        (Picture(), Series(POINTS, 2_000_000), "a picture shows at most 1000000 points; ask for fewer"),
        (Picture(), Series(DataSpec(shape=[1]), 1), "points of one coordinate make no picture"),
        (Folder(), Series(POINTS, 1), "this model makes points, which have no pictures of their own"),
    ],
)
def test_what_a_form_cannot_hold_is_told_with_another_form(form, series, expected):
    reason = form.misfit(series)
    assert expected in reason
    assert "--out samples.npz" in reason


@pytest.mark.parametrize("name", FORMS)
def test_what_cannot_be_written_leaves_nothing(name, working_folder):
    samples = images(20, 3, 32)
    with no_file_larger_than(2000), pytest.raises(OSError, match=f"{name} cannot be written"):
        FORMS[name].write(working_folder / name, Series(image_spec(3, 32), 20), blocks(samples, 4))
    assert not list(working_folder.iterdir())


@pytest.mark.parametrize("name", FORMS)
def test_what_stops_halfway_leaves_nothing(name, working_folder):
    def stopped():
        yield images(4)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        FORMS[name].write(working_folder / name, Series(image_spec(1, 8), 20), stopped())
    assert not list(working_folder.iterdir())
