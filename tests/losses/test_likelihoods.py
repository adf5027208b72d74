import itertools

import pytest
import torch
from torch.distributions import Bernoulli as BernoulliDistribution
from torch.distributions import Normal

from genzoo.losses.likelihoods import Bernoulli, Gaussian
from genzoo.noise import BatchNoise


@pytest.fixture
def parameters():
    return torch.randn(5, 1, 4, 4, generator=torch.Generator().manual_seed(0)) * 3


def test_bernoulli_log_prob_is_that_of_torch_distributions(parameters):
    bits = (torch.rand_like(parameters) < 0.5).float()
    expected = BernoulliDistribution(logits=parameters).log_prob(bits).sum(dim=(1, 2, 3))
    torch.testing.assert_close(Bernoulli().log_prob(2 * bits - 1, parameters), expected)


def test_bernoulli_sums_to_one_over_all_images():
    logits = torch.randn(1, 1, 2, 3)
    images = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=6))).reshape(-1, 1, 2, 3)
    total = Bernoulli().log_prob(images, logits.expand(len(images), -1, -1, -1)).exp().sum()
    torch.testing.assert_close(total, torch.tensor(1.0))


def test_bernoulli_binarises_grey_values_in_proportion_and_leaves_black_and_white():
    grey = torch.tensor([-1.0, -0.5, 0.0, 0.6, 1.0]).repeat(20_000, 1)
    observed = Bernoulli().observe(grey, BatchNoise("cpu", 0))
    assert set(observed.unique().tolist()) == {-1.0, 1.0}
    torch.testing.assert_close(observed.mean(0), grey[0], atol=0.02, rtol=0)
    assert observed[:, 0].unique().tolist() == [-1.0]
    assert observed[:, 4].unique().tolist() == [1.0]


def test_bernoulli_mean_and_samples_agree(parameters):
    mean = Bernoulli().mean(parameters)
    assert -1.0 <= float(mean.min()) <= float(mean.max()) <= 1.0
    many = parameters[:1].expand(20_000, -1, -1, -1)
    samples = Bernoulli().sample(many, BatchNoise("cpu", 0))
    assert set(samples.unique().tolist()) == {-1.0, 1.0}
    torch.testing.assert_close(samples.mean(0), mean[0], atol=0.03, rtol=0)


@pytest.mark.parametrize("activation", ["tanh", "identity"])
def test_gaussian_log_prob_is_that_of_torch_distributions(parameters, activation):
    x = torch.randn_like(parameters)
    mean = torch.tanh(parameters) if activation == "tanh" else parameters
    expected = Normal(mean, 0.3).log_prob(x).sum(dim=(1, 2, 3))
    torch.testing.assert_close(Gaussian(0.3, activation).log_prob(x, parameters), expected)


def test_gaussian_integrates_to_one():
    likelihood, values = Gaussian(0.4), torch.linspace(-6, 6, 20_001)
    density = likelihood.log_prob(values[:, None], torch.full((len(values), 1), 0.7)).exp()
    torch.testing.assert_close(torch.trapezoid(density, values), torch.tensor(1.0))


def test_gaussian_samples_have_its_mean_and_deviation():
    raw = torch.full((50_000, 2), 0.5)
    samples = Gaussian(0.2).sample(raw, BatchNoise("cpu", 0))
    torch.testing.assert_close(samples.mean(0), torch.tanh(raw[0]), atol=0.01, rtol=0)
    torch.testing.assert_close(samples.std(0), torch.full((2,), 0.2), atol=0.01, rtol=0)


def test_gaussian_observes_data_as_they_are(parameters):
    assert Gaussian().observe(parameters, BatchNoise("cpu", 0)) is parameters


def test_gaussian_refuses_a_deviation_that_is_not_positive():
    with pytest.raises(ValueError, match="must be positive, got 0"):
        Gaussian(0.0)


@pytest.mark.parametrize("likelihood", [Bernoulli(), Gaussian()])
def test_log_prob_of_half_precision_parameters_is_float32(likelihood, parameters):
    observation = torch.ones_like(parameters)
    assert likelihood.log_prob(observation, parameters.bfloat16()).dtype == torch.float32
