r"""The variational bound, written once (automatic optimisation).

.. math::
    \log p(x) \ge \mathrm{ELBO}(x) = E_{q(z|x)}[\log p(x|z)] - D_{KL}(q(z|x) \,\|\, p(z))

per image, in nats: the reconstruction is summed over all values of an image, the divergence over all latent
variables. In a conditional model p(x|z) and q(z|x) are given the condition, p(z) is not. Source: Kingma and Welling
2014, equations 2, 3 and 10; the conditional bound, Sohn et al. 2015, equation 4.
"""

import math
from abc import abstractmethod
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from genzoo.hyperparameters import whole_number
from genzoo.loggers import log_histogram
from genzoo.losses.likelihoods import Bernoulli, Likelihood
from genzoo.noise import Noise
from genzoo.precision import at_least_float32
from genzoo.sampling.autoencoders import VariationalSampler
from genzoo.sampling.given import Given
from genzoo.sampling.images import Samples
from genzoo.sampling.priors import Density, NormalPrior, Prior
from genzoo.training.descent import DescentModel
from genzoo.training.inference import InferenceModel
from genzoo.training.model import evaluating

ACTIVE_VARIANCE = 0.01
KL_PER_DIMENSION = "kl_per_dimension/{:03d}"

# Importance samples per draw of noise, and rows that go through the decoder together, which bounds memory.
SAMPLES_AT_ONCE = 50
ROWS_AT_ONCE = 2048


class VariationalModel(InferenceModel, DescentModel):
    r"""A latent variable model, trained on the variational bound.

    .. math:: L = -E[\log p(x|z)] + \beta_t \sum_j \max(\lambda, D_{KL,j}), \qquad
        \beta_t = \beta \min(1, t / T)

    where the means over a batch stand inside the maximum. With beta = 1 and neither warm-up (T) nor free bits
    (lambda), L = -ELBO. ``elbo`` is always reported as defined above, whatever the weights. Where the prior has no
    divergence in closed form it is estimated at the one z that is drawn, and counts as one latent variable.

    Sources: beta, Higgins et al. 2017; warm-up, Bowman et al. 2016 and Sonderby et al. 2016; free bits, Kingma
    et al. 2016, appendix C.8 (each latent variable a group of its own); active units, Burda et al. 2016.

    Args:
        likelihood: p(x|z); owns range, output activation and constants.
        prior: p(z).
        beta: Final weight of the divergence.
        kl_warmup_steps: T, the number of steps over which the weight rises linearly to ``beta``.
        free_bits: lambda, the nats of divergence per latent variable that cost nothing.
        **kwargs: Arguments of `InferenceModel` and `DescentModel`.
    """

    monitor: ClassVar[tuple[str, Literal["min", "max"]] | None] = ("val/objective", "max")
    progress_metrics = ("train/elbo", "val/elbo")

    sampler: VariationalSampler
    acting: VariationalSampler

    # Abstract, since a subclass has to make the sampler.
    @abstractmethod
    def __init__(
        self,
        likelihood: Likelihood = Bernoulli(),
        prior: Prior = NormalPrior(),
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
        self.prior = prior
        self.beta = beta
        self.kl_warmup_steps = whole_number("kl_warmup_steps", kl_warmup_steps)
        self.free_bits = free_bits

    def sample_likelihood(self, number: int, y: Given | None = None, seed: int | None = None) -> Samples:
        """Draws z from the prior and then x from p(x|z), as `VariationalSampler.sample_likelihood` does."""
        self._refresh_density()
        with evaluating(self):
            return self.together(lambda: self.acting.sample_likelihood(number, y, seed))

    def elbo(self, x: Tensor, y: Given | None = None, noise: Noise | None = None) -> Tensor:
        """A one-sample estimate of the bound of each image: ``(N, *data_shape)`` to ``(N,)``, in nats.

        Args:
            x: Images in [-1, 1].
            y: Their labels, which an unconditional model does not look at.
            noise: Where the randomness comes from; fresh noise if left out.

        Raises:
            ValueError: If images or labels do not fit the model.
        """
        condition = self.acting.condition_of(x, y)
        reconstruction, divergence, _ = self._terms(x, condition, noise or self.acting.fresh_noise())
        return reconstruction - divergence.sum(1)

    def log_likelihood(
        self, x: Tensor, y: Given | None = None, samples: int = 500, noise: Noise | None = None
    ) -> Tensor:
        r"""The importance-weighted bound on log p(x) of each image, in eval mode and without gradient.

        .. math:: \log p(x) \ge E \log \frac1S \sum_{s=1}^S \frac{p(x, z_s)}{q(z_s|x)}, \qquad z_s \sim q(z|x)

        It rises with S in the mean, and is exact where q is the posterior. A likelihood that draws its observation,
        such as Bernoulli, draws one per image. Source: Burda et al. 2016, equation 8.

        Args:
            x: ``(N, *data_shape)``, images in [-1, 1].
            y: Their labels, which an unconditional model does not look at.
            samples: S. Memory does not grow with it.
            noise: Where the randomness comes from; fresh noise if left out. With `ImageNoise` an image's value
                depends neither on the batch size nor on the number of devices.

        Returns:
            ``(N,)``, in nats, float64; a density or a probability, as the likelihood is.

        Raises:
            ValueError: If there are no samples, or images or labels do not fit the model.
        """
        samples = whole_number("samples", samples, 1)
        with evaluating(self):
            condition = self.acting.condition_of(x, y)
            noise = noise or self.acting.fresh_noise()
            observation = self.likelihood.observe(x, noise)
            mean, log_variance = map(at_least_float32, self.acting.posterior(observation, condition))
            log_weights = []
            for start in range(0, samples, SAMPLES_AT_ONCE):
                # Drawn whole, so that the first of many samples are those of few.
                epsilon = noise.normal(len(x), SAMPLES_AT_ONCE, *self.latent_shape)[:, : samples - start]
                weights = self._log_weights(observation, condition, mean, log_variance, epsilon)
                log_weights.append(weights.logsumexp(1))
        return torch.stack(log_weights, dim=1).cpu().double().logsumexp(1) - math.log(samples)

    def _log_weights(
        self, observation: Tensor, condition: Tensor | None, mean: Tensor, log_variance: Tensor, epsilon: Tensor
    ) -> Tensor:
        """Gives log p(x, z) - log q(z|x) at z = mean + deviation * epsilon: ``(N, S, *latent_shape)`` to ``(N, S)``."""
        z = mean[:, None] + (0.5 * log_variance[:, None]).exp() * epsilon
        log_ratio = self._log_ratio(z, epsilon, log_variance[:, None])
        images = torch.arange(len(z), device=z.device).repeat_interleave(z.shape[1])
        rows = zip(z.flatten(0, 1).split(ROWS_AT_ONCE), images.split(ROWS_AT_ONCE), strict=True)
        reconstruction = [
            self.likelihood.log_prob(
                observation[image],
                self.acting.likelihood_parameters(part, None if condition is None else condition[image]),
            )
            for part, image in rows
        ]
        return torch.cat(reconstruction).view(z.shape[:2]) + log_ratio

    def statistics(self, x: Tensor, y: Tensor, noise: Noise) -> dict[str, Tensor]:
        """The terms of the bound of each image, and the moments of its posterior mean."""
        reconstruction, divergence, mean = self._terms(x, self.condition.encode(y), noise)
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
        origin = torch.zeros(1, *self.latent_shape, device=self.device)
        groups = 1 if self._prior.kl(origin, origin) is None else origin.numel()
        return super().reports() | {f"val/{KL_PER_DIMENSION.format(place)}" for place in range(groups)}

    def report(self, part: str, means: dict[str, Tensor]) -> None:
        """Logs the summary and, of held-out images, the divergence of each latent variable: of all a histogram."""
        super().report(part, means)
        if means and part != "val/training":
            divergences = means["kl_per_dimension"]
            for dimension, divergence in enumerate(divergences):
                self.log(f"{part}/{KL_PER_DIMENSION.format(dimension)}", divergence, sync_dist=True, logger=False)
            if not self.trainer.sanity_checking:
                # Numbers of the same moment carry that of the last step, counted from 0.
                step = self.trainer.global_step - self.is_fitting
                for logger in self.trainer.loggers:
                    log_histogram(logger, f"{part}/kl_per_dimension", divergences.float().cpu().numpy(), step)

    def _terms(self, x: Tensor, condition: Tensor | None, noise: Noise) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstruction ``(N,)``, divergence ``(N, groups)`` and posterior mean ``(N, latent variables)``."""
        observation = self.likelihood.observe(x, noise)
        mean, log_variance = map(at_least_float32, self.acting.posterior(observation, condition))
        epsilon = noise.normal(*mean.shape)
        z = mean + (0.5 * log_variance).exp() * epsilon
        parameters = self.acting.likelihood_parameters(z, condition)
        reconstruction = self.likelihood.log_prob(observation, parameters)
        divergence = self._prior.kl(mean, log_variance)
        if divergence is None:
            divergence = -self._log_ratio(z[:, None], epsilon[:, None], log_variance[:, None])
        return reconstruction, divergence.flatten(1), mean.flatten(1)

    def _log_ratio(self, z: Tensor, epsilon: Tensor, log_variance: Tensor) -> Tensor:
        """Gives log p(z) - log q(z|x) at z = mean + deviation * epsilon: ``(N, S, *latent_shape)`` to ``(N, S)``."""
        log_posterior = -0.5 * (epsilon.square() + log_variance + math.log(2.0 * math.pi)).flatten(2).sum(2)
        return self._prior.log_prob(z.flatten(0, 1)).view(z.shape[:2]) - log_posterior

    @property
    def _prior(self) -> Density:
        # Not the density of the codes, which takes the prior's place for samples alone.
        prior = self.acting.prior
        assert prior is not None
        return prior

    def _warmup(self) -> float:
        if self.kl_warmup_steps == 0 or not self.is_fitting:
            return 1.0
        return min(1.0, (self.trainer.global_step + 1) / self.kl_warmup_steps)
