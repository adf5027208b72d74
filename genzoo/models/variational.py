r"""The variational bound, written once (automatic optimisation).

.. math::
    \log p(x) \ge \mathrm{ELBO}(x) = E_{q(z|x)}[\log p(x|z)] - D_{KL}(q(z|x) \,\|\, p(z))

per image, in nats: the reconstruction is summed over all values of an image, the divergence over all latent
variables. Source: Kingma and Welling 2014, equations 2, 3 and 10.
"""

import math
from abc import abstractmethod
from typing import Any, ClassVar, Literal

import torch
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor, nn

from genzoo.hyperparameters import whole_number
from genzoo.losses.divergences import standard_normal_kl
from genzoo.losses.likelihoods import Bernoulli, Likelihood
from genzoo.models.base import evaluating
from genzoo.models.inference import InferenceModel
from genzoo.noise import Noise
from genzoo.precision import at_least_float32
from genzoo.sampling.given import Given
from genzoo.sampling.priors import NormalPrior

ACTIVE_VARIANCE = 0.01
KL_PER_DIMENSION = "kl_per_dimension/{:03d}"

# Importance samples per draw of noise, and rows that go through the decoder together, which bounds memory.
SAMPLES_AT_ONCE = 50
ROWS_AT_ONCE = 2048


class VariationalModel(InferenceModel):
    r"""A latent variable model with prior N(0, I), trained on the variational bound.

    .. math:: L = -E[\log p(x|z)] + \beta_t \sum_j \max(\lambda, D_{KL,j}), \qquad
        \beta_t = \beta \min(1, t / T)

    where the means over a batch stand inside the maximum. With beta = 1 and neither warm-up (T) nor free bits
    (lambda), L = -ELBO. ``elbo`` is always reported as defined above, whatever the weights.

    Sources: beta, Higgins et al. 2017; warm-up, Bowman et al. 2016 and Sonderby et al. 2016; free bits, Kingma
    et al. 2016, appendix C.8 (each latent variable a group of its own); active units, Burda et al. 2016.

    Args:
        likelihood: p(x|z); owns range, output activation and constants.
        beta: Final weight of the divergence.
        kl_warmup_steps: T, the number of steps over which the weight rises linearly to ``beta``.
        free_bits: lambda, the nats of divergence per latent variable that cost nothing.
        **kwargs: Arguments of `InferenceModel`.
    """

    monitor: ClassVar[tuple[str, Literal["min", "max"]] | None] = ("val/objective", "max")
    progress_metrics = ("train/elbo", "val/elbo")

    def __init__(
        self,
        likelihood: Likelihood = Bernoulli(),
        beta: float = 1.0,
        kl_warmup_steps: int = 0,
        free_bits: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        for name, value in {"beta": beta, "free_bits": free_bits}.items():
            if not value >= 0:
                raise ValueError(f"{name} must not be negative, got {value}")
        likelihood.require_fit(self.data_spec)
        self.likelihood = likelihood
        self.shared_parameters = nn.ParameterList([torch.zeros(1)]) if likelihood.shared_outputs else None
        self.prior = NormalPrior().build((self.latent_dim,))
        self.beta = beta
        self.kl_warmup_steps = whole_number("kl_warmup_steps", kl_warmup_steps)
        self.free_bits = free_bits

    @abstractmethod
    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """q(z|x) = N(mu(x), Sigma(x)), Sigma diagonal: mu and log Sigma of images, each ``(N, latent_dim)``."""

    @abstractmethod
    def decoder_output(self, z: Tensor) -> Tensor:
        """The decoder's raw output, ``(N, latent_dim)`` to ``(N, k * C, ...)``.

        k is ``likelihood.outputs_per_value - likelihood.shared_outputs``, and C the channels of the data.
        """

    def likelihood_parameters(self, z: Tensor) -> Tensor:
        """What parametrises p(x|z): the decoder's output, and beside it what all values share."""
        output = self.decoder_output(z)
        if self.shared_parameters is None:
            return output
        return torch.cat([output, *(shared.expand_as(output) for shared in self.shared_parameters)], dim=1)

    def elbo(self, x: Tensor, noise: Noise | None = None) -> Tensor:
        """A one-sample estimate of the bound of each image: ``(N, *data_shape)`` to ``(N,)``, in nats.

        Args:
            x: Images in [-1, 1].
            noise: Where the randomness comes from; fresh noise if left out.

        Raises:
            ValueError: If the images do not fit the model.
        """
        self.require_data(x)
        reconstruction, divergence, _ = self._terms(x, noise or self.fresh_noise())
        return reconstruction - divergence.sum(1)

    def log_likelihood(self, x: Tensor, samples: int = 500, noise: Noise | None = None) -> Tensor:
        r"""The importance-weighted bound on log p(x) of each image, in eval mode and without gradient.

        .. math:: \log p(x) \ge E \log \frac1S \sum_{s=1}^S \frac{p(x, z_s)}{q(z_s|x)}, \qquad z_s \sim q(z|x)

        It rises with S in the mean, and is exact where q is the posterior. A likelihood that draws its observation,
        such as Bernoulli, draws one per image. Source: Burda et al. 2016, equation 8.

        Args:
            x: ``(N, *data_shape)``, images in [-1, 1].
            samples: S. Memory does not grow with it.
            noise: Where the randomness comes from; fresh noise if left out. With `ImageNoise` an image's value
                depends neither on the batch size nor on the number of devices.

        Returns:
            ``(N,)``, in nats, float64; a density or a probability, as the likelihood is.

        Raises:
            ValueError: If there are no samples, or the images do not fit the model.
        """
        samples = whole_number("samples", samples, 1)
        self.require_data(x)
        noise = noise or self.fresh_noise()
        with evaluating(self):
            observation = self.likelihood.observe(x, noise)
            mean, log_variance = map(at_least_float32, self.posterior(observation))
            log_weights = []
            for start in range(0, samples, SAMPLES_AT_ONCE):
                # Drawn whole, so that the first of many samples are those of few.
                epsilon = noise.normal(len(x), SAMPLES_AT_ONCE, self.latent_dim)[:, : samples - start]
                log_weights.append(self._log_weights(observation, mean, log_variance, epsilon).logsumexp(1))
        return torch.stack(log_weights, dim=1).cpu().double().logsumexp(1) - math.log(samples)

    def _log_weights(self, observation: Tensor, mean: Tensor, log_variance: Tensor, epsilon: Tensor) -> Tensor:
        """Gives log p(x, z) - log q(z|x) at z = mean + deviation * epsilon: ``(N, S, latent_dim)`` to ``(N, S)``."""
        z = mean[:, None] + (0.5 * log_variance[:, None]).exp() * epsilon
        # The constants of both Gaussians cancel.
        log_ratio = 0.5 * (epsilon.square() - z.square() + log_variance[:, None]).sum(2)
        images = torch.arange(len(z), device=z.device).repeat_interleave(z.shape[1])
        rows = zip(z.flatten(0, 1).split(ROWS_AT_ONCE), images.split(ROWS_AT_ONCE), strict=True)
        reconstruction = [
            self.likelihood.log_prob(observation[image], self.likelihood_parameters(part)) for part, image in rows
        ]
        return torch.cat(reconstruction).view(z.shape[:2]) + log_ratio

    def encode(self, x: Tensor) -> Tensor:
        """The posterior means of images: ``(N, *data_shape)`` to ``(N, latent_dim)``.

        Grey images are encoded as they are; under a Bernoulli likelihood training shows the encoder their random
        binarisations.
        """
        self.require_data(x)
        return self.posterior(x)[0]

    def decode(self, z: Tensor, y: Given | None = None) -> Tensor:
        """The mean of p(x|z): ``(N, latent_dim)`` to ``(N, *data_shape)`` in [-1, 1]."""
        self.require_latents(z)
        self.sampling_conditions(len(z), y)
        return self.in_own_type(self.likelihood.mean(self.likelihood_parameters(z)))

    def prior_sample(self, number: int, noise: Noise | None = None) -> Tensor:
        """Draws latent variables, ``(number, latent_dim)``, from the density of the codes if there is one.

        Otherwise from the prior N(0, I), with respect to which the bound is defined in either case.
        """
        if self.density is not None:
            return super().prior_sample(number, noise)
        return self.prior.sample(whole_number("number", number), noise or self.fresh_noise())

    def sample_likelihood(self, number: int, seed: int | None = None) -> Tensor:
        """Draws z from the prior and then x from p(x|z), where `sample` gives the mean of p(x|z).

        Args:
            number: How many.
            seed: As for `sample`; the same seed has the same latent variables.

        Returns:
            ``(number, *data_shape)``.
        """
        return self._sample(number, None, seed, self._draw_from_likelihood)

    def _draw_from_likelihood(self, z: Tensor, y: Tensor | None, noise: Noise) -> Tensor:
        return self.likelihood.sample(self.likelihood_parameters(z), noise)

    # The bound, term by term

    def statistics(self, x: Tensor, y: Tensor, noise: Noise) -> dict[str, Tensor]:
        """The terms of the bound of each image, and the moments of its posterior mean."""
        reconstruction, divergence, mean = self._terms(x, noise)
        moments = {"posterior_mean": mean, "posterior_mean_squared": mean.square()}
        return {"reconstruction": reconstruction, "kl_per_dimension": divergence} | moments

    def summary(self, means: dict[str, Tensor]) -> dict[str, Tensor]:
        """The bound, its terms and the loss, from means over a batch or a whole split.

        Returns:
            ``reconstruction``, ``kl`` and ``elbo`` in nats per image; ``objective``, the negative loss with the
            final weight; ``loss``, with the weight of this step; ``active_units``, the number of latent variables
            whose posterior mean varies over images (variance above 0.01).
        """
        reconstruction, divergence = means["reconstruction"], means["kl_per_dimension"]
        variance = means["posterior_mean_squared"] - means["posterior_mean"].square()
        penalty = divergence.clamp(min=self.free_bits).sum() if self.free_bits > 0.0 else divergence.sum()
        return {
            "reconstruction": reconstruction,
            "kl": divergence.sum(),
            "elbo": reconstruction - divergence.sum(),
            "objective": reconstruction - self.beta * penalty,
            "loss": self.beta * self._warmup() * penalty - reconstruction,
            "active_units": (variance > ACTIVE_VARIANCE).sum().float(),
        }

    def reports(self) -> set[str]:
        """Names of what training and validation hand to the loggers."""
        return super().reports() | {f"val/{KL_PER_DIMENSION.format(place)}" for place in range(self.latent_dim)}

    def _report(self, prefix: str, loader: int) -> None:
        super()._report(prefix, loader)
        if loader == 0 and (loader, "kl_per_dimension") in self._means:
            for dimension, divergence in enumerate(self._means[loader, "kl_per_dimension"].compute()):
                self.log(f"{prefix}/{KL_PER_DIMENSION.format(dimension)}", divergence, sync_dist=True)

    def _terms(self, x: Tensor, noise: Noise) -> tuple[Tensor, Tensor, Tensor]:
        observation = self.likelihood.observe(x, noise)
        mean, log_variance = map(at_least_float32, self.posterior(observation))
        z = mean + (0.5 * log_variance).exp() * noise.normal(*mean.shape)
        reconstruction = self.likelihood.log_prob(observation, self.likelihood_parameters(z))
        return reconstruction, standard_normal_kl(mean, log_variance), mean

    def _warmup(self) -> float:
        if self.kl_warmup_steps == 0 or self._trainer is None or self.trainer.state.fn != TrainerFn.FITTING:
            return 1.0
        return min(1.0, (self.trainer.global_step + 1) / self.kl_warmup_steps)
