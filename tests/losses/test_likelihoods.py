import itertools
import math

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli as BernoulliDistribution

from genzoo.losses.gaussian_likelihoods import Gaussian, LearnedGaussian
from genzoo.losses.likelihoods import Bernoulli, ContinuousBernoulli, DiscretizedLogistic
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


ALL = [
    Bernoulli(),
    Gaussian(),
    ContinuousBernoulli(),
    LearnedGaussian("one"),
    LearnedGaussian("value"),
    DiscretizedLogistic(),
]


def parameters_shape(likelihood, data_shape):
    return likelihood.build()(torch.zeros(1, *likelihood.decoder_shape(data_shape))).shape[1:]


@pytest.mark.parametrize("likelihood", ALL, ids=str)
def test_shapes_ranges_and_precision(likelihood):
    raw = likelihood.build()(torch.randn(5, *likelihood.decoder_shape((3, 4, 4))) * 2)
    observation = likelihood.observe(torch.rand(5, 3, 4, 4) * 2 - 1, BatchNoise("cpu", 0))
    log_prob = likelihood.log_prob(observation, raw.bfloat16())
    assert log_prob.shape == (5,)
    assert log_prob.dtype == torch.float32
    assert torch.isfinite(log_prob).all()
    assert likelihood.mean(raw).shape == likelihood.sample(raw, BatchNoise("cpu", 0)).shape == (5, 3, 4, 4)
    assert likelihood.mean(raw).abs().max() <= 1.0


@pytest.mark.parametrize("likelihood", ALL, ids=str)
def test_extreme_outputs_give_finite_values_and_gradients(likelihood):
    for size in (-1e3, -30.0, 0.0, 30.0, 1e3):
        raw = torch.full((1, *parameters_shape(likelihood, (1, 1, 3))), size, requires_grad=True)
        log_prob = likelihood.log_prob(torch.tensor([[[[-1.0, 0.0, 1.0]]]]).round(), raw)
        (gradient,) = torch.autograd.grad(log_prob.sum(), raw)
        assert torch.isfinite(log_prob).all(), size
        assert torch.isfinite(gradient).all(), size


@pytest.mark.parametrize("likelihood", ALL, ids=str)
@pytest.mark.parametrize("data_shape", [(2,), (3, 4, 4)])
def test_a_decoder_gives_as_many_numbers_as_are_not_shared(likelihood, data_shape):
    each_has_two = likelihood in (LearnedGaussian("value"), DiscretizedLogistic())
    has_shared = likelihood == LearnedGaussian("one")
    channels, *size = data_shape
    assert likelihood.decoder_shape(data_shape) == (channels * (1 + each_has_two), *size)
    assert likelihood.decoder_shape(list(data_shape)) == likelihood.decoder_shape(data_shape)
    assert parameters_shape(likelihood, data_shape) == (channels * (1 + each_has_two + has_shared), *size)
    assert [tuple(p.shape) for p in likelihood.build().parameters()] == [(1,)] * has_shared


LOGITS = [-100.0, -40.0, -18.0, -4.0, -0.51, -0.3, -0.001, 0.0, 1e-5, 0.3, 0.49, 0.7, 5.0, 16.0, 18.0, 40.0, 100.0]


@pytest.mark.parametrize("logit", LOGITS)
def test_continuous_bernoulli_integrates_to_one_and_has_its_mean(logit):
    values = torch.linspace(-1, 1, 20_001, dtype=torch.float64)
    raw = torch.full((len(values), 1), logit)
    density = ContinuousBernoulli().log_prob(values[:, None].float(), raw).double().exp()
    assert float(torch.trapezoid(density, values)) == pytest.approx(1.0, abs=1e-5)
    mean = torch.trapezoid(density * values, values)
    assert float(ContinuousBernoulli().mean(raw)[0, 0]) == pytest.approx(float(mean), abs=1e-5)
    samples = ContinuousBernoulli().sample(torch.full((50_000, 1), logit), BatchNoise("cpu", 0))
    assert samples.abs().max() <= 1.0
    deviation = torch.trapezoid(density * (values - mean).square(), values).sqrt()
    assert abs(float(samples.double().mean() - mean)) < 4 * float(deviation) / len(samples) ** 0.5


def test_continuous_bernoulli_is_that_of_64_bits_with_its_gradients():
    logits = torch.tensor([*LOGITS, 0.4999, 0.5001, 1e-3, 1e3, -1e3], dtype=torch.float64)[:, None].requires_grad_()
    x = torch.rand(len(logits), 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    # The normaliser of exp(u l) on [0, 1] by a sum over so many places that the sum is the integral to 10 digits.
    nodes, weights = (torch.from_numpy(each) for each in np.polynomial.legendre.leggauss(2000))
    log_normaliser = torch.logsumexp(logits * (nodes + 1) / 2 + (weights / 2).log(), 1, keepdim=True)
    expected = (logits * (x + 1) / 2 - log_normaliser)[:, 0] - math.log(2)
    (expected_gradient,) = torch.autograd.grad(expected.sum(), logits)
    raw = logits.detach().float().requires_grad_()
    actual = ContinuousBernoulli().log_prob(x.float(), raw)
    (gradient,) = torch.autograd.grad(actual.sum(), raw)
    torch.testing.assert_close(actual.double(), expected.detach(), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(gradient.double(), expected_gradient, rtol=1e-5, atol=1e-6)
    expected_mean = (logits * (nodes + 1) / 2 + (weights / 2).log()).softmax(1) @ nodes
    torch.testing.assert_close(ContinuousBernoulli().mean(raw)[:, 0].double(), expected_mean, rtol=1e-5, atol=1e-7)


def test_continuous_bernoulli_samples_are_the_inverse_of_its_distribution_function():
    class Given(BatchNoise):
        def uniform(self, *shape):
            return uniform.expand(shape)

    uniform = torch.tensor([0.0, 1e-4, 0.2, 0.5, 0.9, 1.0 - 2**-24])
    for logit in LOGITS:
        u = (ContinuousBernoulli().sample(torch.full((1, 6), logit), Given("cpu", 0)).double()[0] + 1) / 2
        reached = u if logit == 0.0 else torch.expm1(logit * u) / math.expm1(logit)
        torch.testing.assert_close(reached, uniform.double(), rtol=0, atol=2e-5)


@pytest.mark.parametrize("likelihood", ALL, ids=str)
@pytest.mark.parametrize("size", [-100.0, -18.0, -8.0, 0.0, 8.0, 18.0, 100.0])
def test_values_and_gradients_are_those_of_64_bits_however_sure_the_decoder_is(likelihood, size):
    x = torch.tensor([[-1.0, 41 / 127.5 - 1, 1.0]]).double()
    x = x.sign() if likelihood.is_black_and_white else x
    raw = torch.full((1, *parameters_shape(likelihood, (3,))), size).double()
    raw[:, 3:] = raw[:, 3:].clamp(-3.0, 3.0)
    found = []
    for dtype in (torch.float32, torch.float64):
        outputs = raw.to(dtype).requires_grad_()
        log_prob = likelihood.log_prob(x.to(dtype), outputs)
        assert log_prob.dtype == dtype
        found.append([log_prob.detach().double(), torch.autograd.grad(log_prob, outputs)[0].double()])
    # The derivative of tanh is 1 - tanh^2, to seven digits of the 1.
    for single, double in zip(*found, strict=True):
        torch.testing.assert_close(single, double, rtol=2e-5, atol=5e-5)


def test_continuous_bernoulli_is_cross_entropy_and_a_constant_of_the_logit():
    """Against equation 5 of the paper, written out: log C = log(2 artanh(1 - 2 lambda) / (1 - 2 lambda))."""
    logit, u = 1.3, 0.2
    probability = 1 / (1 + math.exp(-logit))
    constant = math.log(2 * math.atanh(1 - 2 * probability) / (1 - 2 * probability))
    expected = u * math.log(probability) + (1 - u) * math.log(1 - probability) + constant - math.log(2)
    actual = ContinuousBernoulli().log_prob(torch.tensor([[2 * u - 1]]), torch.tensor([[logit]]))
    assert actual.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("location", "log_scale"),
    [
        (0.0, -2.0),
        (0.8, -4.0),
        (-3.0, -1.0),
        (0.3, -9.0),
        (5.0, 1.0),
        (0.1, 7.0),
        (100.0, -100.0),
        (-100.0, 100.0),
    ],
)
def test_discretized_logistic_sums_to_one_over_the_grey_levels(location, log_scale):
    levels = torch.arange(256) / 127.5 - 1
    raw = torch.tensor([location, log_scale]).expand(256, 2)
    probability = DiscretizedLogistic().log_prob(levels[:, None], raw).exp()
    torch.testing.assert_close(probability.sum(), torch.tensor(1.0), atol=3e-5, rtol=0)


def test_discretized_logistic_is_the_difference_of_distribution_functions():
    levels = torch.arange(1, 255, dtype=torch.float64) / 127.5 - 1
    location, scale = math.tanh(0.4), math.exp(-1.5)
    above, below = (torch.sigmoid((levels + side / 255 - location) / scale) for side in (1, -1))
    raw = torch.tensor([0.4, -1.5]).expand(254, 2)
    actual = DiscretizedLogistic().log_prob(levels[:, None].float(), raw)
    torch.testing.assert_close(actual, (above - below).log().float(), atol=1e-4, rtol=1e-4)


def test_discretized_logistic_samples_follow_its_probabilities():
    raw = torch.tensor([0.2, -2.5]).expand(200_000, 2)
    samples = DiscretizedLogistic().sample(raw, BatchNoise("cpu", 0))
    levels = ((samples[:, 0] + 1) * 127.5).round()
    torch.testing.assert_close(samples[:, 0], levels / 127.5 - 1)
    frequency = torch.bincount(levels.long(), minlength=256) / len(samples)
    probability = DiscretizedLogistic().log_prob((torch.arange(256) / 127.5 - 1)[:, None], raw[:256]).exp()
    assert (frequency - probability).abs().max() < 2e-3
