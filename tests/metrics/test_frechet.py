import numpy as np
import pytest
import scipy.linalg
import torch

from genzoo.metrics import ExtrapolatedFrechetDistance, FrechetDistance, TooFewSamplesError
from genzoo.metrics.frechet import Moments, frechet_distance, moments_of


def random_covariance(dim, rank, seed):
    factor = np.random.default_rng(seed).normal(size=(dim, rank))
    return factor @ factor.T / rank


@pytest.mark.parametrize("rank", [30, 5])
def test_distance_between_gaussians_is_that_of_scipy(rank):
    first, second = random_covariance(12, rank, 0), random_covariance(12, 30, 1)
    means = np.random.default_rng(2).normal(size=(2, 12))
    root = scipy.linalg.sqrtm(first @ second).real
    expected = ((means[0] - means[1]) ** 2).sum() + np.trace(first + second - 2 * root)
    found = frechet_distance(
        *(
            Moments(torch.tensor(mean), torch.tensor(covariance))
            for mean, covariance in zip(means, (first, second), strict=True)
        )
    )
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_distance_between_diagonal_gaussians_in_closed_form():
    first, second = (torch.tensor(values, dtype=torch.float64) for values in ([1.0, 4.0, 9.0], [4.0, 1.0, 9.0]))
    shift = torch.tensor([1.0, 2.0, 2.0], dtype=torch.float64)
    found = frechet_distance(Moments(0 * shift, first.diag()), Moments(shift, second.diag()))
    assert float(found) == pytest.approx(9 + 1 + 1 + 0)


@pytest.mark.parametrize("batch_size", [1, 32, 256])
def test_metric_is_the_distance_of_the_moments_whatever_the_batch(batch_size):
    generator = torch.Generator().manual_seed(0)
    # Far from the origin, where products lose digits.
    real = torch.randn(300, 6, generator=generator) + 1000
    fake = torch.randn(200, 6, generator=generator) * 1.5 + 1000.5
    metric = FrechetDistance(6)
    for batch in real.split(batch_size):
        metric.update(batch, real=True)
    for batch in fake.split(batch_size):
        metric.update(batch)
    expected = frechet_distance(moments_of(real), moments_of(fake))
    assert float(metric.compute()) == pytest.approx(float(expected), rel=1e-5)
    known = FrechetDistance(6, real=real)
    known.update(fake)
    assert float(known.compute()) == pytest.approx(float(expected), rel=1e-5)
    np.testing.assert_allclose(moments_of(real).covariance, np.cov(real.double().numpy(), rowvar=False))


def test_too_few_samples_are_refused_unless_asked_for():
    features = torch.randn(10, 16)
    metric = FrechetDistance(16, real=features)
    metric.update(features)
    with pytest.raises(TooFewSamplesError, match=r"10 real and 10 generated samples, but needs at least 16 of each"):
        metric.compute()
    allowed = FrechetDistance(16, real=features, allow_few=True)
    allowed.update(features)
    assert float(allowed.compute()) == pytest.approx(0, abs=1e-4)


def test_states_start_anew_after_a_reset():
    metric = FrechetDistance(1, real=torch.tensor([[0.0], [2.0]]))
    metric.update(torch.tensor([[100.0], [0.0]]))
    metric.reset()
    metric.update(torch.tensor([[3.0], [5.0]]))
    assert float(metric.compute()) == pytest.approx(9)


def test_known_real_features_are_not_updated():
    with pytest.raises(ValueError, match="takes no others; make it without `real`"):
        FrechetDistance(1, real=torch.zeros(3, 1)).update(torch.zeros(3, 1), real=True)


@pytest.mark.parametrize(
    "features", [torch.zeros(3, 2), torch.zeros(3), torch.zeros(3, 1).int(), torch.full((3, 1), torch.nan)]
)
def test_wrong_features_are_refused(features):
    with pytest.raises(ValueError, match=r"expected floats of shape \(N, 1\)|not finite"):
        FrechetDistance(1).update(features)


def test_extrapolation_is_nearer_to_the_truth_than_the_plain_distance():
    # The distance of equal distributions is 0, and that of N samples about c / N above it.
    generator = torch.Generator().manual_seed(0)
    real, fake = torch.randn(40_000, 20, generator=generator), torch.randn(2000, 20, generator=generator)
    metric, plain = ExtrapolatedFrechetDistance(real=real), FrechetDistance(20, real=real)
    metric.update(fake)
    plain.update(fake)
    found = metric.compute()
    assert abs(found["frechet_infinity"]) < 0.25 * plain.compute()
    assert found["frechet_slope"] > 0


def test_extrapolation_fits_the_line_by_least_squares():
    metric = ExtrapolatedFrechetDistance(points=4, real=torch.randn(500, 3))
    fake = torch.randn(400, 3) + 1
    metric.update(fake)
    sizes, values = metric.curve(metric._known, fake)
    assert sizes.tolist() == [40, 160, 280, 400]
    assert values[-1] == pytest.approx(float(frechet_distance(moments_of(metric._known), moments_of(fake))))
    design = np.stack([np.ones(4), 1 / sizes], axis=1)
    intercept, slope = np.linalg.lstsq(design, values, rcond=None)[0]
    assert float(metric.compute()["frechet_infinity"]) == pytest.approx(intercept, rel=1e-4)
    assert float(metric.compute()["frechet_slope"]) == pytest.approx(slope, rel=1e-4)


def test_extrapolation_depends_on_the_set_of_samples_alone():
    real, fake = torch.randn(500, 3), torch.randn(400, 3)
    found = []
    for order in (torch.arange(400), torch.randperm(400)):
        metric = ExtrapolatedFrechetDistance(real=real)
        metric.update(fake[order])
        found.append(metric.compute()["frechet_infinity"])
    torch.testing.assert_close(*found)


def test_extrapolation_needs_a_smallest_subset_above_the_feature_dimension():
    metric = ExtrapolatedFrechetDistance(real=torch.randn(100, 16))
    metric.update(torch.randn(100, 16))
    with pytest.raises(TooFewSamplesError, match="needs at least 16 and 160"):
        metric.compute()
