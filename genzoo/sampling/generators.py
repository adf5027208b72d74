"""Samplers of what is trained as a generator: latent variables, and perhaps a condition, to data."""

from torch import Tensor

from genzoo.networks.architectures import Players
from genzoo.sampling.conditions import Condition, NoCondition
from genzoo.sampling.priors import NormalPrior, Prior
from genzoo.sampling.sampler import Sampler
from genzoo.spec import DataSpec


class GeneratorSampler(Sampler):
    """A generator and the prior of its inputs.

    Args:
        data_spec: What the samples are like.
        latent_shape: Of the generator's inputs.
        networks: Builds the generator; its discriminator is not part of a sampler.
        prior: p(z), which the inputs are drawn from.
        condition: What the generator is conditioned on.
    """

    def __init__(
        self,
        data_spec: DataSpec,
        latent_shape: tuple[int, ...],
        networks: Players,
        prior: Prior = NormalPrior(),
        condition: Condition = NoCondition(),
    ) -> None:
        super().__init__(data_spec, latent_shape, condition, prior)
        self.generator = networks.generator(self.latent_shape, self.data_shape, condition.shape)

    def generate(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """G(z): latent variables and their condition, ``(N, *condition.shape)``, to ``(N, *data_shape)``."""
        generated: Tensor = self.generator(self.in_own_type(z), self.condition_in_own_type(condition))
        return generated
