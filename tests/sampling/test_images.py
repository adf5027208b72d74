"""Samples are tensors that know how they look."""

import copy
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from genzoo.drawing import grid
from genzoo.sampling.images import Images, Points, as_samples
from genzoo.spec import image_spec, to_float

SPEC = image_spec(3, 32, 28)


@pytest.fixture
def pixels():
    return torch.randint(0, 256, (10, 3, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def images(pixels):
    return as_samples(torch.nn.functional.pad(to_float(pixels), [2] * 4), SPEC)


@pytest.fixture
def points():
    return as_samples(torch.tensor([[1.0, 0.0], [0.0, 2.0]]), {"shape": [2]})


def test_bytes_are_the_pixels_in_native_size(images, pixels):
    assert images.bytes().dtype == np.uint8
    assert np.array_equal(images.bytes(), pixels.permute(0, 2, 3, 1).numpy())


def test_a_notebook_gets_the_grid(images):
    shown = np.asarray(Image.open(BytesIO(images._repr_png_())))
    assert np.array_equal(shown, grid(images, SPEC, 8))
    assert images.grid(columns=5).shape == (2 * 30 + 2, 5 * 30 + 2, 3)


def test_saving_writes_the_same_grid(images, tmp_path):
    images.save(tmp_path / "deep" / "grid.png")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "deep" / "grid.png")), images.grid())


def test_points_are_shown_where_they_are(points):
    picture = np.asarray(Image.open(BytesIO(points._repr_png_())))[:, :, 0]
    # The plane reaches to 2.5 in all directions; rows run downwards.
    rows, columns = np.nonzero(picture < 255)
    assert sorted(zip(rows.tolist(), columns.tolist(), strict=True)) == [(30, 150), (150, 210)]


def test_nothing_is_shown_of_no_samples(images, points):
    assert images[:0]._repr_png_() is None
    assert points[:0]._repr_png_() is None


def test_slices_stay_what_they_are_and_results_are_plain(images, points):
    assert type(images[2:5]) is Images
    assert images[2:5].spec == SPEC
    assert type(images[torch.tensor([1, 3])]) is Images
    assert type(points[1:]) is Points
    for plain in (images[0], images[:, 0], images + 1, images.float().mean(), torch.cat([images, images])):
        assert type(plain) is Tensor
    assert isinstance(images, Tensor)
    assert np.array_equal(images.numpy(), images.as_subclass(Tensor).numpy())


def test_what_is_written_loads_as_plain_data(images, tmp_path):
    torch.save({"samples": images}, tmp_path / "samples.pt")
    loaded = torch.load(tmp_path / "samples.pt", weights_only=True)["samples"]
    assert type(loaded) is Tensor
    assert torch.equal(loaded, images)


def test_copies_are_of_the_same_kind(images):
    copied = copy.deepcopy(images)
    assert type(copied) is Images
    assert copied.spec == SPEC
    copied[:] = 0.0
    assert not torch.equal(copied, images)
