"""A sampler whose generator is linear, for which everything has a closed form."""

import torch
from torch import nn

from genzoo.sampling.conditions import Condition, NoCondition
from genzoo.sampling.priors import NormalPrior, Prior
from genzoo.sampling.sampler import Sampler
from genzoo.spec import DataSpec


class LinearSampler(Sampler):
    """x = W z + b, and of a condition c, x = W z + b + V c: L latent variables to points of D coordinates."""

    def __init__(
        self,
        latent_dim: int = 3,
        data_dim: int = 5,
        prior: Prior | None = NormalPrior(),
        condition: Condition = NoCondition(),
    ):
        super().__init__(DataSpec(shape=[data_dim]), (latent_dim,), condition, prior)
        generator = torch.Generator().manual_seed(0)
        self.weight = nn.Parameter(torch.randn(data_dim, latent_dim, generator=generator))
        self.bias = nn.Parameter(torch.randn(data_dim, generator=generator))
        self.of_condition = nn.Parameter(torch.randn(data_dim, *condition.shape or (1,), generator=generator))
        # Of two modes, as networks have parts.
        self.dropout = nn.Dropout(0.5)

    def generate(self, z, condition=None):
        x = self.dropout(z) @ self.weight.T + self.bias
        return x if condition is None else x + condition @ self.of_condition.T


class EncodingLinearSampler(LinearSampler):
    """The same with an encoder: the least-squares solution."""

    def encode(self, x, y=None):
        return (x - self.bias) @ torch.linalg.pinv(self.weight).T

    def reconstruct(self, x, y=None):
        return self.generate(self.encode(x, y))
