"""DiffAugment against the formulas of the paper, image by image."""

import pytest
import torch
from torch import tensor

from genzoo.augmentations.diff_augment import DiffAugment
from genzoo.hyperparameters import as_plain
from genzoo.noise import BatchNoise, ImageNoise

POLICIES = ("colour", "translation", "cutout")
ALMOST_1 = 1.0 - 2.0**-24


class Drawn(BatchNoise):
    """Gives numbers of a list in turn, one for each image at every draw."""

    def __init__(self, *draws):
        super().__init__("cpu", 0)
        self.draws = list(draws)

    def uniform(self, *shape):
        return tensor(self.draws.pop(0)).view(shape)


def images(number=3, channels=3, height=8, width=8, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(number, channels, height, width, generator=generator, dtype=dtype) * 2 - 1


def applied(policy, x, *draws):
    return DiffAugment((policy,)).build()(x, Drawn(*draws))


@pytest.mark.parametrize("channels", [1, 3])
def test_colours_are_those_of_the_formulas(channels):
    x = images(channels=channels)
    brightness, saturation, contrast = [0.0, 0.75, 0.5], [0.5, 0.0, 0.9], [0.1, 0.5, 1.0 - 2**-10]
    changed = applied("colour", x, brightness, saturation, contrast)
    for image, result, b, s, c in zip(x, changed, brightness, saturation, contrast, strict=True):
        expected = image + b - 0.5
        grey = expected.mean(0)
        expected = torch.stack([grey + 2 * s * (channel - grey) for channel in expected])
        expected = expected.mean() + (c + 0.5) * (expected - expected.mean())
        torch.testing.assert_close(result, expected)


def test_colours_in_the_middle_of_their_ranges_are_those_of_the_image():
    torch.testing.assert_close(applied("colour", images(1), [0.5], [0.5], [0.5]), images(1))


@pytest.mark.parametrize(("height", "width"), [(16, 16), (20, 12), (28, 28)])
def test_translation_moves_by_whole_pixels_and_moves_grey_in(height, width):
    x = images(5, height=height, width=width)
    down, right = [0.0, 0.25, 0.5, 0.75, ALMOST_1], [0.5, ALMOST_1, 0.0, 0.1, 0.9]
    changed = applied("translation", x, down, right)
    # The rounding of the authors' code: half a pixel is one.
    most = [(size + 4) // 8 for size in (height, width)]
    for image, result, rows, columns in zip(x, changed, down, right, strict=True):
        row, column = (int(share * (2 * far + 1)) - far for share, far in zip((rows, columns), most, strict=True))
        padded = torch.nn.functional.pad(image, (most[1], most[1], most[0], most[0]))
        top, left = most[0] - row, most[1] - column
        assert torch.equal(result, padded[:, top : top + height, left : left + width])


@pytest.mark.parametrize(("height", "width"), [(16, 16), (10, 12), (7, 7)])
def test_cutout_makes_a_square_grey_that_the_edge_may_cut(height, width):
    x = images(4, height=height, width=width)
    rows, columns = [0.0, 0.5, ALMOST_1, 0.3], [ALMOST_1, 0.5, 0.0, 0.7]
    changed = applied("cutout", x, rows, columns)
    for image, result, *centre in zip(x, changed, rows, columns, strict=True):
        expected = image.clone()
        sides = []
        for size, share in zip((height, width), centre, strict=True):
            length = (size + 1) // 2
            start = int(share * (size + 1 - length % 2)) - length // 2
            sides.append(slice(max(start, 0), start + length))
        expected[:, sides[0], sides[1]] = 0.0
        assert torch.equal(result, expected)


def test_every_shift_is_equally_likely():
    x = torch.zeros(9000, 1, 8, 8)
    x[:, :, 4, 4] = 1.0
    place = DiffAugment(("translation",)).build()(x, BatchNoise("cpu", 0)).flatten(1).argmax(1)
    counts = torch.bincount(place, minlength=64).view(8, 8)
    assert counts.sum() == counts[3:6, 3:6].sum()
    torch.testing.assert_close(counts[3:6, 3:6] / 1000, torch.ones(3, 3), rtol=0, atol=0.15)


def test_every_centre_of_a_square_is_equally_likely():
    """Of 5 x 5 centres of squares of 2 x 2 pixels in 4 x 4, a corner of the image lies in those of 2 x 2."""
    grey = DiffAugment(("cutout",)).build()(torch.ones(10_000, 1, 4, 4), BatchNoise("cpu", 0)) == 0.0
    torch.testing.assert_close(grey.float().mean(0)[0], torch.full((4, 4), 4 / 25), rtol=0, atol=0.02)


@pytest.mark.parametrize("policy", POLICIES)
def test_each_image_draws_its_own_numbers(policy):
    x = images(1, height=32, width=32)
    augmenter = DiffAugment((policy,)).build()
    changed = augmenter(x.expand(12, -1, -1, -1), ImageNoise(torch.arange(12), "cpu", 0))
    assert len({tuple(image.flatten().tolist()) for image in changed}) == 12
    # What an image becomes depends on no other image.
    alone = augmenter(x, ImageNoise(tensor([7]), "cpu", 0))
    torch.testing.assert_close(alone[0], changed[7])


def test_policies_follow_each_other_in_their_order():
    x = images(6)
    both = DiffAugment(("cutout", "colour")).build()(x, BatchNoise("cpu", 0))
    noise = BatchNoise("cpu", 0)
    expected = DiffAugment(("colour",)).build()(DiffAugment(("cutout",)).build()(x, noise), noise)
    assert torch.equal(both, expected)


@pytest.mark.parametrize("policies", [*((policy,) for policy in POLICIES), POLICIES])
def test_gradients_reach_the_images(policies):
    x = images(2, height=4, width=4, dtype=torch.float64).requires_grad_()
    augmenter = DiffAugment(policies).build()
    assert torch.autograd.gradcheck(lambda x: augmenter(x, BatchNoise("cpu", 1)), (x,))
    assert torch.autograd.gradgradcheck(lambda x: augmenter(x, BatchNoise("cpu", 1)).square(), (x,))


def test_no_gradient_reaches_what_is_moved_out_or_cut_out():
    x = images(1, 1).requires_grad_()
    (gradient,) = torch.autograd.grad(applied("translation", x, [ALMOST_1], [0.5]).sum(), x)
    assert torch.equal(gradient[0, 0, -1], torch.zeros(8))
    assert torch.equal(gradient[0, 0, :-1], torch.ones(7, 8))
    (gradient,) = torch.autograd.grad(applied("cutout", x, [0.5], [0.5]).sum(), x)
    assert gradient.sum() == 64 - 16


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_any_type_are_changed_by_the_same_numbers(dtype, channels):
    x = images(4, channels)
    augmenter = DiffAugment().build()
    changed = augmenter(x.to(dtype), BatchNoise("cpu", 0))
    assert changed.dtype == dtype
    torch.testing.assert_close(changed.float(), augmenter(x, BatchNoise("cpu", 0)), rtol=0, atol=0.03)


def test_an_augmenter_leaves_the_global_generator_and_its_input_alone():
    x, state = images(), torch.get_rng_state()
    DiffAugment().build()(x, BatchNoise("cpu", 0))
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(x, images())


def test_with_a_probability_each_policy_is_applied_on_its_own():
    """Each of two policies changes all pixels but few, so that one pixel tells what an image went through."""
    x = torch.ones(4000, 1, 8, 8)
    changed = DiffAugment(("cutout", "colour"), 0.3).build()(x, BatchNoise("cpu", 0))
    is_cut, is_recoloured = ((changed.amax((1, 2, 3)) - changed.amin((1, 2, 3))) > 0.5), changed[:, 0].amax((1, 2)) != 1
    assert float(is_cut.float().mean()) == pytest.approx(0.3, abs=0.03)
    assert float(is_recoloured.float().mean()) == pytest.approx(0.3, abs=0.03)
    assert float((is_cut & is_recoloured).float().mean()) == pytest.approx(0.09, abs=0.02)


def test_images_that_are_chosen_are_changed_by_the_numbers_of_the_policy():
    x = images(3)
    changed = DiffAugment(("colour",), 0.5).build()(x, Drawn([0.1] * 3, [0.6] * 3, [0.2] * 3, [0.0, 0.7, 0.4]))
    expected = applied("colour", x, [0.1] * 3, [0.6] * 3, [0.2] * 3)
    assert torch.equal(changed, torch.stack([expected[0], x[1], expected[2]]))


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match=r"probability of DiffAugment must be in \[0, 1\], got 1.5"):
        DiffAugment(probability=1.5)
    for wrong in ((), ("color",), ("colour", "flip")):
        with pytest.raises(
            ValueError, match="policies of DiffAugment must be some of colour, translation, cutout, got"
        ):
            DiffAugment(wrong)


def test_it_is_plain_data():
    plain = as_plain(DiffAugment(("translation", "cutout")))
    assert plain["init_args"] == {"policies": ["translation", "cutout"], "probability": 1.0}
    assert DiffAugment(**plain["init_args"]) == DiffAugment(("translation", "cutout"))
