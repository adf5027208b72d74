import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from genzoo.metrics import PrecisionRecall, TooFewSamplesError


def naive(real, fake, k):
    """The formulas of Naeem et al. 2020 as they stand."""
    real, fake = real.double().numpy(), fake.double().numpy()
    real_radii, fake_radii = (np.sort(cdist(x, x), axis=1)[:, k] for x in (real, fake))
    distance = cdist(real, fake)
    inside = distance <= real_radii[:, None]
    return {
        "precision": inside.any(0).mean(),
        "recall": (distance <= fake_radii[None]).any(1).mean(),
        "density": inside.sum(0).mean() / k,
        "coverage": (distance.min(1) <= real_radii).mean(),
    }


def score(real, fake, batch_size=1000, **settings):
    metric = PrecisionRecall(**settings)
    for batch in real.split(batch_size):
        metric.update(batch, real=True)
    for batch in fake.split(batch_size):
        metric.update(batch)
    return {name: float(value) for name, value in metric.compute().items()}


@pytest.mark.parametrize("batch_size", [1, 32, 256])
@pytest.mark.parametrize("k", [1, 5])
def test_it_is_the_formula_whatever_the_batch(k, batch_size, monkeypatch):
    monkeypatch.setattr("genzoo.metrics.distances.ENTRIES_AT_ONCE", 3000)
    real, fake = torch.randn(300, 3), torch.randn(200, 3) * 1.3 + 0.5
    assert score(real, fake, batch_size, neighbours=k) == pytest.approx(naive(real, fake, k))


def test_fakes_in_one_of_two_clusters_are_precise_and_recall_one_half():
    generator = torch.Generator().manual_seed(0)
    near, far = torch.randn(2, 500, 2, generator=generator).unbind()
    fake = torch.randn(500, 2, generator=generator) * 0.9
    found = score(torch.cat([near, far + 100]), fake)
    assert found["precision"] > 0.95
    assert found["recall"] == pytest.approx(0.5, abs=0.05)
    assert found["coverage"] == pytest.approx(0.5, abs=0.05)


def test_reals_in_one_of_two_clusters_of_fakes_halve_the_precision():
    generator = torch.Generator().manual_seed(0)
    near, far = torch.randn(2, 500, 2, generator=generator).unbind()
    found = score(torch.randn(500, 2, generator=generator) * 0.9, torch.cat([near, far + 100]))
    assert found["precision"] == pytest.approx(0.5, abs=0.05)
    assert found["recall"] > 0.95


def test_equal_distributions_have_density_one_and_coverage_near_its_expectation():
    generator = torch.Generator().manual_seed(0)
    found = score(*torch.randn(2, 3000, 4, generator=generator).unbind())
    assert found["density"] == pytest.approx(1, abs=0.05)
    assert found["coverage"] == pytest.approx(1 - 2**-5, abs=0.02)


def test_copies_are_all_inside():
    real = torch.randn(100, 16) + 30
    found = score(real, real.clone())
    assert (found["precision"], found["recall"], found["coverage"]) == (1, 1, 1)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_a_neighbour_on_the_edge_of_a_ball_is_inside(k):
    """Copies lie on the edges of the balls about their neighbours: k + 1 of them in each."""
    generator = torch.Generator().manual_seed(0)
    real = (30 + torch.randn(400, 64, generator=generator)).float()
    found = score(real, real[torch.randperm(400, generator=generator)], neighbours=k)
    assert found["density"] == pytest.approx((k + 1) / k, abs=1e-6)
    assert (found["precision"], found["recall"], found["coverage"]) == (1, 1, 1)


@pytest.mark.parametrize("offset", [0.0, 0.1, 1000.0])
def test_equal_distances_count_whatever_is_added_to_all(offset):
    generator = torch.Generator().manual_seed(0)
    real, fake = (torch.randint(0, 4, (300, 3), generator=generator) * 0.25 for _ in range(2))
    assert score(real.double() + offset, fake.double() + offset) == pytest.approx(naive(real, fake, 5))


def test_too_few_are_refused():
    with pytest.raises(TooFewSamplesError, match=r"PrecisionRecall has 5 real and 9 generated .* at least 6"):
        score(torch.randn(5, 2), torch.randn(9, 2))
    with pytest.raises(ValueError, match="neighbours must be at least 1, got 0"):
        PrecisionRecall(neighbours=0)
