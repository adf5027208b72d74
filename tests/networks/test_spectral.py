import copy
import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from genzoo.losses.penalties import gradients_at
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.image_to_image import ImageToImagePlayers
from genzoo.networks.mlp import MLPPlayers
from genzoo.networks.r3gan import R3GANPlayers
from genzoo.networks.residual_players import ResidualPlayers
from genzoo.networks.spectral import LINEAR_MAPS, SpectrallyNormalised, spectrally_normalised

DATA = (1, 16, 16)
KINDS = {
    "perceptrons": MLPPlayers((8,), (8, 6), dropout=0.0),
    "dcgan": DCGANPlayers(width=2, discriminator_norm="none"),
    "residual": ResidualPlayers(width=4, attention_size=8),
}


@pytest.fixture(params=KINDS)
def discriminator(request):
    torch.manual_seed(0)
    return SpectrallyNormalised(KINDS[request.param]).discriminator(DATA)


@pytest.fixture
def linear():
    torch.manual_seed(0)
    layer = spectrally_normalised(nn.Linear(4, 3, bias=False)).double()
    # Away from where the iteration has converged to.
    nn.init.normal_(original(layer))
    return layer


@pytest.fixture
def x():
    return torch.rand(5, *DATA) * 2 - 1


def original(layer):
    return layer.parametrizations.weight.original


def matrices(network):
    return [part for part in network.modules() if isinstance(part, LINEAR_MAPS)]


def buffers(network):
    return {name: value.clone() for name, value in network.named_buffers()}


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_every_layer_has_largest_singular_value_one(discriminator, x):
    layers = matrices(discriminator)
    assert len(buffers(discriminator)) == 2 * len(layers) >= 6
    with torch.no_grad():
        for layer in layers:
            original(layer).mul_(7.0)
        for _ in range(50):
            discriminator(x)
        discriminator.eval()
        largest = [float(torch.linalg.matrix_norm(layer.weight.flatten(1), 2)) for layer in layers]
    assert largest == pytest.approx([1.0] * len(layers), abs=0.02)


def test_perceptrons_are_then_lipschitz_as_a_whole():
    torch.manual_seed(0)
    discriminator = SpectrallyNormalised(KINDS["perceptrons"]).discriminator(DATA).eval()
    assert gradients_at(discriminator, torch.randn(50, *DATA)).norm(dim=1).max() <= 1.01


def test_each_pass_in_training_is_a_step_of_the_power_iteration(linear):
    matrix, norm = original(linear).detach(), linear.parametrizations.weight[0].norm
    x, right = torch.randn(2, 4).double(), norm._v.clone()
    for _ in range(2):
        left = functional.normalize(matrix @ right, dim=0)
        right = functional.normalize(matrix.T @ left, dim=0)
        torch.testing.assert_close(linear(x), x @ matrix.T / (left @ matrix @ right))
        torch.testing.assert_close((norm._u, norm._v), (left, right))
    linear.eval()
    torch.testing.assert_close(linear(x), x @ matrix.T / (left @ matrix @ right))
    assert torch.equal(norm._v, linear.parametrizations.weight[0].norm._v)
    torch.testing.assert_close(norm._v, right)


def test_looking_without_training_moves_nothing(discriminator, x):
    before = buffers(discriminator.eval())
    discriminator(x)
    discriminator.activations(x)
    assert equal(buffers(discriminator), before)
    discriminator.train()(x)
    assert not equal(buffers(discriminator), before)


def test_gradients_are_those_of_the_paper_in_each_of_two_passes(linear):
    """Equation 12: of what comes from above, the part along the first singular vectors is taken away."""
    norm, expected, losses = linear.parametrizations.weight[0].norm, 0.0, 0.0
    for x in torch.randn(2, 5, 4).double():
        output = linear(x)
        left, right = norm._u, norm._v
        sigma = left @ original(linear) @ right
        above = 2.0 * output.T @ x
        normalised = original(linear) / sigma
        expected = expected + (above - (above * normalised).sum() * torch.outer(left, right)) / sigma
        losses = losses + output.square().sum()
    losses.backward()
    torch.testing.assert_close(original(linear).grad, expected.detach())


def test_a_penalty_of_the_gradient_goes_through_the_norm():
    torch.manual_seed(0)
    discriminator = SpectrallyNormalised(DCGANPlayers(2, discriminator_norm="none")).discriminator(DATA)
    discriminator.double().eval()
    name = "layers.2.parametrizations.weight.original"
    items = torch.rand(2, *DATA, dtype=torch.float64)

    def penalty(weight):
        def score(x):
            return torch.func.functional_call(discriminator, {name: weight}, (x,))

        return gradients_at(score, items).square().sum()

    weight = discriminator.get_parameter(name).detach().clone().requires_grad_()
    assert torch.autograd.gradcheck(penalty, weight)


def test_autocast_leaves_singular_values_alone(discriminator, x):
    twin = copy.deepcopy(discriminator)
    twin(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert discriminator(x).dtype == torch.bfloat16
        inside = [layer.eval().weight for layer in matrices(discriminator)]
    outside = [layer.eval().weight for layer in matrices(twin)]
    assert all(torch.equal(one, other) for one, other in zip(inside, outside, strict=True))


def test_a_state_holds_all_there_is(discriminator, x):
    discriminator(x)
    torch.manual_seed(1)
    fresh = copy.deepcopy(discriminator)
    for value in (*fresh.parameters(), *fresh.buffers()):
        value.data.normal_()
    fresh.load_state_dict(discriminator.state_dict())
    for _ in range(2):
        assert torch.equal(fresh(x), discriminator(x))
    assert equal(buffers(fresh), buffers(discriminator))


def test_another_head_may_be_given_the_norm_too(discriminator, x):
    head = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(discriminator.feature_shape), 3))
    before = discriminator(x)
    discriminator.head = spectrally_normalised(head)
    assert discriminator(x).shape == (5, 3)
    assert before.shape == (5,)
    assert len(buffers(discriminator)) == 2 * len(matrices(discriminator))


def test_embeddings_and_networks_of_two_norms():
    network = nn.Sequential(nn.Embedding(5, 4), nn.BatchNorm1d(4), nn.Conv1d(3, 2, 1))
    once = list(spectrally_normalised(network).state_dict())
    assert [name for name in once if "original" in name] == [f"{n}.parametrizations.weight.original" for n in (0, 2)]
    assert list(spectrally_normalised(network).state_dict()) == once


def test_the_generator_is_left_alone_and_conditions_pass():
    players = SpectrallyNormalised(ImageToImagePlayers(width=2))
    assert not buffers(players.generator((3,), (1, 32, 32), (1, 32, 32))).keys() & {"_u", "_v"}
    assert players.discriminator((1, 32, 32), (1, 32, 32))(*torch.rand(2, 4, 1, 32, 32)).shape == (4,)


def test_weights_of_zeros_are_refused():
    with pytest.raises(ValueError, match=r"but all weights of layers\.1\.layers\.4 of a LayeredDiscriminator are 0"):
        SpectrallyNormalised(R3GANPlayers(width=2)).discriminator(DATA)
