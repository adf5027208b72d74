import pytest
import torch
from torch import nn
from torch.nn import functional

from genzoo.losses.penalties import gradients_at
from genzoo.networks.r3gan import Basis, Bottleneck, R3GANPlayers


def test_a_block_is_that_of_the_paper():
    torch.manual_seed(0)
    block, x = Bottleneck(4, between=8, group=2, gain=0.5), torch.randn(2, 4, 5, 5)
    assert torch.equal(block(x), x)
    first, _, middle, _, last = block.layers
    assert [part.weight.shape for part in (first, middle, last)] == [(8, 4, 1, 1), (8, 2, 3, 3), (4, 8, 1, 1)]
    nn.init.normal_(last.weight)
    within = functional.leaky_relu(middle(functional.leaky_relu(first(x), 0.2)), 0.2)
    torch.testing.assert_close(block(x), x + last(within))


def test_weights_start_as_the_paper_says():
    """Four levels of two blocks: L = 8, and a gain for the LeakyReLU of slope 0.2."""
    torch.manual_seed(0)
    players = R3GANPlayers(width=32)
    for network in (players.generator((5,), (1, 32, 32)), players.discriminator((1, 32, 32))):
        blocks = [part for part in network.modules() if isinstance(part, Bottleneck)]
        assert len(blocks) == 8
        gain = (2.0 / 1.04) ** 0.5 * 8**-0.25
        for block in blocks:
            first, _, middle, _, last = block.layers
            assert not last.weight.any()
            for layer in (first, middle):
                fan_in = layer.weight[0].numel()
                assert float(layer.weight.detach().std() * fan_in**0.5) == pytest.approx(gain, rel=0.1)
                assert not layer.bias.any()


def test_the_basis_is_modulated_by_the_code():
    basis, z = Basis(3, 4, 7), torch.randn(2, 3)
    torch.testing.assert_close(basis(z), torch.einsum("nd,cd,chw->nchw", z, basis.strength.weight, basis.maps))


@pytest.mark.parametrize(
    ("size", "channels", "condition", "levels"),
    [(28, 3, (), 3), (32, 1, (4,), 4), (48, 3, (3, 4), 5), (64, 1, (4,), 5), (256, 3, (), 7)],
)
def test_images_of_all_sizes_and_every_number_of_a_condition_counts(size, channels, condition, levels):
    torch.manual_seed(0)
    data, players = (channels, size, size), R3GANPlayers(width=1, depth=1)
    generator, discriminator = players.generator((5,), data, condition), players.discriminator(data, condition)
    given = torch.rand(4, *condition, requires_grad=True) if condition else None
    images = generator(torch.randn(4, 5), given)
    logits = discriminator(images, given)
    assert images.shape == (4, *data)
    assert images.abs().max() <= 1.0
    assert logits.shape == (4,)
    assert discriminator.features(images, given).shape == (4, *discriminator.feature_shape)
    assert len(discriminator.activations(images, given)) == 2 * levels
    if condition:
        for output in (images.square().sum(), logits.square().sum()):
            (gradient,) = torch.autograd.grad(output, given, retain_graph=True)
            assert (gradient != 0.0).flatten(1).any(0).all()


def test_constant_maps_are_resized_without_checkerboards():
    torch.manual_seed(0)
    generator = R3GANPlayers(width=2).generator((5,), (1, 32, 32))
    (basis,) = (part for part in generator.modules() if isinstance(part, Basis))
    nn.init.ones_(basis.maps)
    # Blocks add nothing at the start, so that only the way between sizes is seen.
    images = generator(torch.randn(2, 5))
    torch.testing.assert_close(images, images.mean((2, 3), keepdim=True).expand_as(images))


def test_no_item_sees_another_and_a_penalty_goes_through():
    torch.manual_seed(0)
    discriminator = R3GANPlayers(width=2, depth=1, group=2).discriminator((1, 8, 8)).double()
    for part in discriminator.modules():
        if isinstance(part, Bottleneck):
            nn.init.normal_(part.layers[-1].weight)
    x = torch.rand(3, 1, 8, 8, dtype=torch.float64)
    torch.testing.assert_close(discriminator(x)[:1], discriminator(x[:1]))
    name = "layers.1.layers.2.weight"

    def penalty(weight):
        def score(items):
            return torch.func.functional_call(discriminator, {name: weight}, (items,))

        return gradients_at(score, x).square().sum()

    assert torch.autograd.gradcheck(penalty, discriminator.get_parameter(name).detach().clone().requires_grad_())


@pytest.mark.parametrize("name", ["depth", "expansion", "group"])
def test_settings_below_one_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        R3GANPlayers(**{name: 0})


@pytest.mark.parametrize("width", [10, 12, 28, 36])
def test_channels_that_make_no_groups_of_the_size_that_was_asked_for_are_refused(width):
    match = f"{2 * width} channels cannot be divided into groups of 16; choose a width that can be"
    with pytest.raises(ValueError, match=match):
        R3GANPlayers(width=width).discriminator((1, 16, 16))


@pytest.mark.parametrize("width", [3, 8, 24])
def test_fewer_channels_are_one_group(width):
    judge = R3GANPlayers(width=width, depth=1).discriminator((1, 8, 8))
    first = next(part for part in judge.modules() if isinstance(part, nn.Conv2d) and part.kernel_size == (3, 3))
    assert first.weight.shape[1] == min(2 * width, 16)


def test_condition_images_are_refused_by_the_generator_alone():
    players = R3GANPlayers(width=2)
    assert players.discriminator((1, 16, 16), (2, 16, 16))(
        torch.rand(3, 1, 16, 16), torch.rand(3, 2, 16, 16)
    ).shape == (3,)
    with pytest.raises(ValueError, match="R3GANPlayers puts a condition beside the code"):
        players.generator((5,), (1, 16, 16), (2, 16, 16))
