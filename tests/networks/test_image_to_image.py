import pytest
import torch
from torch import nn

from genzoo.networks.image_to_image import ImageToImagePlayers

DATA, CONDITION = (3, 32, 32), (1, 32, 32)
PLAYERS = ImageToImagePlayers(width=4)


def drawn(number=4, condition_shape=CONDITION):
    return torch.randn(number, 5), torch.rand(number, *condition_shape) * 2 - 1


@pytest.fixture
def generator():
    torch.manual_seed(0)
    generator = PLAYERS.generator((5,), DATA, CONDITION)
    # Weights as small as the initial ones let nothing of the bottleneck be seen in single precision.
    for parameter in generator.parameters():
        if parameter.ndim == 4:
            nn.init.kaiming_normal_(parameter)
    return generator.eval()


@pytest.mark.parametrize("size", [8, 20, 28, 32, 48, 64, 128])
@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
def test_an_image_is_made_of_an_image(size, upsampling):
    players = ImageToImagePlayers(width=2, upsampling=upsampling)
    data_shape, condition_shape = (3, size, size), (1, size, size)
    z, condition = drawn(2, condition_shape)
    images = players.generator((5,), data_shape, condition_shape)(z, condition)
    assert images.shape == (2, *data_shape)
    assert images.abs().max() <= 1.0
    discriminator = players.discriminator(data_shape, condition_shape)
    assert discriminator(images, condition).shape == (2,)
    assert discriminator.features(images, condition).shape == (2, *discriminator.feature_shape)


def test_the_generator_has_the_layers_of_the_paper():
    """Appendix 6.1, as far down as the image goes: C64-C128-C256 and back, batch norm but in the first and the last."""
    generator = ImageToImagePlayers(width=64).generator((5,), DATA, CONDITION)
    down = [part for part in generator.down.modules() if isinstance(part, nn.Conv2d)]
    up = [part for part in generator.up.modules() if isinstance(part, nn.ConvTranspose2d)]
    assert [(part.in_channels, part.out_channels) for part in down] == [(1, 64), (64, 128), (128, 256)]
    assert [(part.in_channels, part.out_channels) for part in up] == [(256 + 5, 128), (256, 64), (128, 3)]
    assert all(part.kernel_size == (4, 4) and part.stride == (2, 2) for part in [*down, *up])
    norms = [
        [isinstance(part, nn.BatchNorm2d) for part in block].count(True) for block in [*generator.down, *generator.up]
    ]
    assert norms == [0, 1, 1, 1, 1, 0]
    for part in [*down, *up]:
        assert part.weight.std().item() == pytest.approx(0.02, rel=0.1)


def test_skips_hand_over_what_is_near(generator):
    """Without the bottleneck, a pixel depends on those near it in the condition; with it, on every number."""
    z, condition = drawn(1)
    condition.requires_grad_()
    for part in (z.requires_grad_(), condition):
        (gradient,) = torch.autograd.grad(generator(z, condition).square().sum(), part)
        assert (gradient != 0).all()
    generator.up[0].register_forward_hook(lambda module, inputs, output: torch.zeros_like(output))
    (near,) = torch.autograd.grad(generator(z, condition)[0, :, 16, 16].sum(), condition)
    rows = near[0, 0].abs().sum(1).nonzero().flatten()
    assert 8 < rows.min() <= 16 <= rows.max() < 24


@pytest.mark.parametrize(("patch_halvings", "pixels"), [(0, 7), (1, 16), (2, 34), (3, 70)])
def test_a_logit_is_the_mean_over_patches(patch_halvings, pixels):
    discriminator = ImageToImagePlayers(2, patch_halvings).discriminator((1, 128, 128), (1, 128, 128)).eval()
    x, condition = torch.rand(2, 1, 1, 128, 128)
    x.requires_grad_()
    features = discriminator.features(x, condition)
    convolution, _ = discriminator.head
    patches = convolution(features)
    torch.testing.assert_close(discriminator(x, condition), patches.mean((1, 2, 3)))
    middle = patches.shape[-1] // 2
    (seen,) = torch.autograd.grad(patches[0, 0, middle, middle], x)
    rows = seen[0, 0].abs().sum(1).nonzero().flatten()
    assert rows.max() - rows.min() + 1 == pixels


def test_the_discriminator_sees_the_condition_beside_the_image():
    discriminator = PLAYERS.discriminator(DATA, CONDITION).eval()
    x, condition = torch.rand(2, *DATA), torch.rand(2, *CONDITION)
    assert not torch.equal(discriminator(x, condition), discriminator(x, condition.flip(0)))
    seen = []
    discriminator.layers[0].register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    discriminator(x, condition)
    assert torch.equal(seen[0], torch.cat([x, condition], 1))


@pytest.mark.parametrize("condition_shape", [(), (10,), (4, 7)])
def test_data_without_a_condition_image_are_refused(condition_shape):
    for build in (
        lambda: PLAYERS.generator((5,), DATA, condition_shape),
        lambda: PLAYERS.discriminator(DATA, condition_shape),
    ):
        with pytest.raises(ValueError, match="ImageToImagePlayers need data with condition images; choose such data"):
            build()


def test_condition_images_of_another_size_are_refused():
    with pytest.raises(ValueError, match="it has 16 x 16 pixels and the image 32 x 32"):
        PLAYERS.generator((5,), DATA, (1, 16, 16))


def test_images_smaller_than_a_patch_are_refused():
    assert ImageToImagePlayers(2, 3).discriminator((1, 24, 24), (1, 24, 24)).feature_shape == (16, 2, 2)
    with pytest.raises(ValueError, match="3 patch_halvings are too many for 16 pixels; use fewer"):
        ImageToImagePlayers(2, 3).discriminator((1, 16, 16), (1, 16, 16))


def test_grids_of_codes_are_refused():
    with pytest.raises(ValueError, match="ImageToImagePlayers takes codes that are vectors"):
        PLAYERS.generator((4, 2, 2), DATA, CONDITION)
