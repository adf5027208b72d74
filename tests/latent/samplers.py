"""Small samplers whose codes and items can be worked out by hand."""

import torch
from torch import nn

from genzoo.losses.gaussian_likelihoods import Gaussian
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.sampling.autoencoders import AutoEncoderSampler, VariationalSampler
from genzoo.sampling.conditions import ClassCondition, NoCondition
from genzoo.sampling.generators import GeneratorSampler
from genzoo.sampling.priors import NormalPrior
from genzoo.spec import DataSpec


def normal(*shape):
    """The same normal numbers in every run of the tests."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def seeded(make):
    torch.manual_seed(0)
    return make().eval()


def generator(latents=5, condition=NoCondition(), prior=NormalPrior(), data_shape=(1, 4, 4)):
    spec = DataSpec(shape=[*data_shape])
    return seeded(lambda: GeneratorSampler(spec, (latents,), MLPPlayers((8,), (8,)), prior, condition))


def autoencoder(latents=2):
    return seeded(lambda: AutoEncoderSampler(DataSpec(shape=[1, 4, 4]), (latents,), MLPEncoderDecoder((8,))))


def variational(latents=5, condition=NoCondition()):
    networks = MLPEncoderDecoder((8,))
    spec = DataSpec(shape=[1, 4, 4])
    return seeded(lambda: VariationalSampler(spec, (latents,), networks, Gaussian(), condition=condition))


class Scaling(nn.Module):
    """A decoder of points whose entries are the first two latent variables, each times a factor."""

    def __init__(self, *factors):
        super().__init__()
        self.factors = nn.Parameter(torch.tensor(factors))

    def forward(self, z, condition=None):
        return z * self.factors


def scaling(*factors, prior=NormalPrior()):
    """A generator that multiplies every latent variable by its factor."""
    sampler = generator(len(factors), NoCondition(), prior, (len(factors),))
    sampler.generator = Scaling(*factors)
    return sampler


CLASSES = ClassCondition(("left", "middle", "right"))
