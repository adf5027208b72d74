"""Discriminators that are told the condition in a hidden layer behind their features."""

import pytest
import torch

from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.joined import Joined
from genzoo.networks.mlp import MLPPlayers
from genzoo.networks.packed import Packed
from genzoo.networks.spectral import SpectrallyNormalised

DATA = (1, 16, 16)
MLP = MLPPlayers((8,), (8, 6), dropout=0.0)
KINDS = {"mlp": MLP, "dcgan": DCGANPlayers(width=2)}


@pytest.fixture(params=KINDS)
def discriminator(request):
    torch.manual_seed(0)
    return Joined(KINDS[request.param], units=7).discriminator(DATA, (5,)).double().eval()


@pytest.fixture
def x():
    return torch.randn(4, *DATA, dtype=torch.float64)


def test_features_and_condition_meet_in_a_layer_of_maxout(discriminator, x):
    y = torch.rand(4, 5, dtype=torch.float64)
    features = discriminator.judge.features(x).flatten(1)
    weight = discriminator.joint.linear.weight.view(7, 4, -1)
    bias = discriminator.joint.linear.bias.view(7, 4)
    w, u = weight[..., :-5], weight[..., -5:]
    pieces = [features @ w[:, j].T + y @ u[:, j].T + bias[:, j] for j in range(4)]
    hidden = torch.stack(pieces).max(0).values
    torch.testing.assert_close(discriminator.features(x, y), hidden)
    torch.testing.assert_close(discriminator(x, y), hidden @ discriminator.head.weight[0] + discriminator.head.bias)
    assert discriminator.feature_shape == (7,)


def test_the_hidden_layer_is_the_last_activation(discriminator, x):
    y = torch.rand(4, 5, dtype=torch.float64)
    *before, last = discriminator.activations(x, y)
    assert torch.equal(last, discriminator.features(x, y))
    for found, expected in zip(before, discriminator.judge.activations(x), strict=True):
        assert torch.equal(found, expected)


def test_a_missing_label_adds_nothing(discriminator, x):
    assert torch.equal(discriminator(x, torch.zeros(4, 5, dtype=torch.float64)), discriminator(x))


def test_at_the_start_the_condition_chooses_the_piece():
    torch.manual_seed(0)
    network = Joined(MLPPlayers((8,), (600,)), units=500).discriminator(DATA, (5,))
    of_features, of_condition = network.joint.linear.weight.split([600, 5], dim=1)
    added_by_features, added_by_class = torch.randn(200, 600) @ of_features.T, of_condition
    assert added_by_class.std().item() == pytest.approx(2 * added_by_features.std().item(), rel=0.05)
    # Most units read most images by the piece that the class alone would choose.
    chosen = (added_by_features.unflatten(1, (500, 4)) + of_condition[:, 0].view(500, 4)).argmax(2)
    assert (chosen == of_condition[:, 0].view(500, 4).argmax(1)).double().mean() > 0.6


def test_no_parameter_is_idle(discriminator, x):
    """Lightning's data-parallel strategy stops at one."""
    discriminator(x, torch.rand(4, 5, dtype=torch.float64)).sum().backward()
    assert all(parameter.grad is not None for parameter in discriminator.parameters())


@pytest.mark.parametrize("outer", [lambda players: Packed(players, 2), SpectrallyNormalised], ids=["packs", "spectral"])
def test_it_stands_within_other_players(outer, x):
    players = outer(Joined(MLP, units=7))
    network = players.discriminator(DATA, (5,)).double()
    assert network(x, torch.rand(4, 5, dtype=torch.float64)).shape == (4 // network.pack_size,)


def test_what_has_no_condition_or_no_single_items_is_refused():
    with pytest.raises(ValueError, match="Joined networks need a condition of labels, attributes or tokens, but got"):
        Joined(MLP).discriminator(DATA)
    with pytest.raises(ValueError, match="the hidden layer of Joined reads features of each item"):
        Joined(Packed(MLP)).discriminator(DATA, (5,))
    with pytest.raises(ValueError, match="units of Joined must be at least 1, got 0"):
        Joined(MLP, units=0)


def test_the_generator_is_conditioned_as_that_of_the_players():
    torch.manual_seed(0)
    generator = Joined(MLP).generator((3,), DATA, (5,)).eval()
    assert generator.layers[0][0].in_features == 8
