"""The two directions of a sampler as functions of tensors alone, which is what can be written to a file."""

import copy
from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from genzoo.noise import BatchNoise, Noise, Stream
from genzoo.precision import at_least_float32
from genzoo.sampling.autoencoders import EncodingSampler
from genzoo.sampling.conditions import Condition
from genzoo.sampling.sampler import Sampler


class Part(nn.Module, ABC):
    """One direction of a sampler, without a look at whether what it gets fits.

    Args:
        sampler: In eval mode.

    Attributes:
        name: Of the part, by which its file is called.
        takes: Name of its input.
        gives: Name of its output.
    """

    name: ClassVar[str]
    takes: ClassVar[str]
    gives: ClassVar[str]

    def __init__(self, sampler: Sampler) -> None:
        super().__init__()
        self.sampler = sampler

    @abstractmethod
    def forward(self, given: Tensor, y: Tensor | None = None) -> Tensor:
        """The output in float32 at least.

        Args:
            given: Latent variables ``(N, *latent_shape)``, or data ``(N, *data_shape)``.
            y: For conditional models, labels of the kind that batches of the data have.
        """

    @abstractmethod
    def items(self, number: int, y: Tensor | None, noise: Noise) -> Tensor:
        """Inputs such as the part meets in use."""

    @property
    def input_names(self) -> list[str]:
        """Of all inputs, in their order."""
        return [self.takes, "y"] if self.sampler.condition.shape else [self.takes]

    def examples(self, number: int) -> tuple[Tensor, ...]:
        """Inputs such as the part meets in use, always the same: ``number`` of each kind, in the order of their names.

        Raises:
            RuntimeError: If the sampler has a density that has not been fitted.
        """
        noise = BatchNoise(self.sampler.device, 0, Stream.SAMPLING, number)
        if not self.sampler.condition.shape:
            return (self.items(number, None, noise),)
        y = labels(self.sampler.condition, number, noise)
        return self.items(number, y, noise), y


class Decoder(Part):
    """Latent variables to data: the generator of a game, or the decoder of an autoencoder."""

    name, takes, gives = "decoder", "z", "x"

    def forward(self, given: Tensor, y: Tensor | None = None) -> Tensor:
        """``(N, *latent_shape)`` to ``(N, *data_shape)``, images in [-1, 1]: what `Sampler.decode` gives."""
        return at_least_float32(self.sampler.generate(given, self.sampler.as_networks_get(y)))

    def items(self, number: int, y: Tensor | None, noise: Noise) -> Tensor:
        """Draws of the density or the prior; normal numbers where there is neither."""
        if self.sampler.can_sample:
            return self.sampler.prior_sample(number, noise)
        return noise.normal(number, *self.sampler.latent_shape)


class Encoder(Part):
    """Data to latent variables; the means of these where they are random."""

    name, takes, gives = "encoder", "x", "z"
    sampler: EncodingSampler

    def forward(self, given: Tensor, y: Tensor | None = None) -> Tensor:
        """``(N, *data_shape)`` to ``(N, *latent_shape)``: what `EncodingSampler.encode` gives."""
        return at_least_float32(self.sampler.infer(given, self.sampler.as_networks_get(y)))

    def items(self, number: int, y: Tensor | None, noise: Noise) -> Tensor:
        """What the decoder makes of its own examples."""
        decoder = Decoder(self.sampler)
        data: Tensor = decoder(decoder.items(number, y, noise), y)
        return data


def parts_of(sampler: Sampler) -> list[Part]:
    """The decoder of a sampler and, where it has one, the encoder."""
    return [Decoder(sampler), *([Encoder(sampler)] if isinstance(sampler, EncodingSampler) else [])]


def in_float32(sampler: Sampler) -> Sampler:
    """A copy in eval mode whose weights are float32, which every runtime computes in, and require no gradient."""
    return copy.deepcopy(sampler).float().eval().requires_grad_(False)


def labels(condition: Condition, number: int, noise: Noise) -> Tensor:
    """Labels of all values that a condition knows, at random: floats in [-1, 1), or numbers of classes or tokens."""
    blank = condition.blank(number)
    uniform = noise.uniform(*blank.shape)
    # What is counted becomes one-hot vectors: the last dimension of what networks get is the number of values.
    return 2.0 * uniform - 1.0 if blank.is_floating_point() else (uniform * condition.shape[-1]).long()
