"""Multilayer perceptrons: the networks of the first papers on VAE and GAN.

From Kingma and Welling 2014 and Goodfellow et al. 2014: fully connected layers; dropout in the discriminator. Not from
them: ReLU for tanh in the autoencoder, LeakyReLU for maxout in the discriminator, batch norm in the generator.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn

from genzoo.networks.architectures import EncoderDecoder, Players
from genzoo.networks.conditioning import Shape, VectorLayers, code_length, concatenate, numbers_of
from genzoo.networks.discriminator import Discriminator, LayeredDiscriminator
from genzoo.networks.normalisation import VectorNorm, norm_of_vectors
from genzoo.spec import is_image


def perceptron(widths: Sequence[int], *between: Callable[[int], nn.Module]) -> nn.Sequential:
    """Linear layers with others between each two of them.

    Args:
        widths: Number of features at the input, in each hidden layer and at the output.
        *between: Make the layers behind a hidden linear one, in this order, from its number of features.
    """
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths[:-1]):
        layers += [nn.Linear(fan_in, fan_out), *(layer(fan_out) for layer in between)]
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))


def relu(features: int) -> nn.Module:
    """Makes a ReLU for any number of features."""
    return nn.ReLU()


@dataclass(frozen=True)
class MLPEncoderDecoder(EncoderDecoder):
    """Fully connected encoder and decoder with ReLU, the decoder's layers in the opposite order.

    Args:
        hidden_features: Widths of the encoder's hidden layers.
    """

    hidden_features: tuple[int, ...] = (512, 512)

    def encoder(self, data_shape: Shape, code_shape: Shape, condition_shape: Shape = ()) -> nn.Module:
        """A network from ``(N, *data_shape)`` to ``(N, *code_shape)``."""
        in_features = math.prod(data_shape) + numbers_of(condition_shape)
        widths = [in_features, *self.hidden_features, code_length(code_shape, self)]
        # Flatten finds vectors already; it stays because layers are named by their places in a checkpoint.
        return VectorLayers(nn.Flatten(), perceptron(widths, relu))

    def decoder(self, code_shape: Shape, data_shape: Shape, condition_shape: Shape = ()) -> nn.Module:
        """A network from ``(N, *code_shape)`` to ``(N, *data_shape)``, without an output activation."""
        in_features = code_length(code_shape, self) + numbers_of(condition_shape)
        widths = [in_features, *reversed(self.hidden_features), math.prod(data_shape)]
        return VectorLayers(perceptron(widths, relu), nn.Unflatten(1, tuple(data_shape)))


class GatedLinear(nn.Module):
    """A linear layer times the sigmoid of another (Dauphin et al. 2017): ``(N, F)`` to ``(N, G)``."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.value = nn.Linear(in_features, out_features)
        self.gate = nn.Linear(in_features, out_features)

    def forward(self, x: Tensor) -> Tensor:
        """The gated values."""
        gated: Tensor = self.value(x) * self.gate(x).sigmoid()
        return gated


@dataclass(frozen=True)
class GatedMLPEncoderDecoder(EncoderDecoder):
    """Encoder and decoder of gated linear layers: with the defaults those of Tomczak and Welling 2018 (VampPrior).

    Args:
        hidden_features: Widths of the encoder's hidden layers, in the opposite order those of the decoder.
    """

    hidden_features: tuple[int, ...] = (300, 300)

    def encoder(self, data_shape: Shape, code_shape: Shape, condition_shape: Shape = ()) -> nn.Module:
        """A network from ``(N, *data_shape)`` to ``(N, *code_shape)``."""
        in_features = math.prod(data_shape) + numbers_of(condition_shape)
        layers = self._layers(in_features, self.hidden_features, code_length(code_shape, self))
        # Flatten keeps the places of the layers, by which a checkpoint names them.
        return VectorLayers(nn.Flatten(), *layers)

    def decoder(self, code_shape: Shape, data_shape: Shape, condition_shape: Shape = ()) -> nn.Module:
        """A network from ``(N, *code_shape)`` to ``(N, *data_shape)``, without an output activation."""
        in_features = code_length(code_shape, self) + numbers_of(condition_shape)
        layers = self._layers(in_features, self.hidden_features[::-1], math.prod(data_shape))
        return VectorLayers(*layers, nn.Unflatten(1, tuple(data_shape)))

    def _layers(self, in_features: int, hidden_features: Sequence[int], out_features: int) -> list[nn.Module]:
        widths = [in_features, *hidden_features]
        return [*(GatedLinear(*pair) for pair in pairwise(widths)), nn.Linear(widths[-1], out_features)]


class MLPGenerator(nn.Module):
    """Latent variables, and a condition beside them, to data: linear layers, batch norm, ReLU; tanh for images."""

    def __init__(self, widths: Sequence[int], data_shape: Shape, batch_norm: bool) -> None:
        super().__init__()
        between = [nn.BatchNorm1d, relu] if batch_norm else [relu]
        # Images are in [-1, 1]; points have no bounds.
        bounding = [nn.Tanh()] if is_image(data_shape) else []
        self.layers = nn.Sequential(perceptron(widths, *between), *bounding, nn.Unflatten(1, tuple(data_shape)))

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """``(N, *latent_shape)`` and ``(N, *condition_shape)`` to ``(N, *data_shape)``, images in [-1, 1]."""
        output: Tensor = self.layers(concatenate(z, condition))
        return output


class MLPDiscriminator(LayeredDiscriminator):
    """Data, and a condition beside them, to logits: linear layers, perhaps a norm, LeakyReLU(0.2), dropout."""

    def __init__(self, widths: Sequence[int], dropout: float, norm: VectorNorm = "none") -> None:
        between = [] if norm == "none" else [lambda features: norm_of_vectors(norm, features)[0]]
        # The last linear layer is the head, which a model may replace.
        *layers, head = perceptron(widths, *between, lambda _: nn.LeakyReLU(0.2), lambda _: nn.Dropout(dropout))
        super().__init__(VectorLayers(*layers), head, (widths[-2],))


@dataclass(frozen=True)
class MLPPlayers(Players):
    """Fully connected generator and discriminator; a condition is concatenated to the input of each.

    Args:
        generator_features: Widths of the generator's hidden layers.
        discriminator_features: Widths of the discriminator's hidden layers.
        dropout: Probability that a hidden unit of the discriminator is dropped in training.
        batch_norm: Whether the generator has batch norm, which reaches good images in a fraction of the steps.
        discriminator_norm: What normalises the discriminator's hidden layers; no batch norm with penalties of its
            gradient.
    """

    generator_features: tuple[int, ...] = (256, 512, 1024)
    discriminator_features: tuple[int, ...] = (512, 256)
    dropout: float = 0.3
    batch_norm: bool = True
    discriminator_norm: VectorNorm = "none"

    def generator(self, latent_shape: Shape, data_shape: Shape, condition_shape: Shape = ()) -> nn.Module:
        """A network from ``(N, *latent_shape)`` to ``(N, *data_shape)`` in [-1, 1]."""
        in_features = code_length(latent_shape, self) + numbers_of(condition_shape)
        widths = [in_features, *self.generator_features, math.prod(data_shape)]
        return MLPGenerator(widths, data_shape, self.batch_norm)

    def discriminator(self, data_shape: Shape, condition_shape: Shape = ()) -> Discriminator:
        """A network from ``(N, *data_shape)`` to logits ``(N,)``."""
        in_features = math.prod(data_shape) + numbers_of(condition_shape)
        return MLPDiscriminator([in_features, *self.discriminator_features, 1], self.dropout, self.discriminator_norm)
