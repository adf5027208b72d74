import pytest
import scipy.stats
import torch

from genzoo.latent.quantiles import latent_quantiles
from genzoo.sampling.densities import GaussianMixtureDensity
from genzoo.sampling.priors import UniformPrior
from tests.latent.samplers import autoencoder, generator, normal

PROBABILITIES = torch.tensor([0.001, 0.1, 0.5, 0.8], dtype=torch.float64)


def test_those_of_a_normal_prior():
    found = latent_quantiles(generator(3), PROBABILITIES)
    expected = torch.from_numpy(scipy.stats.norm.ppf(PROBABILITIES.numpy()))
    torch.testing.assert_close(found, expected[:, None].expand(4, 3))


def test_those_of_a_uniform_prior():
    found = latent_quantiles(generator(3, prior=UniformPrior()), PROBABILITIES)
    torch.testing.assert_close(found[:, 0], torch.tensor([-0.998, -0.8, 0.0, 0.6], dtype=torch.float64))


def test_those_of_a_fitted_density():
    sampler = autoencoder(2)
    sampler.replace_density(GaussianMixtureDensity(components=1))
    sampler.density.fit(normal(5000, 2) * torch.tensor([1.0, 4.0]) + torch.tensor([10.0, 0.0]))
    found = latent_quantiles(sampler, PROBABILITIES[1:])
    expected = torch.from_numpy(scipy.stats.norm.ppf(PROBABILITIES[1:].numpy()))
    torch.testing.assert_close(found[:, 0], 10.0 + expected, atol=0.1, rtol=0.0)
    torch.testing.assert_close(found[:, 1], 4.0 * expected, atol=0.4, rtol=0.0)


def test_those_of_given_codes_where_nothing_can_be_drawn():
    codes = torch.arange(101.0)[:, None] * torch.tensor([1.0, -2.0])
    found = latent_quantiles(autoencoder(2), PROBABILITIES[1:], codes)
    torch.testing.assert_close(found[:, 0], torch.tensor([10.0, 50.0, 80.0], dtype=torch.float64))
    torch.testing.assert_close(found[:, 1], torch.tensor([-180.0, -100.0, -40.0], dtype=torch.float64))


def test_nothing_to_take_them_from_is_refused():
    with pytest.raises(ValueError, match="no prior to draw codes from"):
        latent_quantiles(autoencoder(2), PROBABILITIES)


@pytest.mark.parametrize("probability", [0.0, 1.0, float("nan")])
def test_probabilities_out_of_range_are_refused(probability):
    with pytest.raises(ValueError, match="between 0 and 1"):
        latent_quantiles(generator(3), torch.tensor([probability]))
