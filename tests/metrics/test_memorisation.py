import pytest
import torch
from scipy.spatial.distance import cdist

from genzoo.metrics import Authenticity
from genzoo.metrics.memorisation import nearest_training_images


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


def test_nearest_training_images_are_found_in_order():
    training = torch.randn(100, 4) + 20
    fake = training[[7, 3]] + 1e-3
    places, found = nearest_training_images(fake, training, number=3)
    assert places[:, 0].tolist() == [7, 3]
    expected = torch.from_numpy(cdist(fake.numpy(), training.numpy())).sort(1)
    assert places.tolist() == expected.indices[:, :3].tolist()
    torch.testing.assert_close(found, expected.values[:, :3].float(), atol=2e-3, rtol=1e-3)


def test_more_neighbours_than_images_are_refused():
    with pytest.raises(ValueError, match="number is 9, but there are 3 training images"):
        nearest_training_images(torch.zeros(1, 2), torch.zeros(3, 2), number=9)
