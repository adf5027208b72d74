"""AffineAugment against the matrices of the paper's authors, image by image."""

import math

import pytest
import torch
from torch import tensor

from genzoo.augmentations.affine_augment import AffineAugment, resampled
from genzoo.hyperparameters import as_plain, from_plain
from genzoo.losses.objectives import NonSaturating
from genzoo.noise import BatchNoise, ImageNoise
from genzoo.spec import image_spec

GROUPS = ("blitting", "geometry", "colour")


class Drawn(BatchNoise):
    """Gives the rows of a list in turn to every image; once they are used up, what decides that it is changed."""

    def __init__(self, uniform=(), normal=()):
        super().__init__("cpu", 0)
        self.draws = {"uniform": list(uniform), "normal": list(normal)}

    def _next(self, kind, shape):
        return tensor(self.draws[kind].pop(0) if self.draws[kind] else 0.0).expand(shape)

    def uniform(self, *shape):
        return self._next("uniform", shape)

    def normal(self, *shape):
        return self._next("normal", shape)


def images(number=2, channels=3, size=8, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(number, channels, size, size, generator=generator, dtype=dtype) * 2 - 1


def changed(group, x, **draws):
    return AffineAugment((group,), 0.5).build()(x, Drawn(**draws))


# Blitting: mirror, quarters, right, down; then each change is made.


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("mirror", "quarters"), [(0.1, 0.0), (0.7, 0.0), (0.0, 0.3), (0.0, 0.6), (0.6, 0.9)])
def test_mirror_images_and_right_angles_are_those_of_the_pixels(channels, mirror, quarters):
    x = images(channels=channels, size=7)
    found = changed("blitting", x, uniform=[[mirror, quarters, 0.5, 0.5]])
    expected = x.flip(3) if mirror >= 0.5 else x
    possible = [torch.rot90(expected, turn, (2, 3)) for turn in (int(4 * quarters), -int(4 * quarters))]
    assert any(torch.allclose(found, each, atol=1e-5) for each in possible)


@pytest.mark.parametrize(("right", "down"), [(0.0, 0.5), (0.5, 0.99), (0.99, 0.0)])
def test_shifts_by_whole_pixels_move_a_mirror_image_in(right, down):
    x, far = images(size=16), 2
    found = changed("blitting", x, uniform=[[0.0, 0.0, right, down]])
    padded = torch.nn.functional.pad(x, (far,) * 4, mode="reflect")
    left, top = (far + round(far * (2 * share - 1)) for share in (right, down))
    torch.testing.assert_close(found, padded[:, :, top : top + 16, left : left + 16], rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [7, 28, 32])
def test_with_probability_0_images_stay_as_they_are(size):
    x = images(size=size)
    torch.testing.assert_close(AffineAugment(GROUPS, 0.0).build()(x, BatchNoise("cpu", 0)), x, rtol=0, atol=1e-5)


def place_by_the_authors(scale, stretch, first, second, shift, size):
    """Their G_inv in the order of their code, pixels of the result to pixels of the image."""
    scaled = torch.diag(tensor([2.0 ** (0.2 * scale)] * 2 + [1.0]))
    stretched = torch.diag(tensor([2.0 ** (0.2 * stretch), 2.0 ** (-0.2 * stretch), 1.0]))

    def turned(share):
        angle = math.pi * (2 * share - 1)
        cosine, sine = math.cos(angle), math.sin(angle)
        return tensor([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])

    moved = torch.eye(3)
    moved[:2, 2] = tensor(shift) * size / 8
    return scaled @ turned(first) @ stretched @ turned(second) @ moved


@pytest.mark.parametrize(
    ("scale", "stretch", "first", "second", "shift"),
    [(1.0, 0.0, 0.5, 0.5, (0.0, 0.0)), (0.0, 1.5, 0.6, 0.5, (0.3, -0.2)), (-0.7, -1.0, 0.1, 0.8, (-1.0, 0.5))],
)
def test_the_map_is_the_product_of_the_authors(scale, stretch, first, second, shift):
    """Shown on an image whose values are its places, between which linear interpolation is exact."""
    size = 33
    axis = torch.arange(size) - 16.0
    down, right = torch.meshgrid(axis, axis, indexing="ij")
    draws = {"normal": [[scale, stretch, *shift]], "uniform": [[first, second]]}
    found = changed("geometry", torch.stack([right, down])[:, None], **draws)
    places = torch.stack([right, down, torch.ones_like(right)]).flatten(1)
    expected = (place_by_the_authors(scale, stretch, first, second, shift, size) @ places)[:2].view(2, 1, size, size)
    is_within = (expected.abs() < 15.9).all(0, keepdim=True)
    assert is_within.float().mean() > 0.2
    torch.testing.assert_close(found[is_within.expand(2, 1, size, size)], expected[is_within.expand(2, 1, size, size)])


def recoloured_by_the_authors(x, brightness, contrast, flip, hue, saturation):
    """Their C of 4 by 4 numbers, by the matrices of their code."""
    v = tensor([1.0, 1.0, 1.0, 0.0]) / math.sqrt(3)
    axis = torch.outer(v, v)
    luma_flip = torch.eye(4) - 2 * axis * int(2 * flip)
    theta = math.pi * (2 * hue - 1)
    cross = tensor([[0.0, -1, 1, 0], [1, 0, -1, 0], [-1, 1, 0, 0], [0, 0, 0, 0]]) / math.sqrt(3)
    turn = torch.linalg.matrix_exp(theta * cross)
    saturate = axis + (torch.eye(4) - axis) * 2.0**saturation
    brighten = torch.eye(4)
    brighten[:3, 3] = 0.2 * brightness
    c = saturate @ turn @ luma_flip @ torch.diag(tensor([2.0 ** (0.5 * contrast)] * 3 + [1.0])) @ brighten
    if x.shape[1] == 3:
        return torch.einsum("ij,njhw->nihw", c[:3, :3], x) + c[:3, 3].view(3, 1, 1)
    c = c[:3].mean(0)
    return x * c[:3].sum() + c[3]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("brightness", "contrast", "saturation", "flip", "hue"),
    [(1.0, 0.0, 0.0, 0.1, 0.5), (0.0, -1.0, 0.5, 0.9, 0.5), (-0.4, 0.8, -1.0, 0.7, 0.2), (0.3, 0.3, 0.0, 0.2, 0.95)],
)
def test_colours_are_those_of_the_authors_matrix(channels, brightness, contrast, saturation, flip, hue):
    x = images(channels=channels)
    found = changed("colour", x, normal=[[brightness, contrast, saturation]], uniform=[[flip, hue]])
    expected = recoloured_by_the_authors(x, brightness, contrast, flip, hue, saturation)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


# Probabilities


@pytest.mark.parametrize("probability", [0.2, 0.7])
def test_each_change_is_made_with_the_probability(probability):
    """Shares of unchanged images: of mirror images half are the image itself, of right angles a quarter."""
    x = images(1, 1, 8).expand(4000, -1, -1, -1)
    p = probability
    expected = {
        "blitting": (1 - p / 2) * (1 - 3 * p / 4) * (1 - p * (1 - 1 / 4)),
        # Either rotation: 1 - p together.
        "geometry": (1 - p) ** 4,
        "colour": (1 - p) ** 2 * (1 - p / 2),
    }
    for group, share in expected.items():
        found = AffineAugment((group,), p).build()(x, BatchNoise("cpu", 0))
        is_same = torch.isclose(found, x, atol=1e-4).flatten(1).all(1).float().mean()
        assert float(is_same) == pytest.approx(share, abs=0.03), group


@pytest.mark.parametrize("group", GROUPS)
def test_each_image_draws_its_own_numbers(group):
    x = images(1, 3, 16)
    augmenter = AffineAugment((group,)).build()
    found = augmenter(x.expand(12, -1, -1, -1), ImageNoise(torch.arange(12), "cpu", 0))
    assert len({tuple(image.flatten().tolist()) for image in found}) == 12
    alone = augmenter(x, ImageNoise(tensor([7]), "cpu", 0))
    torch.testing.assert_close(alone[0], found[7])


# Gradients


@pytest.mark.parametrize(("groups", "channels"), [(GROUPS, 3), (("geometry",), 1)])
def test_gradients_of_any_order_reach_the_images(groups, channels):
    x = images(2, channels, 4, torch.float64).requires_grad_()
    augmenter = AffineAugment(groups, 0.8).build()
    assert torch.autograd.gradcheck(lambda x: augmenter(x, BatchNoise("cpu", 1)), (x,))
    assert torch.autograd.gradgradcheck(lambda x: augmenter(x, BatchNoise("cpu", 1)).pow(3), (x,))


def test_the_transposed_map_of_the_gradient_is_that_of_torch():
    x, way = images(3, 2, 6), torch.eye(3).expand(3, 3, 3) + 0.3 * torch.randn(3, 3, 3)
    x.requires_grad_()
    upstream = torch.randn(3, 2, 6, 6)
    units = tensor([1.0, 1.0, 2 / 5])
    grid = torch.nn.functional.affine_grid(way[:, :2] * units, [3, 2, 6, 6], align_corners=True)
    reference = torch.nn.functional.grid_sample(x, grid, padding_mode="reflection", align_corners=True)
    assert torch.equal(resampled(x, way), reference)
    (expected,) = torch.autograd.grad(reference, x, upstream)
    (found,) = torch.autograd.grad(resampled(x, way), x, upstream)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    ("dtype", "autocast"), [(torch.bfloat16, False), (torch.float64, False), (torch.float32, True)]
)
def test_images_of_any_type_are_changed_by_the_same_numbers(dtype, autocast):
    x = images(4, 3, 28)
    augmenter = AffineAugment().build()
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        found = augmenter(x.to(dtype), BatchNoise("cpu", 0))
    assert found.dtype == dtype
    atol = 0.1 if dtype == torch.bfloat16 else 1e-3
    torch.testing.assert_close(found.float(), augmenter(x, BatchNoise("cpu", 0)), rtol=0, atol=atol)


# Settings


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="groups of AffineAugment must be some of blitting, geometry, colour, got"):
        AffineAugment(("rotation",))
    with pytest.raises(ValueError, match="probability of AffineAugment must be in"):
        AffineAugment(probability=-0.1)
    AffineAugment().require_fit(image_spec(3, 32), NonSaturating())
    for shape, reason in (([2], "changes images"), ([2, 8, 8], "1 or 3 channels"), ([1, 8, 6], "square images")):
        with pytest.raises(ValueError, match=f"AffineAugment .*{reason}.*leave the augmentation out"):
            AffineAugment().require_fit({"shape": shape}, NonSaturating())


def test_it_is_plain_data():
    value = AffineAugment(("blitting",), 0.25)
    assert from_plain(as_plain(value)) == value
