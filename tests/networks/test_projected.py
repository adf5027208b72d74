"""Projection discriminators against equation 3 of the paper."""

import pytest
import torch

from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.mlp import MLPPlayers
from genzoo.networks.projected import Projected

DATA = (1, 16, 16)
KINDS = {"mlp": MLPPlayers((8,), (8, 6), dropout=0.0), "dcgan": DCGANPlayers(width=2)}


@pytest.fixture(params=KINDS)
def discriminator(request):
    torch.manual_seed(0)
    return Projected(KINDS[request.param]).discriminator(DATA, (5,)).double().eval()


@pytest.fixture
def x():
    return torch.randn(4, *DATA, dtype=torch.float64)


@pytest.mark.parametrize("kind", ["classes", "attributes"])
def test_the_logit_is_that_of_the_head_and_an_inner_product(kind, discriminator, x):
    y = torch.eye(5, dtype=torch.float64)[[1, 0, 4, 1]] if kind == "classes" else torch.rand(4, 5, dtype=torch.float64)
    features = discriminator.judge.features(x)
    expected = []
    for item, condition in zip(features, y, strict=True):
        summed = item.flatten(1).sum(1) if item.ndim == 3 else item
        head = discriminator.judge.head(item[None]).flatten()[0]
        # The columns of the layer's weight are the rows of V.
        expected.append(head + sum(condition[k] * discriminator.projection.weight[:, k] @ summed for k in range(5)))
    torch.testing.assert_close(discriminator(x, y), torch.stack(expected))
    # The derivative with respect to the condition is the inner product of V's rows with the features.
    y.requires_grad_()
    (gradient,) = torch.autograd.grad(discriminator(x, y).sum(), y)
    pooled = features.flatten(2).sum(2) if features.ndim == 4 else features
    torch.testing.assert_close(gradient, pooled @ discriminator.projection.weight)


def test_a_missing_label_adds_nothing(discriminator, x):
    y = torch.zeros(4, 5, dtype=torch.float64)
    assert torch.equal(discriminator(x, y), discriminator.judge(x))
    assert torch.equal(discriminator(x), discriminator.judge(x))


def test_the_features_know_nothing_of_the_condition(discriminator, x):
    y = torch.rand(4, 5, dtype=torch.float64)
    assert torch.equal(discriminator.features(x, y), discriminator.judge.features(x))
    assert torch.equal(discriminator.activations(x, y)[0], discriminator.judge.activations(x)[0])


def test_the_generator_is_conditioned_as_that_of_the_players():
    torch.manual_seed(0)
    generator = Projected(KINDS["mlp"]).generator((3,), DATA, (5,)).eval()
    assert generator.layers[0][0].in_features == 8
