import copy
import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from genzoo.metrics import PooledActivations
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.maxout import Maxout
from genzoo.networks.maxout_players import MaxoutPlayers
from genzoo.networks.mlp import MLPPlayers

DATA = (1, 16, 16)
KINDS = {"mlp": MLPPlayers((8,), (8, 6)), "dcgan": DCGANPlayers(width=2), "maxout": MaxoutPlayers((8,), (8, 6))}


@pytest.fixture(params=KINDS)
def discriminator(request):
    torch.manual_seed(0)
    return KINDS[request.param].discriminator(DATA)


@pytest.fixture
def x():
    return torch.rand(5, *DATA) * 2 - 1


def test_logits_are_the_head_of_the_features(discriminator, x):
    discriminator.eval()
    features = discriminator.features(x)
    assert features.shape == (5, *discriminator.feature_shape)
    logits = discriminator(x)
    assert logits.shape == (5,)
    assert torch.equal(logits, discriminator.head(features).flatten())


def test_a_head_of_more_numbers_may_take_its_place(discriminator, x):
    discriminator.head = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(discriminator.feature_shape), 3))
    discriminator.eval()
    assert discriminator(x).shape == (5, 3)
    assert torch.equal(discriminator(x), discriminator.head(discriminator.features(x)))


def test_activations_are_those_that_hooks_see(discriminator, x):
    discriminator.eval()
    seen = []
    for part in discriminator.modules():
        if isinstance(part, nn.LeakyReLU | Maxout):
            part.register_forward_hook(lambda module, inputs, output: seen.append(output.clone()))
    discriminator(x)
    number = len(seen)
    found = discriminator.activations(x)
    assert number == len(found) == 2
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(found, seen[:number], strict=True))


def test_pooled_activations_are_the_features_of_the_representation_score(x):
    discriminator = KINDS["dcgan"].discriminator(DATA).eval()
    pooled = [functional.adaptive_max_pool2d(maps, 4).flatten(1) for maps in discriminator.activations(x)]
    assert torch.equal(torch.cat(pooled, 1), PooledActivations(discriminator)(x))


def test_activations_keep_their_gradients(discriminator, x):
    loss = sum(maps.square().sum() for maps in discriminator.activations(x))
    loss.backward()
    moved = {name for name, parameter in discriminator.named_parameters() if parameter.grad is not None}
    assert moved == {name for name, _ in discriminator.named_parameters() if name.startswith("layers.")}


class Holder(nn.Module):
    def __init__(self, discriminator):
        super().__init__()
        self.discriminator = discriminator


def earlier_state(holder):
    """As version 0.1.0 named weights: the head was one more layer."""
    last = len(holder.discriminator.layers)
    return {name.replace(".head.", f".layers.{last}."): value for name, value in holder.state_dict().items()}


def test_weights_load_by_the_names_that_they_had_in_version_0_1(discriminator, x):
    earlier = earlier_state(Holder(discriminator))
    names = list(earlier)
    assert not any("head" in name for name in names)
    for fresh in (copy.deepcopy(discriminator), copy.deepcopy(copy.deepcopy(discriminator))):
        for parameter in fresh.parameters():
            nn.init.zeros_(parameter)
        Holder(fresh).load_state_dict(earlier)
        assert torch.equal(fresh.eval()(x), discriminator.eval()(x))
    assert list(earlier) == names


def test_parameters_keep_the_order_of_version_0_1(discriminator):
    """Optimisers keep their states by it."""
    *layers, weight, bias = [name for name, _ in discriminator.named_parameters()]
    assert (weight, bias) == ("head.weight", "head.bias")
    assert layers == sorted(layers, key=lambda name: int(name.split(".")[1]))
