import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture as Reference

from genzoo.noise import BatchNoise, ImageNoise
from genzoo.sampling.densities import GaussianMixtureDensity


@pytest.fixture
def codes():
    """Three clouds, one of them round, in four dimensions."""
    generator = np.random.default_rng(0)
    clouds = [
        generator.normal(size=(700, 4)) @ generator.normal(size=(4, 4)) + 6 * place for place, _ in enumerate(range(2))
    ]
    clouds.append(generator.normal(size=(600, 4)) - 8)
    return torch.from_numpy(np.concatenate(clouds)).float()


def fitted(codes, components):
    density = GaussianMixtureDensity(components).build(codes.shape[1:])
    density.fit(codes)
    return density


def test_one_component_has_the_mean_and_covariance_of_the_codes(codes):
    density = fitted(codes, 1)
    torch.testing.assert_close(density.means[0], codes.mean(0))
    covariance = density.scales[0] @ density.scales[0].T
    torch.testing.assert_close(covariance, codes.T.cov(correction=0), rtol=1e-4, atol=1e-4)
    expected = torch.distributions.MultivariateNormal(codes.mean(0), codes.T.cov(correction=0)).log_prob(codes)
    torch.testing.assert_close(density.log_prob(codes), expected, rtol=1e-4, atol=1e-4)
    assert density.codes_seen == len(codes)


@pytest.mark.parametrize("components", [1, 3])
def test_log_probabilities_are_those_of_scikit_learn(codes, components):
    reference = Reference(components, random_state=0).fit(codes.double().numpy())
    elsewhere = torch.randn(50, 4, generator=torch.Generator().manual_seed(0)) * 5
    expected = torch.from_numpy(reference.score_samples(elsewhere.numpy())).float()
    torch.testing.assert_close(fitted(codes, components).log_prob(elsewhere), expected, rtol=5e-3, atol=1e-2)


@pytest.mark.parametrize("components", [1, 3])
def test_samples_have_the_moments_of_those_of_scikit_learn(codes, components):
    reference = Reference(components, random_state=0).fit(codes.double().numpy())
    expected = torch.from_numpy(reference.sample(100_000)[0]).float()
    drawn = fitted(codes, components).sample(100_000, BatchNoise("cpu", 1))
    torch.testing.assert_close(drawn.mean(0), expected.mean(0), rtol=0, atol=0.1)
    torch.testing.assert_close(drawn.T.cov(), expected.T.cov(), rtol=0.03, atol=0.3)
    # The third moments tell three clouds from one.
    third = [((rows - rows.mean(0)) / rows.std(0)).pow(3).mean(0) for rows in (drawn, expected)]
    torch.testing.assert_close(*third, rtol=0, atol=0.05)


def test_components_are_drawn_as_often_as_they_weigh(codes):
    density = fitted(codes, 3)
    drawn = density.sample(20_000, BatchNoise("cpu", 0))
    nearest = torch.cdist(drawn, density.means).argmin(1).bincount() / len(drawn)
    torch.testing.assert_close(nearest, density.weights, rtol=0, atol=0.02)


def test_a_row_is_a_function_of_its_place_alone(codes):
    density = fitted(codes, 3)
    few = density.sample(3, ImageNoise(torch.arange(3), "cpu", 5))
    many = density.sample(200, ImageNoise(torch.arange(200), "cpu", 5))
    torch.testing.assert_close(few, many[:3])


def test_a_fit_is_a_function_of_the_codes_and_leaves_torch_alone(codes):
    state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    first, second = fitted(codes, 3), fitted(codes, 3)
    assert torch.equal(torch.get_rng_state(), state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_codes_of_any_scale_some_of_which_do_not_vary_have_a_density(codes, scale):
    codes = scale * torch.cat([codes, torch.ones(len(codes), 2)], dim=1)
    drawn = fitted(codes, 3).sample(5_000, BatchNoise("cpu", 0)) / scale
    torch.testing.assert_close(drawn[:, 4:], torch.ones(5_000, 2), rtol=0, atol=0.1)
    torch.testing.assert_close(drawn.std(0)[:4], codes[:, :4].std(0) / scale, rtol=0.1, atol=0)


def test_codes_that_are_all_alike_have_a_density():
    drawn = fitted(torch.full((20, 3), 2.0), 2).sample(10, BatchNoise("cpu", 0))
    torch.testing.assert_close(drawn, torch.full((10, 3), 2.0), rtol=0, atol=1e-4)


def test_what_cannot_be_fitted_is_refused(codes):
    density = GaussianMixtureDensity(10).build((4,))
    with pytest.raises(RuntimeError, match=r"has not been fitted yet; .* call model.fit_density"):
        density.sample(1, BatchNoise("cpu", 0))
    with pytest.raises(RuntimeError, match="has not been fitted yet"):
        density.log_prob(codes)
    with pytest.raises(ValueError, match=r"10 component\(s\) cannot be fitted to the codes of 9 training image"):
        density.fit(codes[:9])
    with pytest.raises(ValueError, match="codes that are not finite"):
        density.fit(codes * float("nan"))
    assert density.codes_seen == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"components": 0}, "components must be at least 1, got 0"),
        ({"components": 20, "max_codes": 10}, r"max_codes must be .* number of components \(20\), got 10"),
        ({"components": 1, "max_codes": 1}, "max_codes must be at least 2"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixtureDensity(**settings)


def test_codes_in_a_grid_are_those_of_a_row_in_another_shape(codes):
    row = fitted(codes, 3)
    grid = fitted(codes.view(-1, 1, 2, 2), 3)
    assert grid.means.shape == (3, 4)
    drawn = grid.sample(50, BatchNoise("cpu", 1))
    assert drawn.shape == (50, 1, 2, 2)
    assert torch.equal(drawn.flatten(1), row.sample(50, BatchNoise("cpu", 1)))
    assert torch.equal(grid.log_prob(drawn), row.log_prob(drawn.flatten(1)))
    assert set(grid.state_dict()) == {"weights", "means", "scales", "codes_seen"}
