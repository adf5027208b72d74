"""Small samplers of every kind that is exported."""

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from genzoo.losses.gaussian_likelihoods import LearnedGaussian
from genzoo.losses.likelihoods import Bernoulli, ContinuousBernoulli, DiscretizedLogistic
from genzoo.networks.architectures import EncoderDecoder
from genzoo.networks.conditioning import VectorLayers, numbers_of
from genzoo.networks.convolutional import ConvolutionalEncoderDecoder
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.image_to_image import ImageToImagePlayers
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.sampling.autoencoders import AutoEncoderSampler, VariationalSampler
from genzoo.sampling.conditions import ClassCondition, ImageCondition, TokenCondition, VectorCondition
from genzoo.sampling.densities import GaussianMixtureDensity
from genzoo.sampling.generators import GeneratorSampler
from genzoo.sampling.priors import UniformPrior
from genzoo.spec import DataSpec, image_spec

CLASSES = ClassCondition(("shirt", "shoe", "bag"))
GREY, POINTS = image_spec(1, 8), DataSpec(shape=[2])


@dataclass(frozen=True)
class GridEncoderDecoder(EncoderDecoder):
    """One linear layer each way, to codes of any shape."""

    def encoder(self, data_shape, code_shape, condition_shape=()):
        width = math.prod(data_shape) + numbers_of(condition_shape)
        return VectorLayers(nn.Linear(width, math.prod(code_shape)), nn.Unflatten(1, tuple(code_shape)))

    def decoder(self, code_shape, data_shape, condition_shape=()):
        return self.encoder(code_shape, data_shape, condition_shape)


PERCEPTRONS, SMALL = MLPEncoderDecoder((8,)), MLPPlayers((8,), (8,))
SAMPLERS = {
    "generator": partial(
        GeneratorSampler, image_spec(3, 16, 14), (5,), DCGANPlayers(4, "resize"), UniformPrior(), condition=CLASSES
    ),
    "generator of points": partial(GeneratorSampler, POINTS, (3,), SMALL, condition=TokenCondition(2, 7)),
    "generator from images": partial(
        GeneratorSampler, GREY, (3,), ImageToImagePlayers(4), condition=ImageCondition((1, 8, 8))
    ),
    "variational": partial(
        VariationalSampler, GREY, (4,), ConvolutionalEncoderDecoder(4), ContinuousBernoulli(), condition=CLASSES
    ),
    "variational, levels": partial(VariationalSampler, GREY, (4,), PERCEPTRONS, DiscretizedLogistic()),
    "variational, bits": partial(VariationalSampler, GREY, (4,), PERCEPTRONS, Bernoulli()),
    "variational of points": partial(
        VariationalSampler, POINTS, (2,), PERCEPTRONS, LearnedGaussian(activation="identity")
    ),
    "autoencoder": partial(
        AutoEncoderSampler, GREY, (2, 3, 3), GridEncoderDecoder(), condition=VectorCondition(3)
    ),
    "autoencoder with a density": partial(
        AutoEncoderSampler, GREY, (3,), PERCEPTRONS, density=GaussianMixtureDensity(2)
    ),
}  # fmt: skip


def sampler_named(name):
    """A sampler with weights as far from their start as training takes them, batch statistics included."""
    torch.manual_seed(0)
    sampler = SAMPLERS[name]().eval()
    for values in sampler.state_dict().values():
        if values.is_floating_point():
            values.add_(0.1 * torch.rand_like(values))
    if sampler.density is not None:
        sampler.density.codes_seen.fill_(100)
    return sampler
