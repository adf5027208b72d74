import pytest
import torch
from scipy.spatial.distance import cdist

from genzoo.metrics import Authenticity
from genzoo.metrics.authenticity import nearest_training_images
from genzoo.metrics.distances import ROUNDING, distances


def score(training, fake):
    metric = Authenticity(real=training)
    for batch in fake.split(32):
        metric.update(batch)
    return float(metric.compute())


def test_it_is_the_formula():
    training, fake = torch.randn(200, 3), torch.randn(150, 3)
    between = torch.from_numpy(cdist(training.numpy(), training.numpy())).fill_diagonal_(torch.inf).min(1).values
    across = torch.from_numpy(cdist(fake.numpy(), training.numpy()))
    authentic = across.min(1).values > between[across.argmin(1)]
    assert score(training, fake) == pytest.approx(100 * float(authentic.double().mean()))


def test_a_copycat_is_flagged_and_new_data_are_not():
    generator = torch.Generator().manual_seed(0)
    training, new = torch.randn(2, 1000, 16, generator=generator).unbind()
    assert score(training, training[torch.randperm(1000, generator=generator)]) == 0
    assert score(training, training + 1e-2 * torch.randn(1000, 16, generator=generator)) < 1
    assert score(training, new) > 50
    half = torch.cat([training[:500], torch.full((500, 16), 50.0)])
    assert score(training, half) == pytest.approx(50)


def far_from_the_origin(number, features=64, spread=1e-3):
    """Features that lie close together beside their distance from the origin and from a few others."""
    generator = torch.Generator().manual_seed(0)
    close = 30 + spread * torch.randn(number, features, generator=generator)
    return torch.cat([close, -1000 * torch.rand(5, features, generator=generator)])


@pytest.mark.parametrize("spread", [1.0, 1e-3, 1e-5])
def test_copies_are_never_authentic(spread):
    """Not of images that have a twin either, which is nearer than their features are long by far."""
    generator = torch.Generator().manual_seed(0)
    images = 10 * torch.randn(400, 64, generator=generator)
    training = torch.cat([images, images + spread * torch.randn(400, 64, generator=generator)])
    assert score(training, training[:300]) == 0
    twice = torch.cat([training, training[:300]])
    assert score(twice, twice.flip(0)) == 0
    assert score(training.double(), training) == 0


def test_a_sample_a_little_farther_than_the_nearest_neighbours_are_apart_is_authentic():
    training = torch.tensor([[5000.0], [5001.0], [9000.0]])
    fake = torch.tensor([[4998.999], [4999.001], [5002.0], [5002.001]], dtype=torch.float64)
    metric = Authenticity(real=training.double())
    metric.update(fake)
    assert float(metric.compute()) == 50.0


@pytest.mark.parametrize("spread", [1.0, 1e-3, 1e-5])
@pytest.mark.parametrize("entries_at_once", [2**23, 5000])
def test_distances_are_those_of_differences(spread, entries_at_once, monkeypatch):
    monkeypatch.setattr("genzoo.metrics.distances.ENTRIES_AT_ONCE", entries_at_once)
    left = far_from_the_origin(300, spread=spread)
    right = torch.cat([left[:100], far_from_the_origin(50, spread=2 * spread)])
    found = torch.cat([rows for _, rows in distances(left, right)])
    expected = torch.from_numpy(cdist(left.double().numpy(), right.double().numpy()))
    torch.testing.assert_close(found, expected, rtol=ROUNDING, atol=0)
    assert (found == 0).sum() == (expected == 0).sum() >= 100


def test_distances_of_collapsed_samples_are_exact_too():
    left = torch.randn(2, 64)[torch.arange(400) % 2] + 7
    found = torch.cat([rows for _, rows in distances(left, left)])
    assert found.unique().tolist() == [0.0, pytest.approx(float((left[0].double() - left[1].double()).norm()))]


def test_nearest_training_images_are_found_in_order():
    training = torch.randn(100, 4) + 20
    fake = training[[7, 3]] + 1e-3
    places, found = nearest_training_images(fake, training, number=3)
    assert places[:, 0].tolist() == [7, 3]
    expected = torch.from_numpy(cdist(fake.numpy(), training.numpy())).sort(1)
    assert places.tolist() == expected.indices[:, :3].tolist()
    torch.testing.assert_close(found, expected.values[:, :3].float(), atol=0, rtol=1e-6)


def test_more_neighbours_than_images_are_refused():
    with pytest.raises(ValueError, match="number is 9, but there are 3 training images"):
        nearest_training_images(torch.zeros(1, 2), torch.zeros(3, 2), number=9)
