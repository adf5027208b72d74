"""What a trained model is, apart from how it was trained: networks, prior, condition and data spec, in plain torch."""

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import Self

from genzoo.hyperparameters import as_plain, whole_number
from genzoo.noise import BatchNoise, ImageNoise, Noise, Stream
from genzoo.sampling.compatibility import require_floats
from genzoo.sampling.conditions import Condition
from genzoo.sampling.densities import FittedDensity, FittedPrior
from genzoo.sampling.given import Given
from genzoo.sampling.images import Samples, as_samples
from genzoo.sampling.priors import Density, Prior
from genzoo.spec import DataSpec, is_image

# Networks are run on blocks of this size alone, the last one filled up: the last bits of what a layer computes depend
# on how many items it is given. That of the noise, of which nothing is then drawn twice.
BLOCK = ImageNoise.block_size
# Of samples that are drawn before any are handed out: what is done for each part then takes little time beside the
# networks, and a part fits into the cache of a processor.
BYTES_OF_PART, MOST_BLOCKS_OF_PART = 2**21, 16


class Sampler(nn.Module, ABC):
    """Draws data like those that a model was trained on.

    A subclass makes its networks and says in `generate` what they do. Its constructor's arguments are plain data or
    values, so that `as_plain` and `from_plain` rebuild it.

    Args:
        data_spec: What the samples are like.
        latent_shape: Of the latent variables of one item.
        condition: What samples depend on.
        prior: What latent variables are drawn from; None for what has no prior, as an autoencoder.
        density: What is fitted to codes of the data, and takes the prior's place for samples; None if nothing is.

    Attributes:
        prior: The distribution that ``prior`` makes.
        density: The distribution that ``density`` makes.
        plain_arguments: All arguments of the constructor, as plain data.
    """

    prior: Density | None
    density: FittedDensity | None
    plain_arguments: dict[str, Any]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Notes the arguments of the constructor, whichever subclass has named them."""
        sampler = super().__new__(cls)
        # Copies are made without arguments, and then given all that the original has.
        bound = inspect.signature(cls).bind_partial(*args, **kwargs)
        bound.apply_defaults()
        sampler.__dict__["plain_arguments"] = as_plain(dict(bound.arguments))
        return sampler

    def __init__(
        self,
        data_spec: DataSpec,
        latent_shape: tuple[int, ...],
        condition: Condition,
        prior: Prior | None,
        density: FittedPrior | None = None,
    ) -> None:
        super().__init__()
        self.data_spec = data_spec
        self.data_shape = tuple(data_spec["shape"])
        self.latent_shape = tuple(latent_shape)
        self.condition = condition
        self.prior = None if prior is None else prior.build(self.latent_shape)
        self.density = None
        if density is not None:
            self.replace_density(density)

    @abstractmethod
    def generate(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Turns latent variables into data, without a look at whether they fit: what training calls in each step.

        Args:
            z: ``(N, *latent_shape)``.
            condition: What they depend on as the networks get it, ``(N, *condition.shape)``.

        Returns:
            ``(N, *data_shape)``, images in [-1, 1].
        """

    def decode(self, z: Tensor, y: Given | None = None) -> Tensor:
        """Turns latent variables into data.

        Args:
            z: ``(N, *latent_shape)``.
            y: What they depend on, as `sample` takes it.

        Returns:
            ``(N, *data_shape)``, images in [-1, 1].

        Raises:
            ValueError: If latent variables or conditions do not fit.
        """
        self.require_latents(z)
        return self.generate(z, self.encoded_condition(len(z), y))

    def forward(self, z: Tensor, y: Given | None = None) -> Tensor:
        """The same as `decode`."""
        return self.decode(z, y)

    @property
    def can_sample(self) -> bool:
        """Whether there is something to draw latent variables from."""
        return self.prior is not None or self.density is not None

    def prior_sample(self, number: int, noise: Noise | None = None, truncation: float | None = None) -> Tensor:
        """Draws latent variables, ``(number, *latent_shape)``, from the fitted density if there is one, else the prior.

        Args:
            number: How many.
            noise: Where the randomness comes from; fresh noise if left out.
            truncation: How far from the middle they may lie, as `Density.truncated` takes it; anywhere if left out.

        Raises:
            RuntimeError: If there is neither, or the density has not been fitted.
            ValueError: If what they are drawn from cannot be truncated so.
        """
        drawn_from = self.prior if self.density is None else self.density
        if drawn_from is None:
            raise RuntimeError(
                "this model has no prior to draw from: it learns to reconstruct images, not how its codes are "
                "distributed; give it a density (--model.density GaussianMixtureDensity) or train a VAE to generate"
            )
        z = drawn_from.sample(whole_number("number", number), noise or self.fresh_noise())
        return z if truncation is None else drawn_from.truncated(z, truncation)

    def sample(
        self, number: int, y: Given | None = None, seed: int | None = None, truncation: float | None = None
    ) -> Samples:
        """Draws data, in eval mode and without gradient.

        Image i is a function of the weights, the seed and i alone (and of its condition), whatever the number: the
        same to the last bit on machines that compute alike.

        Args:
            number: How many.
            y: What they depend on: a class for all, by its number or its name, or one for each, ``(number,)``; or one
                vector or image for all, or one for each. Tensors, arrays or lists. Left out, labels go through all
                classes in turn.
            seed: Of the noise; drawn from torch's global generator if left out.
            truncation: Keeps latent variables near the middle of their prior, as `Density.truncated` takes it: less
                variety, and fewer samples that went astray.

        Returns:
            ``(number, *data_shape)``, images in [-1, 1], in the type of the weights; a tensor that a notebook shows.

        Raises:
            ValueError: If an argument does not fit.
        """
        return self._whole(self.batches(number, y, seed, truncation))

    def batches(
        self, number: int, y: Given | None = None, seed: int | None = None, truncation: float | None = None
    ) -> Iterator[Samples]:
        """The same samples as `sample` draws, a part at a time, in memory that does not grow with their number.

        But for conditions that are given for each, and classes that come in turn: these are all there at once.

        Args:
            number: How many in all.
            y: As for `sample`.
            seed: As for `sample`.
            truncation: As for `sample`.

        Returns:
            Samples in order, some blocks of 64 at a time, the last ones perhaps fewer.

        Raises:
            ValueError: If an argument does not fit; at once, not when the first samples are asked for.
        """
        if truncation is not None:
            self.prior_sample(0, truncation=truncation)
        return self._parts(number, y, seed, truncation, lambda z, y, noise: self.decode(z, y))

    def _whole(self, parts: Iterator[Samples]) -> Samples:
        # So that the result has its shape and type where no samples are asked for.
        none = self.in_own_type(torch.empty(0, *self.data_shape, device=self.device))
        return as_samples(torch.cat([none, *parts]), self.data_spec)

    def _parts(
        self,
        number: int,
        y: Given | None,
        seed: int | None,
        truncation: float | None,
        draw: Callable[[Tensor, Tensor | None, Noise], Tensor],
    ) -> Iterator[Samples]:
        number = whole_number("number", number)
        conditions = self.condition.given(y, number)
        seed = fresh_seed() if seed is None else whole_number("seed", seed)
        # Found once: to look for it takes a walk through the networks.
        device = self.device

        def part(start: int) -> Samples:
            # Whole blocks, the last of which may go on beyond the last sample.
            blocks = torch.arange(start, min(start + length, -(-number // BLOCK) * BLOCK)).split(BLOCK)
            noises = [ImageNoise(indices, device, seed, Stream.SAMPLING) for indices in blocks]
            with in_eval_mode(self):
                latents = [self.prior_sample(BLOCK, noise, truncation) for noise in noises]
                drawn = [
                    draw(z, self._chosen(conditions, indices), noise)
                    for z, indices, noise in zip(latents, blocks, noises, strict=True)
                ]
            return as_samples(self.in_own_type(torch.cat(drawn))[: number - start], self.data_spec)

        bytes_of_block = 4 * BLOCK * math.prod(self.data_shape)
        length = BLOCK * min(max(BYTES_OF_PART // bytes_of_block, 1), MOST_BLOCKS_OF_PART)
        return map(part, range(0, number, length))

    def _chosen(self, conditions: Tensor | None, indices: Tensor) -> Tensor | None:
        """The conditions of some samples; those beyond the last depend on what the last one does."""
        return None if conditions is None else conditions[indices.clamp(max=len(conditions) - 1)].to(self.device)

    def encoded_condition(self, number: int, y: Given | None) -> Tensor | None:
        """The condition y, as `sample` takes it, as the networks get it: ``(number, *condition.shape)``, or None."""
        return self.as_networks_get(self.condition.given(y, number))

    def as_networks_get(self, labels: Tensor | None) -> Tensor | None:
        """The condition of labels such as a batch has, where the networks are: ``(N, *condition.shape)``, or None."""
        return None if labels is None else self.condition.encode(labels.to(self.device))

    def require_data(self, x: Tensor) -> None:
        """Raises a `ValueError` unless x are items as the networks see them, floats ``(N, *data_shape)``."""
        remedy = "give items as the data module does"
        if is_image(self.data_shape):
            remedy = "bring images there with genzoo.spec.to_size, and bytes to [-1, 1] with genzoo.spec.to_float"
        require_floats(x, self.data_shape, "this model", remedy)

    def require_latents(self, z: Tensor) -> None:
        """Raises a `ValueError` unless z are latent variables, floats ``(N, *latent_shape)``."""
        require_floats(z, self.latent_shape, "the decoder of this model", "see prior_sample")

    def replace_density(self, density: FittedPrior) -> None:
        """Puts a density in the place of the one there is; it is yet to be fitted."""
        self.density = density.build(self.latent_shape).to(self.device)
        self.plain_arguments["density"] = as_plain(density)

    def trained_parts(self) -> dict[str, nn.Module]:
        """The parts that training moves, by name: all but the density, which is fitted to what they make."""
        return {name: part for name, part in self.named_children() if name != "density"}

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next((parameter.device for parameter in self.parameters()), torch.device("cpu"))

    def in_own_type(self, values: Tensor) -> Tensor:
        """Data, latent variables or conditions as the networks take them: in the type of the weights.

        Noise is float32, and so are images: a model of another type hands nothing to its networks but through this.
        """
        return values.to(next((parameter.dtype for parameter in self.parameters()), torch.float32))

    def condition_in_own_type(self, condition: Tensor | None) -> Tensor | None:
        """The same of a condition, where there is one."""
        return None if condition is None else self.in_own_type(condition)

    def fresh_noise(self) -> Noise:
        """Noise with a seed of its own, drawn from torch's global generator."""
        return BatchNoise(self.device, fresh_seed(), Stream.SAMPLING)


@contextmanager
def in_eval_mode(module: nn.Module) -> Iterator[None]:
    """Eval mode without gradient; all modes are restored afterwards."""
    # Each by itself: `module.train()` would also switch on parts that were in eval mode before, such as a frozen one.
    in_training = [part for part in module.modules() if part.training]
    # Setting attributes of modules is slow, and a loaded sampler enters this for every block.
    if in_training:
        module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part in in_training:
            part.training = True


def fresh_seed() -> int:
    """A seed from torch's global generator."""
    return int(torch.randint(2**62, ()))
