"""A sampler of a second stage: it draws codes of a first one, which it holds, and decodes them."""

import torch
from torch import Tensor, nn

from genzoo.sampling.autoencoders import EncodingSampler
from genzoo.sampling.priors import NormalPrior
from genzoo.spec import DataSpec


class Scaling(nn.Module):
    """From N(0, I) to a Gaussian with another mean and other deviations."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(length))
        self.log_deviation = nn.Parameter(torch.zeros(length))

    def forward(self, z: Tensor) -> Tensor:
        return self.mean + self.log_deviation.exp() * z

    def inverse(self, codes: Tensor) -> Tensor:
        return (codes - self.mean) / self.log_deviation.exp()


class CodeSampler(EncodingSampler):
    """Codes of a first stage are Gaussian, with means and deviations that are learned.

    Args:
        data_spec: What the samples are like.
        first: The first stage, which stays as it is.
    """

    def __init__(self, data_spec: DataSpec, first: EncodingSampler) -> None:
        super().__init__(data_spec, first.latent_shape, first.condition, NormalPrior())
        self.first = first.requires_grad_(False)
        self.scaling = Scaling(*first.latent_shape)

    def infer(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.scaling.inverse(self.first.infer(x, condition))

    def generate(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.first.generate(self.scaling(self.in_own_type(z)), condition)

    def train(self, mode: bool = True) -> "CodeSampler":
        super().train(mode)
        self.first.eval()
        return self

    def trained_parts(self) -> dict[str, nn.Module]:
        return {"scaling": self.scaling}
