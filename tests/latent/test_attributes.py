import pytest
import torch

from genzoo.latent.attributes import (
    ATTRIBUTES_OF_IMAGES,
    Attribute,
    attributes_of,
    brightness,
    height,
    symmetry,
    width,
)


def bar(rows, columns, value=1.0, size=12, channels=1):
    """An image that is black but for a bar."""
    image = torch.full((1, channels, size, size), -1.0)
    image[:, :, rows, columns] = value
    return image


@pytest.mark.parametrize("channels", [1, 3])
def test_a_bar_has_its_own_width_and_height(channels):
    image = bar(slice(2, 10), slice(4, 7), channels=channels)
    assert float(width(image)) == pytest.approx(3.0)
    assert float(height(image)) == pytest.approx(8.0)
    # Half as bright, it is as wide.
    assert float(width(bar(slice(2, 10), slice(4, 7), value=0.0))) == pytest.approx(3.0)


def test_brightness_is_the_share_of_ink():
    assert float(brightness(bar(slice(0, 6), slice(0, 12)))) == pytest.approx(0.5)
    assert float(brightness(bar(slice(0, 6), slice(0, 12), value=0.0))) == pytest.approx(0.25)
    assert float(brightness(bar(slice(0, 0), slice(0, 0)))) == 0.0


def test_symmetry_is_the_share_of_ink_that_a_mirror_keeps():
    assert float(symmetry(bar(slice(0, 4), slice(3, 9)))) == pytest.approx(1.0)
    assert float(symmetry(bar(slice(0, 4), slice(0, 6)))) == pytest.approx(0.0)
    # Two of its four columns lie where the mirror image has some too.
    assert float(symmetry(bar(slice(0, 4), slice(3, 7)))) == pytest.approx(0.5)


@pytest.mark.parametrize("attribute", ATTRIBUTES_OF_IMAGES)
def test_mirrors_and_shifts_change_no_attribute_but_symmetry(attribute):
    image = torch.full((5, 1, 12, 12), -1.0)
    image[:, :, 3:9, 3:9] = torch.rand(5, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    values = attribute.measure(image)
    torch.testing.assert_close(attribute.measure(image.flip(3)), values)
    torch.testing.assert_close(attribute.measure(image.roll(2, 2)), values)
    sideways = attribute.measure(image.roll(2, 3))
    assert torch.allclose(sideways, values, atol=1e-4) != (attribute.name == "symmetry")


def test_turning_an_image_swaps_width_and_height():
    image = 2.0 * torch.rand(5, 3, 9, 9, generator=torch.Generator().manual_seed(0)) - 1.0
    torch.testing.assert_close(width(image.transpose(2, 3)), height(image))


def test_black_images_are_measured_too():
    values = [float(attribute.measure(torch.full((1, 1, 8, 8), -1.0))) for attribute in ATTRIBUTES_OF_IMAGES]
    assert values == [0.0, 1.0, 1.0, 1.0]


def test_what_stands_out_lies_a_deviation_from_the_mean():
    attribute = Attribute("value", "high", "low", lambda x: x[:, 0])
    x = torch.tensor([[0.0], [0.0], [0.0], [4.0], [-4.0]])
    assert attribute.shown(x, "high").tolist() == [False, False, False, True, False]
    assert attribute.shown(x, "low").tolist() == [False, False, False, False, True]
    assert not attribute.shown(torch.full((4, 1), 0.3), "high").any()


def test_attributes_of_points_are_their_coordinates():
    right, upper = attributes_of((2,))
    points = torch.tensor([[1.0, -2.0], [3.0, 4.0]])
    assert right.measure(points).tolist() == [1.0, 3.0]
    assert upper.measure(points).tolist() == [-2.0, 4.0]
    assert [attribute.name for attribute in attributes_of((1,))] == ["first coordinate"]
    assert attributes_of((1, 8, 8)) == ATTRIBUTES_OF_IMAGES
