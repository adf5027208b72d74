import subprocess
import sys

import pytest
import torch
import torchvision.transforms.v2.functional as transforms

from genzoo.spec import image_spec, to_float, to_native, to_size, to_uint8, way_to_native


def test_every_byte_survives_the_way_to_floats_and_back():
    bytes_ = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    floats = to_float(bytes_)
    assert floats.dtype == torch.float32
    assert (float(floats.min()), float(floats.max())) == (-1.0, 1.0)
    assert torch.equal(to_uint8(floats), bytes_)


def test_values_outside_the_range_are_clamped_and_do_not_wrap():
    assert to_uint8(torch.tensor([-1.5, 1.5])).tolist() == [0, 255]


def test_28_pixels_are_padded_to_32_and_cut_back_without_loss():
    images = torch.randint(0, 256, (3, 1, 28, 28), dtype=torch.uint8)
    padded = to_size(images, 28, 32)
    assert padded.shape == (3, 1, 32, 32)
    assert torch.equal(padded[..., 2:-2, 2:-2], images)
    assert int(padded.sum(dtype=torch.int64)) == int(images.sum(dtype=torch.int64))
    assert torch.equal(to_native(padded, image_spec(1, 32, 28)), images)


@pytest.mark.parametrize(("native", "size"), [(28, 64), (48, 32), (32, 28)])
def test_other_sizes_are_resized_there_and_back(native, size):
    images = torch.full((2, 3, native, native), 77, dtype=torch.uint8)
    resized = to_size(images, native, size)
    assert resized.shape == (2, 3, size, size)
    assert resized.unique().tolist() == [77]
    assert to_native(resized, image_spec(3, size, native)).shape == images.shape


@pytest.mark.parametrize(("native", "size"), [(8, 16), (8, 28), (8, 32), (28, 64), (28, 40)])
def test_enlarging_is_undone_but_for_the_rounding_of_bytes(native, size):
    images = torch.randint(0, 256, (4, 3, native, native), dtype=torch.uint8, generator=torch.manual_seed(0))
    spec = image_spec(3, size, native)
    enlarged = to_size(images, native, size)
    assert (to_native(enlarged, spec).int() - images.int()).abs().max() <= 2
    floats = to_native(to_float(enlarged), spec)
    assert floats.dtype == torch.float32
    assert floats.abs().max() <= 1.0
    assert (to_uint8(floats).int() - images.int()).abs().max() <= 2
    assert to_native(to_float(enlarged).bfloat16(), spec).dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("native", "size", "way"),
    [(28, 28, "as they are"), (28, 32, "margin cut off"), (28, 64, "resized"), (64, 28, "resized")],
)
def test_the_way_to_native_size_has_a_name(native, size, way):
    assert way_to_native(image_spec(1, size, native)) == way


def test_a_spec_without_a_native_size_leaves_images_alone():
    images = torch.rand(2, 1, 32, 32)
    assert to_native(images, {"shape": [1, 32, 32]}) is images


def test_torchvision_is_imported_only_where_images_are_resized():
    code = (
        "import sys, torch, genzoo.spec as spec\n"
        "images = torch.zeros(1, 1, 28, 28, dtype=torch.uint8)\n"
        "spec.to_native(spec.to_size(images, 28, 32), spec.image_spec(1, 32, 28))\n"
        "assert 'torchvision' not in sys.modules\n"
        "spec.to_size(images, 28, 14)\n"
        "assert 'torchvision' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_images_take_the_way_of_torchvision():
    images = torch.randint(0, 256, (3, 2, 28, 28), dtype=torch.uint8, generator=torch.manual_seed(0))
    padded = to_size(images, 28, 32)
    assert torch.equal(padded, transforms.pad(images, [2]))
    for given in (padded, to_float(padded)):
        assert torch.equal(to_native(given, image_spec(2, 32, 28)), transforms.center_crop(given, [28, 28]))
    assert torch.equal(to_size(images, 28, 40), transforms.resize(images, [40, 40], antialias=True))
