"""Samplers of what is trained as an encoder and a decoder: they also tell which latent variables belong to data."""

from abc import abstractmethod

from torch import Tensor

from genzoo.losses.likelihoods import Likelihood
from genzoo.networks.architectures import EncoderDecoder
from genzoo.noise import Noise
from genzoo.sampling.conditions import Condition, NoCondition
from genzoo.sampling.densities import FittedPrior
from genzoo.sampling.given import Given
from genzoo.sampling.images import Samples
from genzoo.sampling.priors import NormalPrior, Prior
from genzoo.sampling.sampler import Sampler
from genzoo.spec import DataSpec, is_image


class EncodingSampler(Sampler):
    """A sampler that has an encoder beside its decoder."""

    @abstractmethod
    def infer(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """The latent variables of data, without randomness and without a look at whether the data fit.

        Args:
            x: ``(N, *data_shape)``, images in [-1, 1].
            condition: What the networks get of their labels, ``(N, *condition.shape)``, as `condition_of` gives it.

        Returns:
            ``(N, *latent_shape)``.
        """

    def encode(self, x: Tensor, y: Given | None = None) -> Tensor:
        """The latent variables of data, without randomness.

        Args:
            x: ``(N, *data_shape)``, images in [-1, 1].
            y: Their labels, as `sample` takes them; an unconditional model does not look at them.

        Returns:
            ``(N, *latent_shape)``.

        Raises:
            ValueError: If data or labels do not fit, or a conditional model is given no labels.
        """
        return self.infer(x, self.condition_of(x, y))

    def reconstruct(self, x: Tensor, y: Given | None = None) -> Tensor:
        """Data through the bottleneck and back: ``(N, *data_shape)`` to the same shape.

        Args:
            x: ``(N, *data_shape)``, images in [-1, 1].
            y: Their labels, as `encode` takes them.

        Raises:
            ValueError: As for `encode`.
        """
        condition = self.condition_of(x, y)
        return self.generate(self.infer(x, condition), condition)

    def condition_of(self, x: Tensor, y: Given | None) -> Tensor | None:
        """The condition of data with labels y as the networks get it: ``(N, *condition.shape)``, or None.

        Raises:
            ValueError: If data or labels do not fit, or labels are missing.
        """
        self.require_data(x)
        if not self.condition.shape:
            return None
        if y is None:
            raise ValueError("a conditional model encodes data together with their labels; give y")
        return self.as_networks_get(self.condition.of_data(y, len(x)))


class AutoEncoderSampler(EncodingSampler):
    """Encoder and decoder without randomness; it samples if a density has been fitted to its codes.

    Args:
        data_spec: What the data are like.
        latent_shape: Of a code.
        networks: Builds encoder and decoder.
        density: What is fitted to the codes.
        condition: What both networks are conditioned on.
    """

    def __init__(
        self,
        data_spec: DataSpec,
        latent_shape: tuple[int, ...],
        networks: EncoderDecoder,
        density: FittedPrior | None = None,
        condition: Condition = NoCondition(),
    ) -> None:
        super().__init__(data_spec, latent_shape, condition, None, density)
        self.encoder = networks.encoder(self.data_shape, self.latent_shape, condition.shape)
        self.decoder = networks.decoder(self.latent_shape, self.data_shape, condition.shape)

    def infer(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Codes of data given a condition, ``(N, *condition.shape)``: ``(N, *latent_shape)``."""
        z: Tensor = self.encoder(self.in_own_type(x), self.condition_in_own_type(condition))
        return z

    def generate(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Data of codes given a condition, ``(N, *condition.shape)``: ``(N, *data_shape)``."""
        output: Tensor = self.decoder(self.in_own_type(z), self.condition_in_own_type(condition))
        return output.tanh() if is_image(self.data_shape) else output


class VariationalSampler(EncodingSampler):
    r"""A latent variable model and its approximate posterior.

    .. math:: p(x, z) = p(x|z) p(z), \qquad q(z|x) = N(\mu(x), \Sigma(x))

    with Sigma diagonal; all of them given the condition, where there is one.

    Args:
        data_spec: What the data are like.
        latent_shape: Of the latent variables of one item.
        networks: Builds the encoder, which gives mu and log Sigma, and the decoder.
        likelihood: p(x|z).
        prior: p(z).
        density: What is fitted to the posterior means, to draw samples from.
        condition: What both networks are conditioned on.
    """

    def __init__(
        self,
        data_spec: DataSpec,
        latent_shape: tuple[int, ...],
        networks: EncoderDecoder,
        likelihood: Likelihood,
        prior: Prior = NormalPrior(),
        density: FittedPrior | None = None,
        condition: Condition = NoCondition(),
    ) -> None:
        super().__init__(data_spec, latent_shape, condition, prior, density)
        self.likelihood = likelihood
        self.likelihood_head = likelihood.build()
        # Both moments in one output, along the first dimension, which for grids is that of channels.
        channels, *size = self.latent_shape
        self.encoder = networks.encoder(self.data_shape, (2 * channels, *size), condition.shape)
        self.decoder = networks.decoder(self.latent_shape, likelihood.decoder_shape(self.data_shape), condition.shape)

    def posterior(self, x: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mu and log Sigma of q(z|x), each ``(N, *latent_shape)``."""
        moments: Tensor = self.encoder(self.in_own_type(x), self.condition_in_own_type(condition))
        mean, log_variance = moments.chunk(2, dim=1)
        return mean, log_variance

    def likelihood_parameters(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """What parametrises p(x|z), as ``likelihood`` takes it."""
        output = self.decoder(self.in_own_type(z), self.condition_in_own_type(condition))
        parameters: Tensor = self.likelihood_head(output)
        return parameters

    def generate(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """The mean of p(x|z) given a condition, ``(N, *condition.shape)``: ``(N, *data_shape)``."""
        return self.in_own_type(self.likelihood.mean(self.likelihood_parameters(z, condition)))

    def infer(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """The posterior means of data given a condition, ``(N, *condition.shape)``: ``(N, *latent_shape)``.

        Grey images are encoded as they are; under a Bernoulli likelihood training shows the encoder their random
        binarisations.
        """
        return self.posterior(x, condition)[0]

    def sample_likelihood(self, number: int, y: Given | None = None, seed: int | None = None) -> Samples:
        """Draws z from the prior and then x from p(x|z), where `sample` gives the mean of p(x|z).

        Args:
            number: How many.
            y: As for `sample`.
            seed: As for `sample`; the same seed has the same latent variables.

        Returns:
            ``(number, *data_shape)``.
        """
        return self._whole(self._parts(number, y, seed, None, self._draw_from_likelihood))

    def _draw_from_likelihood(self, z: Tensor, y: Tensor | None, noise: Noise) -> Tensor:
        condition = self.encoded_condition(len(z), y)
        return self.likelihood.sample(self.likelihood_parameters(z, condition), noise)
