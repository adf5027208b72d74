import pytest
import torch
from torch import nn

from genzoo.losses.penalties import gradients_at
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.mlp import MLPPlayers
from genzoo.networks.normalisation import ConditionalBatchNorm2d, makes_bias_idle, norm_of_maps, norm_of_vectors

# Where mean and variance are taken, in maps (N, G, C/G, H, W) of two groups.
MAPS = {"batch": (0, 3, 4), "instance": (3, 4), "group": (2, 3, 4), "layer": (1, 2, 3, 4)}


@pytest.mark.parametrize("norm", MAPS)
def test_maps_are_normalised_where_the_papers_say(norm):
    x = torch.randn(3, 6, 5, 5, generator=torch.Generator().manual_seed(0)) * 2.0 + 1.0
    (layer,) = norm_of_maps(norm, 6)
    groups = x.unflatten(1, (2, 3))
    variance, mean = torch.var_mean(groups, MAPS[norm], correction=0, keepdim=True)
    expected = ((groups - mean) / (variance + 1e-5).sqrt()).flatten(1, 2)
    torch.testing.assert_close(layer(x), expected)
    with torch.no_grad():
        layer.weight.copy_(torch.arange(6.0))
        layer.bias.fill_(3.0)
    torch.testing.assert_close(layer(x), expected * torch.arange(6.0)[:, None, None] + 3.0)
    shifted = torch.randn(6, generator=torch.Generator().manual_seed(1))[:, None, None]
    assert torch.allclose(layer(x + shifted), layer(x), atol=1e-4) == makes_bias_idle(norm)


@pytest.mark.parametrize("norm", ["batch", "group", "layer"])
def test_vectors_are_normalised(norm):
    x = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))
    (layer,) = norm_of_vectors(norm, 6)
    groups = x.unflatten(1, (2, 3))
    dims = {"batch": 0, "group": 2, "layer": (1, 2)}[norm]
    variance, mean = torch.var_mean(groups, dims, correction=0, keepdim=True)
    torch.testing.assert_close(layer(x), ((groups - mean) / (variance + 1e-5).sqrt()).flatten(1))


def test_no_norm_is_no_layer():
    assert norm_of_maps("none", 4) == norm_of_vectors("none", 4) == []


@pytest.mark.parametrize("norm", ["instance", "group", "layer", "none"])
def test_all_but_batch_norm_leave_the_items_of_a_batch_alone(norm):
    torch.manual_seed(0)
    networks = [DCGANPlayers(width=4, discriminator_norm=norm, generator_norm=norm)]
    networks += [] if norm == "instance" else [MLPPlayers((8,), (8,), dropout=0.0, discriminator_norm=norm)]
    x, z = torch.rand(4, 1, 16, 16) * 2 - 1, torch.randn(4, 5)
    for players in networks:
        discriminator = players.discriminator((1, 16, 16))
        torch.testing.assert_close(discriminator(x)[:2], discriminator(x[:2]), atol=1e-5, rtol=1e-4)
    generator = networks[0].generator((5,), (1, 16, 16))
    torch.testing.assert_close(generator(z)[:2], generator(z[:2]), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("norm", ["instance", "group", "layer"])
def test_a_penalty_of_the_gradient_goes_through_norms(norm):
    torch.manual_seed(0)
    discriminator = DCGANPlayers(width=2, discriminator_norm=norm).discriminator((1, 8, 8)).double()
    weight = discriminator.layers[0].weight

    def penalty(weight):
        def score(x):
            return torch.func.functional_call(discriminator, {"layers.0.weight": weight}, (x,))

        return gradients_at(score, items).square().sum()

    items = torch.rand(2, 1, 8, 8, dtype=torch.float64)
    with torch.no_grad():
        weight.mul_(10.0)
    assert torch.autograd.gradcheck(penalty, weight.detach().clone().requires_grad_())


def test_norms_of_perceptrons_take_their_place_behind_the_linear_layers():
    layers = MLPPlayers((8,), (8, 6), discriminator_norm="layer").discriminator((1, 4, 4)).layers
    assert [type(layer) for layer in layers] == 2 * [nn.Linear, nn.GroupNorm, nn.LeakyReLU, nn.Dropout]
    with pytest.raises(ValueError, match="discriminator_norm must be batch, group, layer or none, got 'instance'"):
        MLPPlayers(discriminator_norm="instance")


@pytest.fixture
def conditional():
    layer = ConditionalBatchNorm2d(4, 6).double()
    nn.init.normal_(layer.weight, generator=torch.Generator().manual_seed(0))
    return layer


def test_gain_and_bias_follow_the_condition(conditional):
    x, condition = torch.randn(5, 4, 3, 3).double(), torch.rand(5, 2, 3).double()
    plain = nn.BatchNorm2d(4).double()
    gain, bias = (condition.flatten(1) @ conditional.weight.T).unflatten(1, (2, 4)).unbind(1)
    expected = plain(x) * (1.0 + gain)[:, :, None, None] + bias[:, :, None, None]
    torch.testing.assert_close(conditional(x, condition), expected)
    assert torch.autograd.gradcheck(conditional, (x.requires_grad_(), condition.requires_grad_()))


def test_a_missing_class_has_plain_batch_norm(conditional):
    x, plain = torch.randn(5, 4, 3, 3).double(), nn.BatchNorm2d(4).double()
    for missing in (None, torch.zeros(5, 6).double()):
        torch.testing.assert_close(conditional(x, missing), plain(x))
    torch.testing.assert_close(conditional.eval()(x, None), plain.eval()(x))
    new = ConditionalBatchNorm2d(4, 6).double()
    torch.testing.assert_close(new(x, torch.rand(5, 6).double()), plain.train()(x))
