"""Maxout against its formula, and the players of PacGAN's experiments on points."""

import torch
from torch import nn

from genzoo.networks.maxout import Maxout
from genzoo.networks.maxout_players import MaxoutPlayers


def test_a_unit_is_the_largest_of_its_linear_functions():
    torch.manual_seed(0)
    layer, x = Maxout(3, 4, pieces=5), torch.randn(7, 3)
    weight, bias = layer.linear.weight.view(4, 5, 3), layer.linear.bias.view(4, 5)
    expected = torch.stack([(x @ weight[:, j].T + bias[:, j]) for j in range(5)]).max(0).values
    torch.testing.assert_close(layer(x), expected)


def test_a_convex_function_of_two_pieces():
    layer = Maxout(1, 1, pieces=2)
    nn.init.zeros_(layer.linear.bias)
    layer.linear.weight.data = torch.tensor([[1.0], [-1.0]])
    assert layer(torch.tensor([[-3.0], [2.0]])).flatten().tolist() == [3.0, 2.0]


def test_the_players_are_those_of_the_paper():
    torch.manual_seed(0)
    players = MaxoutPlayers()
    generator, discriminator = players.generator((2,), (2,)), players.discriminator((2,))
    # Linear layers of the generator without a bias before batch norm, which has two numbers per feature.
    assert sum(p.numel() for p in generator.parameters()) == 2 * 400 + 3 * 400**2 + 4 * 800 + 400 * 2 + 2
    assert sum(p.numel() for p in discriminator.parameters()) == (3 + 2 * 201) * 200 * 5 + 201
    weights = torch.cat([p.flatten() for p in discriminator.parameters() if p.ndim == 2])
    assert abs(float(weights.detach().std()) - 0.02) < 2e-4
    z = torch.randn(6, 2)
    assert generator(z).shape == (6, 2)
    assert discriminator(generator(z)).shape == (6,)


def test_images_and_conditions():
    players = MaxoutPlayers((8,), (8,), pieces=2)
    generator, discriminator = players.generator((3,), (1, 4, 4), (5,)), players.discriminator((1, 4, 4), (5,))
    y = torch.eye(5)
    images = generator(torch.randn(5, 3), y)
    assert images.shape == (5, 1, 4, 4)
    assert float(images.abs().max()) <= 1.0
    assert not torch.equal(discriminator(images, y), discriminator(images, y.flip(0)))
