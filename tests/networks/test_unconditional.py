"""Networks without a condition are, bit for bit, plain sequences of layers: initial weights, outputs and gradients."""

from functools import partial

import pytest
import torch
from torch import nn

from genzoo.networks.convolutional import ConvolutionalEncoderDecoder
from genzoo.networks.deep_convolutional import DCGANPlayers, initialise
from genzoo.networks.mlp import GatedLinear, GatedMLPEncoderDecoder, MLPEncoderDecoder, MLPPlayers
from genzoo.networks.residual import ResidualBlock, ResidualEncoderDecoder

DATA = (1, 28, 28)
halving = partial(nn.Conv2d, kernel_size=4, stride=2, padding=1)
doubling = partial(nn.ConvTranspose2d, kernel_size=4, stride=2, padding=1)


def mlp_encoder():
    return nn.Sequential(nn.Flatten(), nn.Sequential(nn.Linear(784, 9), nn.ReLU(), nn.Linear(9, 5)))


def mlp_decoder():
    return nn.Sequential(nn.Sequential(nn.Linear(5, 9), nn.ReLU(), nn.Linear(9, 784)), nn.Unflatten(1, DATA))


def gated_encoder():
    return nn.Sequential(nn.Flatten(), GatedLinear(784, 9), nn.Linear(9, 5))


def gated_decoder():
    return nn.Sequential(GatedLinear(5, 9), nn.Linear(9, 784), nn.Unflatten(1, DATA))


def convolutional_encoder():
    return nn.Sequential(halving(1, 4), nn.ReLU(), halving(4, 8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 49, 5))


def convolutional_decoder():
    return nn.Sequential(
        nn.Linear(5, 8 * 49), nn.Unflatten(1, (8, 7, 7)), nn.ReLU(), doubling(8, 4), nn.ReLU(), doubling(4, 1)
    )


def residual_encoder():
    return nn.Sequential(
        halving(1, 4),
        ResidualBlock(4),
        halving(4, 8),
        ResidualBlock(8),
        nn.GroupNorm(8, 8),
        nn.SiLU(),
        nn.Flatten(),
        nn.Linear(8 * 49, 5),
    )


def residual_decoder():
    return nn.Sequential(
        nn.Linear(5, 8 * 49),
        nn.Unflatten(1, (8, 7, 7)),
        ResidualBlock(8),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(8, 4, 3, padding=1),
        ResidualBlock(4),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(4, 4, 3, padding=1),
        nn.GroupNorm(4, 4),
        nn.SiLU(),
        nn.Conv2d(4, 1, 3, padding=1),
    )


def mlp_generator():
    return nn.Sequential(
        nn.Sequential(nn.Linear(5, 9), nn.BatchNorm1d(9), nn.ReLU(), nn.Linear(9, 784)),
        nn.Tanh(),
        nn.Unflatten(1, DATA),
    )


def mlp_discriminator():
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 9), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(9, 1), nn.Flatten(0)
    )


def dcgan_generator():
    return (
        nn.Sequential(
            nn.Unflatten(1, (5, 1, 1)),
            nn.ConvTranspose2d(5, 8, 7, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            doubling(8, 4, bias=False),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            doubling(4, 1),
            nn.Tanh(),
        )
        .apply(initialise)
        .to(memory_format=torch.channels_last)
    )


def dcgan_discriminator():
    return (
        nn.Sequential(
            halving(1, 4),
            nn.LeakyReLU(0.2),
            halving(4, 8, bias=False),
            nn.BatchNorm2d(8),
            nn.LeakyReLU(0.2),
            nn.Conv2d(8, 1, 7),
            nn.Flatten(0),
        )
        .apply(initialise)
        .to(memory_format=torch.channels_last)
    )


MLP, GATED = MLPEncoderDecoder((9,)), GatedMLPEncoderDecoder((9,))
CONVOLUTIONAL, RESIDUAL = ConvolutionalEncoderDecoder(width=4), ResidualEncoderDecoder(width=4)
MLP_PLAYERS, DCGAN = MLPPlayers((9,), (9,)), DCGANPlayers(width=4)
FROM_DATA = {
    mlp_encoder: lambda: MLP.encoder(DATA, (5,)),
    gated_encoder: lambda: GATED.encoder(DATA, (5,)),
    convolutional_encoder: lambda: CONVOLUTIONAL.encoder(DATA, (5,)),
    residual_encoder: lambda: RESIDUAL.encoder(DATA, (5,)),
    mlp_discriminator: lambda: MLP_PLAYERS.discriminator(DATA),
    dcgan_discriminator: lambda: DCGAN.discriminator(DATA),
}
FROM_CODES = {
    mlp_decoder: lambda: MLP.decoder((5,), DATA),
    gated_decoder: lambda: GATED.decoder((5,), DATA),
    convolutional_decoder: lambda: CONVOLUTIONAL.decoder((5,), DATA),
    residual_decoder: lambda: RESIDUAL.decoder((5,), DATA),
    mlp_generator: lambda: MLP_PLAYERS.generator((5,), DATA),
    dcgan_generator: lambda: DCGAN.generator((5,), DATA),
}


def outcome(build, x):
    """The initial weights, the output, and the gradients of input and weights; dropout draws the same numbers."""
    torch.manual_seed(0)
    network = build()
    weights = [parameter.clone() for parameter in network.parameters()]
    x = x.clone().requires_grad_()
    output = network(x)
    output.backward(torch.linspace(-1.0, 1.0, output.numel()).reshape(output.shape))
    return [*weights, output, x.grad, *(parameter.grad for parameter in network.parameters()), *network.buffers()]


@pytest.mark.parametrize(("plain", "build"), [*FROM_DATA.items(), *FROM_CODES.items()], ids=lambda each: each.__name__)
def test_a_network_is_its_layers(plain, build):
    x = torch.rand(6, *DATA) * 2 - 1 if plain in FROM_DATA else torch.randn(6, 5)
    for ours, theirs in zip(outcome(build, x), outcome(plain, x), strict=True):
        assert torch.equal(ours, theirs)


LAYERS_OF_0_1 = {
    mlp_encoder: "1.0 1.2",
    gated_encoder: "1.value 1.gate 2",
    convolutional_encoder: "0 2 5",
    residual_encoder: (
        "0 1.layers.0 1.layers.2 1.layers.3 1.layers.5 2 3.layers.0 3.layers.2 3.layers.3 3.layers.5 4 7"
    ),
    mlp_decoder: "0.0 0.2",
    gated_decoder: "0.value 0.gate 1",
    convolutional_decoder: "0 3 5",
    residual_decoder: (
        "0 2.layers.0 2.layers.2 2.layers.3 2.layers.5 4 5.layers.0 5.layers.2 5.layers.3 5.layers.5 7 8 10"
    ),
    mlp_generator: "layers.0.0 layers.0.1 layers.0.3",
    dcgan_generator: "layers.0 layers.1 layers.3 layers.4 layers.6",
}


@pytest.mark.parametrize("plain", LAYERS_OF_0_1, ids=lambda each: each.__name__)
def test_layers_have_the_names_that_they_had_in_version_0_1(plain):
    network = (FROM_DATA | FROM_CODES)[plain]()
    found = dict.fromkeys(name.rpartition(".")[0] for name, _ in network.named_parameters())
    assert " ".join(found) == LAYERS_OF_0_1[plain]
