import math

import pytest
import torch
from scipy.stats import kstest, truncnorm
from torch.distributions import Independent, Normal, Uniform, kl_divergence

from genzoo.losses.divergences import standard_normal_kl
from genzoo.noise import BatchNoise, ImageNoise
from genzoo.sampling.densities import GaussianMixtureDensity
from genzoo.sampling.priors import NormalPrior, UniformPrior

SHAPES = [(5,), (2, 3, 4)]


@pytest.mark.parametrize("shape", SHAPES)
def test_draws_are_those_of_the_noise(shape):
    normal, uniform = BatchNoise("cpu", 3).normal(7, *shape), BatchNoise("cpu", 3).uniform(7, *shape)
    assert torch.equal(NormalPrior().build(shape).sample(7, BatchNoise("cpu", 3)), normal)
    assert torch.equal(UniformPrior().build(shape).sample(7, BatchNoise("cpu", 3)), 2.0 * uniform - 1.0)


def test_uniform_draws_fill_the_cube():
    drawn = UniformPrior().build((2,)).sample(20_000, BatchNoise("cpu", 0))
    assert -1.0 <= float(drawn.min()) < -0.99
    assert 0.99 < float(drawn.max()) < 1.0


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("prior", "reference"), [(NormalPrior(), Normal(0.0, 1.0)), (UniformPrior(), Uniform(-1.0, 1.0))]
)
def test_log_probabilities_are_those_of_torch(prior, reference, shape):
    z = 0.9 * torch.rand(6, *shape, generator=torch.Generator().manual_seed(0)) - 0.5
    expected = Independent(reference.expand(shape), len(shape)).log_prob(z)
    torch.testing.assert_close(prior.build(shape).log_prob(z), expected)
    in_doubles = prior.build(shape).log_prob(z.double())
    assert in_doubles.dtype == torch.float64
    torch.testing.assert_close(in_doubles.float(), expected)


def test_the_uniform_density_is_zero_outside_of_its_cube():
    z = torch.tensor([[-1.0, 0.0], [0.0, 1.0], [0.5, -1.1], [3.0, 3.0], [0.9, -0.9]])
    inside, outside = -2.0 * math.log(2.0), -math.inf
    log_prob = UniformPrior().build((2,)).log_prob(z)
    assert log_prob.tolist() == pytest.approx([inside, outside, outside, outside, inside])


def test_half_precision_is_summed_in_floats():
    z = torch.randn(4, 4096, generator=torch.Generator().manual_seed(0)).bfloat16()
    log_prob = NormalPrior().build((4096,)).log_prob(z)
    torch.testing.assert_close(log_prob, NormalPrior().build((4096,)).log_prob(z.float()), rtol=0, atol=0)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_divergence_from_the_standard_normal_is_in_closed_form(shape):
    generator = torch.Generator().manual_seed(0)
    mean, log_variance = (torch.randn(6, *shape, generator=generator) for _ in range(2))
    divergence = NormalPrior().build(shape).kl(mean, log_variance)
    expected = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(divergence, expected)
    assert torch.equal(divergence, standard_normal_kl(mean, log_variance))


def test_other_priors_have_no_divergence_in_closed_form():
    for prior in (UniformPrior(), GaussianMixtureDensity()):
        assert prior.build((3,)).kl(torch.zeros(2, 3), torch.zeros(2, 3)) is None


@pytest.mark.parametrize("prior", [NormalPrior(), UniformPrior()])
def test_a_draw_is_a_function_of_its_place_alone_and_of_nothing_learned(prior):
    density = prior.build((2, 3))
    few = density.sample(3, ImageNoise(torch.arange(3), "cpu", 5))
    assert torch.equal(few, density.sample(200, ImageNoise(torch.arange(200), "cpu", 5))[:3])
    assert not density.state_dict()


def test_what_leaves_the_cube_is_drawn_anew():
    z, density = torch.tensor([[0.5, 1.5], [-1.0, -2.0]]), UniformPrior().build((2,))
    drawn = density.sample(2, BatchNoise("cpu", 0))
    returned = density.returned(z, BatchNoise("cpu", 0))
    assert returned.flatten().tolist() == [0.5, float(drawn[0, 1]), -1.0, float(drawn[1, 1])]
    assert torch.equal(NormalPrior().build((2,)).returned(z, BatchNoise("cpu", 0)), z)


@pytest.mark.parametrize("truncation", [0.05, 1.0, 2.5])
def test_truncated_normal_draws_have_the_distribution_that_scipy_has(truncation):
    density = NormalPrior().build((4, 5))
    z = density.sample(2_000, BatchNoise("cpu", 0))
    truncated = density.truncated(z, truncation)
    assert truncated.dtype == torch.float32
    assert truncated.shape == z.shape
    assert truncated.abs().max() <= truncation
    assert kstest(truncated.flatten(), truncnorm(-truncation, truncation).cdf).pvalue > 0.01
    # Each is moved on its own and keeps its order: pictures change gradually.
    assert (truncated.flatten()[z.flatten().argsort()].diff() >= 0.0).all()


def test_a_wide_truncation_leaves_normal_draws_where_they_are():
    density = NormalPrior().build((100,))
    z = torch.cat([density.sample(10, BatchNoise("cpu", 0)), torch.linspace(-5.5, 5.5, 100)[None]])
    torch.testing.assert_close(density.truncated(z, 40.0), z, rtol=1e-4, atol=1e-6)


def test_truncated_uniform_draws_fill_the_smaller_cube():
    density = UniformPrior().build((3,))
    z = density.sample(5_000, BatchNoise("cpu", 0))
    torch.testing.assert_close(density.truncated(z, 0.3), 0.3 * z)


@pytest.mark.parametrize(
    ("prior", "truncation", "range_"),
    [
        (NormalPrior(), 0.0, "above 0, got 0"),
        (NormalPrior(), math.nan, "above 0, got nan"),
        (UniformPrior(), -0.5, "above 0 and at most 1, got -0.5"),
        (UniformPrior(), 1.5, "above 0 and at most 1, got 1.5"),
        (GaussianMixtureDensity(2), 1.0, "leave truncation out"),
    ],
)
def test_truncations_that_make_no_sense_are_refused(prior, truncation, range_):
    with pytest.raises(ValueError, match=range_):
        prior.build((3,)).truncated(torch.zeros(2, 3), truncation)
