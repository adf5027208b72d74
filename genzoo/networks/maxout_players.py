r"""Perceptrons with maxout in the discriminator: the players of PacGAN's experiments on points.

Source: Lin et al., "PacGAN: The power of two samples in generative adversarial networks", NeurIPS 2018, section 4.1
(after Dumoulin et al. 2017). Maxout is from Goodfellow et al. 2013, and in the discriminator of the first GAN
(Goodfellow et al. 2014, section 5).

From the paper: four hidden layers of 400 with batch norm and ReLU in the generator, three of 200 maxout units of 5
pieces in the discriminator, weights from N(0, 0.02^2), no bias before batch norm. Not from it: a condition, beside the
input of both, and tanh at the output where data are images.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from genzoo.networks.architectures import Players
from genzoo.networks.conditioning import Shape, VectorLayers, code_length, numbers_of
from genzoo.networks.discriminator import Discriminator, LayeredDiscriminator
from genzoo.networks.maxout import Maxout
from genzoo.spec import is_image

STANDARD_DEVIATION = 0.02


@dataclass(frozen=True)
class MaxoutPlayers(Players):
    """Fully connected generator, and discriminator of maxout units; a condition is concatenated to the input of each.

    Args:
        generator_features: Widths of the generator's hidden layers.
        discriminator_features: Maxout units of the discriminator's hidden layers.
        pieces: Linear functions of each unit.
    """

    generator_features: tuple[int, ...] = (400, 400, 400, 400)
    discriminator_features: tuple[int, ...] = (200, 200, 200)
    pieces: int = 5

    def generator(self, latent_shape: Shape, data_shape: Shape, condition_shape: Shape = ()) -> nn.Module:
        """A network from ``(N, *latent_shape)`` to ``(N, *data_shape)``, images in [-1, 1]."""
        widths = [code_length(latent_shape, self) + numbers_of(condition_shape), *self.generator_features]
        layers: list[nn.Module] = []
        for fan_in, fan_out in pairwise(widths):
            layers += [nn.Linear(fan_in, fan_out, bias=False), nn.BatchNorm1d(fan_out), nn.ReLU()]
        layers.append(nn.Linear(widths[-1], math.prod(data_shape)))
        bounding = [nn.Tanh()] if is_image(data_shape) else []
        return VectorLayers(*layers, *bounding, nn.Unflatten(1, tuple(data_shape))).apply(initialise)

    def discriminator(self, data_shape: Shape, condition_shape: Shape = ()) -> Discriminator:
        """A network from ``(N, *data_shape)`` to logits ``(N,)``."""
        widths = [math.prod(data_shape) + numbers_of(condition_shape), *self.discriminator_features]
        layers = [Maxout(*pair, self.pieces) for pair in pairwise(widths)]
        network = LayeredDiscriminator(VectorLayers(*layers), nn.Linear(widths[-1], 1), (widths[-1],))
        network.apply(initialise)
        return network


def initialise(module: nn.Module) -> None:
    """Draws the weights of a linear layer from N(0, 0.02^2); biases begin at 0."""
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0.0, STANDARD_DEVIATION)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
