"""Gaussian likelihoods against those of torch, and the deviation that all values share."""

import math

import pytest
import torch
from torch.distributions import Normal

from genzoo.losses.gaussian_likelihoods import Gaussian, LearnedGaussian
from genzoo.noise import BatchNoise


@pytest.fixture
def parameters():
    return torch.randn(5, 1, 4, 4, generator=torch.Generator().manual_seed(0)) * 3


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


@pytest.mark.parametrize("deviation", [0.0, -1.0, math.inf, math.nan])
def test_a_deviation_that_is_none_is_refused(deviation):
    with pytest.raises(ValueError, match=f"must be positive and finite, got {deviation}"):
        Gaussian(deviation)
    with pytest.raises(ValueError, match=f"must be positive and finite, got {deviation}"):
        LearnedGaussian(least=deviation)


@pytest.mark.parametrize("per", ["one", "value"])
def test_learned_gaussian_is_that_of_torch_distributions(per):
    raw = torch.randn(6, 4, 3, 3)
    location, deviation = raw[:, :2].tanh(), 1 / 255 + torch.nn.functional.softplus(raw[:, 2:])
    x = torch.randn(6, 2, 3, 3)
    expected = Normal(location, deviation).log_prob(x).sum(dim=(1, 2, 3))
    torch.testing.assert_close(LearnedGaussian(per).log_prob(x, raw), expected)
    samples = LearnedGaussian(per).sample(raw[:1].expand(30_000, -1, -1, -1), BatchNoise("cpu", 0))
    torch.testing.assert_close(samples.mean(0), location[0], atol=0.06, rtol=0)
    torch.testing.assert_close(samples.std(0), deviation[0], atol=0.06, rtol=0)


def test_a_shared_deviation_stands_beside_every_location_and_learns_from_all():
    module, other = LearnedGaussian("one").build().double(), LearnedGaussian("one").build()
    locations, x = torch.randn(6, 2, 3, 3, dtype=torch.float64, requires_grad=True), torch.rand(6, 2, 3, 3) * 2 - 1
    parameters = module(locations)
    assert torch.equal(parameters, torch.cat([locations, torch.zeros_like(locations)], dim=1))
    LearnedGaussian("one").log_prob(x, parameters).sum().backward()
    # Of the log-density of all values by their one raw deviation r, with sigma = least + softplus(r).
    sigma = 1 / 255 + math.log(2.0)
    slope = ((x - locations.tanh()).square() / sigma**3 - 1 / sigma).sum() * 0.5
    torch.testing.assert_close(module.raw_deviation.grad, slope.detach().view(1))
    assert locations.grad.abs().sum() > 0.0
    assert other.raw_deviation.grad is None
    assert list(module.state_dict()) == ["raw_deviation"]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_a_shared_deviation_has_the_type_of_the_weights(dtype):
    module = LearnedGaussian("one").build().to(dtype)
    assert module(torch.zeros(2, 3, dtype=dtype)).dtype == dtype


@pytest.mark.parametrize("kind", [Gaussian, LearnedGaussian])
def test_an_unknown_activation_is_refused(kind):
    with pytest.raises(ValueError, match="activation must be tanh or identity, got 'sigmoid'"):
        kind(activation="sigmoid")


def test_an_unknown_share_of_deviations_is_refused():
    with pytest.raises(ValueError, match="per must be value or one, got 'pixel'"):
        LearnedGaussian(per="pixel")
