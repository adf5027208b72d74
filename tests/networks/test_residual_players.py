import pytest
import torch
from torch import nn
from torch.nn import functional

from genzoo.losses.penalties import gradients_at
from genzoo.models.gan import GAN
from genzoo.networks.attention import SelfAttention
from genzoo.networks.minibatch_deviation import MinibatchDeviation
from genzoo.networks.normalisation import ConditionalBatchNorm2d
from genzoo.networks.residual_players import ResidualPlayers, doubling_block, halving_block
from genzoo.spec import image_spec

FULL = ResidualPlayers(2, depth=2, generator_condition="batch_norm", attention_size=8, deviation_group=2)


def nothing(channels):
    return []


def test_blocks_are_those_of_the_paper():
    """With the 1x1 convolution of a shortcut where the paper has it: behind a doubling, before a halving."""
    torch.manual_seed(0)
    x = torch.randn(2, 3, 6, 6)
    up, down = doubling_block(3, 5, nothing), halving_block(3, 5, nothing)
    _, _, first, _, second = up.layers
    doubled = functional.interpolate(functional.relu(x), scale_factor=2)
    expected = second(functional.relu(first(doubled))) + up.shortcut[0](functional.interpolate(x, scale_factor=2))
    torch.testing.assert_close(up(x), expected)
    _, first, _, second, _ = down.layers
    expected = functional.avg_pool2d(second(functional.relu(first(functional.relu(x)))) + down.shortcut[1](x), 2)
    torch.testing.assert_close(down(x), expected)


def test_channels_are_those_of_the_paper_at_128_pixels():
    players = ResidualPlayers(width=2)
    generator, discriminator = players.generator((5,), (3, 128, 128)), players.discriminator((3, 128, 128))
    of_three = [
        [
            (part.in_channels, part.out_channels)
            for part in network.modules()
            if getattr(part, "kernel_size", 0) == (3, 3)
        ]
        for network in (generator, discriminator)
    ]
    up, down = [32, 32, 16, 8, 4, 2], [3, 2, 4, 8, 16, 32, 32]
    assert [pair[0] for pair in of_three[0][::2]] == up
    assert of_three[0][-1] == (2, 3)
    assert [pair[1] for pair in of_three[1][1::2]] == down[1:]


@pytest.mark.parametrize(
    ("size", "channels", "condition", "players"),
    [
        (28, 1, (), ResidualPlayers(2, attention_size=14)),
        (32, 3, (4,), FULL),
        (48, 1, (3, 4), ResidualPlayers(2, generator_norm="layer", discriminator_norm="layer")),
        (64, 3, (4,), ResidualPlayers(2, generator_norm="none", discriminator_norm="instance")),
        (256, 1, (), ResidualPlayers(1, depth=1, generator_condition="batch_norm", generator_norm="batch")),
    ],
)
def test_images_of_all_sizes_and_every_number_of_a_condition_counts(size, channels, condition, players):
    torch.manual_seed(0)
    data = (channels, size, size)
    generator, discriminator = players.generator((5,), data, condition), players.discriminator(data, condition)
    for part in generator.modules():
        if isinstance(part, ConditionalBatchNorm2d):
            nn.init.normal_(part.weight)
    given = torch.rand(8, *condition, requires_grad=True) if condition else None
    images = generator.eval()(torch.randn(8, 5), given)
    logits = discriminator.eval()(images, given)
    assert images.shape == (8, *data)
    assert images.abs().max() <= 1.0
    assert logits.shape == (8,)
    assert discriminator.features(images, given).shape == (8, *discriminator.feature_shape)
    if condition:
        for output in (images.square().sum(), logits.square().sum()):
            (gradient,) = torch.autograd.grad(output, given, retain_graph=True)
            assert (gradient != 0.0).flatten(1).any(0).all()


def test_the_discriminator_takes_a_condition_image_and_the_generator_refuses_it():
    players = ResidualPlayers(2)
    assert players.discriminator((1, 16, 16), (2, 16, 16))(
        torch.rand(3, 1, 16, 16), torch.rand(3, 2, 16, 16)
    ).shape == (3,)
    for condition in ("concatenated", "batch_norm"):
        with pytest.raises(ValueError, match=r"ResidualPlayers puts a condition beside the code.*choose MLPPlayers or"):
            ResidualPlayers(2, generator_condition=condition).generator((5,), (1, 16, 16), (2, 16, 16))


def test_a_condition_in_batch_norm_is_not_beside_z():
    beside, within = (ResidualPlayers(2, generator_condition=kind) for kind in ("concatenated", "batch_norm"))
    networks = [players.generator((5,), (1, 16, 16), (4,)) for players in (beside, within)]
    widths = [
        next(part for part in network.modules() if isinstance(part, nn.Linear)).in_features for network in networks
    ]
    assert widths == [9, 5]
    plain = within.generator((5,), (1, 16, 16))
    assert not any(isinstance(part, ConditionalBatchNorm2d) for part in plain.modules())
    assert any(isinstance(part, nn.BatchNorm2d) for part in plain.modules())


def test_parts_stand_where_they_are_asked_for():
    generator, discriminator = FULL.generator((5,), (1, 32, 32), (4,)), FULL.discriminator((1, 32, 32), (4,))
    seen = []
    for part in [*generator.modules(), *discriminator.modules()]:
        if isinstance(part, SelfAttention | MinibatchDeviation):
            part.register_forward_hook(lambda module, inputs, output: seen.append((type(module), output.shape[2])))
    discriminator(generator(torch.randn(4, 5), torch.rand(4, 4)), torch.rand(4, 4))
    assert seen == [(SelfAttention, 8), (SelfAttention, 8), (MinibatchDeviation, 4)]
    assert not any(isinstance(part, MinibatchDeviation) for part in generator.modules())


def test_activations_are_found_within_blocks():
    discriminator = ResidualPlayers(2).discriminator((1, 16, 16)).eval()
    x = torch.rand(3, 1, 16, 16)
    found = discriminator.activations(x)
    assert [tuple(maps.shape[1:]) for maps in found] == [
        (2, 16, 16),
        (2, 8, 8),
        (2, 8, 8),
        (4, 4, 4),
        (4, 4, 4),
        (4, 4, 4),
    ]
    assert torch.equal(found[-1].sum((2, 3)), discriminator.features(x))
    assert not any(part._forward_hooks for part in discriminator.modules())


def test_a_penalty_of_the_gradient_goes_through_attention_and_deviation():
    torch.manual_seed(0)
    players = ResidualPlayers(2, attention_size=4, deviation_group=2)
    discriminator = players.discriminator((1, 8, 8)).double()
    names = [
        "head.weight",
        *(name for name, _ in discriminator.named_parameters() if "gamma" in name or "query.weight" in name),
    ]
    values = [discriminator.get_parameter(name).detach().clone().requires_grad_() for name in names]
    with torch.no_grad():
        values[names.index(next(name for name in names if "gamma" in name))].fill_(0.5)
    items = torch.rand(2, 1, 8, 8, dtype=torch.float64)

    def penalty(*values):
        def score(x):
            return torch.func.functional_call(discriminator, dict(zip(names, values, strict=True)), (x,))

        return gradients_at(score, items).square().sum()

    assert len(names) == 3
    assert torch.autograd.gradcheck(penalty, values)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"generator_condition": "batch_norm", "generator_norm": "layer"}, "but generator_norm is layer; choose batch"),
        ({"depth": 0}, "depth must be at least 1, got 0"),
        ({"deviation_group": 1}, "a deviation_group of 1 has no deviation; choose 0"),
        ({"discriminator_norm": "spectral"}, "discriminator_norm must be batch, .* or none, got 'spectral'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        GAN(data_spec=image_spec(1, 16), networks=ResidualPlayers(**settings))


def test_a_size_without_maps_is_refused():
    with pytest.raises(
        ValueError, match=r"attention_size must be a size .* at 28 pixels, 7, 14, or 0 for none, got 16"
    ):
        ResidualPlayers(attention_size=16).discriminator((1, 28, 28))


def test_weights_start_with_the_deviations_of_glorot_and_the_gain_of_blocks():
    torch.manual_seed(0)
    players, checked = ResidualPlayers(width=32), set()
    for network in (players.generator((100,), (3, 32, 32)), players.discriminator((3, 32, 32))):
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                places = layer.weight[0, 0].numel() if layer.weight.dim() == 4 else 1
                variance = 2.0 / (places * (layer.weight.shape[0] + layer.weight.shape[1]))
                kernel = tuple(layer.weight.shape[2:])
                gain = 2.0**0.5 if kernel == (3, 3) else 1.0
                # Few weights, as those of the head, have a deviation of their own.
                tolerance = max(0.05, 3.0 * layer.weight.numel() ** -0.5)
                assert float(layer.weight.detach().std()) == pytest.approx(gain * variance**0.5, rel=tolerance)
                assert not layer.bias.any()
                checked.add(kernel)
    assert checked == {(), (1, 1), (3, 3)}
