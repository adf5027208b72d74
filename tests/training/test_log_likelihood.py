"""The importance-weighted bound against exact log-likelihoods."""

import math

import pytest
import torch
from torch.distributions import Normal

from genzoo.losses.gaussian_likelihoods import Gaussian, LearnedGaussian
from genzoo.losses.likelihoods import Bernoulli, ContinuousBernoulli, DiscretizedLogistic
from genzoo.models.vae import VAE
from genzoo.noise import BatchNoise, ImageNoise, Stream
from tests.training.test_variational import SMALL, SPEC, LinearGaussian, X


@pytest.mark.parametrize("samples", [1, 7, 120])
def test_it_is_exact_with_any_number_of_samples_at_the_true_posterior(samples):
    model = LinearGaussian()
    found = model.log_likelihood(X, samples=samples)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found.float(), model.exact(X), atol=1e-4, rtol=0)


@pytest.mark.parametrize("error", [{"mean_error": 0.3}, {"log_variance_error": 1.0}])
def test_it_rises_in_the_mean_towards_the_exact_value_elsewhere(error):
    model = LinearGaussian(**error)
    many = X[:2].repeat(500, 1)
    means = [
        model.log_likelihood(many, samples=samples, noise=BatchNoise("cpu", samples)).mean()
        for samples in (1, 4, 16, 200)
    ]
    exact = model.exact(X[:2]).mean()
    assert means == sorted(means)
    assert exact - means[0] > 0.05
    assert float(means[-1]) == pytest.approx(float(exact), abs=0.02)


def test_it_is_the_formula_of_torch_distributions():
    model = VAE(data_spec=SPEC, latent_dim=3, networks=SMALL, likelihood=Gaussian(0.3))
    x = torch.rand(4, *model.data_shape) * 2 - 1
    z_noise = BatchNoise("cpu", 5).normal(4, 50, 3)[:, :6]
    mean, log_variance = model.eval().sampler.posterior(x, None)
    posterior = Normal(mean[:, None], (0.5 * log_variance[:, None]).exp())
    z = mean[:, None] + posterior.stddev * z_noise
    with torch.no_grad():
        log_joint = Normal(0.0, 1.0).log_prob(z).sum(2) + torch.stack(
            [Normal(model.decode(z[i]), 0.3).log_prob(x[i]).flatten(1).sum(1) for i in range(4)]
        )
        expected = (log_joint - posterior.log_prob(z).sum(2)).double().logsumexp(1) - math.log(6)
    torch.testing.assert_close(
        model.log_likelihood(x, samples=6, noise=BatchNoise("cpu", 5)), expected, atol=0.05, rtol=1e-6
    )


LIKELIHOODS = [
    Bernoulli(),
    Gaussian(0.3),
    ContinuousBernoulli(),
    LearnedGaussian(),
    LearnedGaussian(per="value"),
    DiscretizedLogistic(),
]


@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=lambda value: type(value).__name__)
def test_every_likelihood_has_one_and_it_depends_on_images_alone(likelihood, monkeypatch):
    model = VAE(data_spec=SPEC, latent_dim=3, networks=SMALL, likelihood=likelihood)
    x = torch.rand(70, *model.data_shape) * 2 - 1

    def found(indices, samples=60):
        noise = ImageNoise(indices, "cpu", 0, Stream.EVALUATION)
        return model.log_likelihood(x[indices], samples=samples, noise=noise)

    whole = found(torch.arange(70))
    assert whole.isfinite().all()
    monkeypatch.setattr("genzoo.training.variational.ROWS_AT_ONCE", 64)
    in_parts = torch.cat([found(part) for part in torch.arange(70).split(32)])
    torch.testing.assert_close(in_parts, whole, atol=1e-2, rtol=1e-5)
    ranks = torch.empty_like(whole)
    for rank in (0, 1):
        ranks[rank::2] = found(torch.arange(rank, 70, 2))
    torch.testing.assert_close(ranks, whole, atol=1e-2, rtol=1e-5)


def test_the_mode_of_the_model_is_left_and_no_gradient_kept():
    model = VAE(data_spec=SPEC, latent_dim=3, networks=SMALL).train()
    assert not model.log_likelihood(torch.zeros(2, *model.data_shape), samples=2).requires_grad
    assert model.training
    with pytest.raises(ValueError, match="samples must be at least 1, got 0"):
        model.log_likelihood(torch.zeros(2, *model.data_shape), samples=0)
