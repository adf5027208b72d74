import pytest
import torch
from scipy.spatial.distance import pdist

from genzoo.metrics import PairwiseDiversity, TooFewSamplesError


@pytest.mark.parametrize("batch_size", [1, 32, 256])
def test_diversity_is_the_mean_distance_of_pairs_whatever_the_batch(batch_size, monkeypatch):
    monkeypatch.setattr("genzoo.metrics.distances.ENTRIES_AT_ONCE", 3000)
    features = torch.randn(200, 5) + 10
    metric = PairwiseDiversity()
    for batch in features.split(batch_size):
        metric.update(batch)
    assert float(metric.compute()) == pytest.approx(pdist(features.numpy()).mean(), rel=1e-5)


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_nothing_has_no_score():
    with pytest.raises(TooFewSamplesError, match="has 0 samples, but needs at least"):
        PairwiseDiversity().compute()


@pytest.mark.parametrize("modes", [1, 2])
def test_the_diversity_of_copies_is_that_of_their_modes(modes):
    features = (30 + torch.randn(modes, 64))[torch.arange(300) % modes]
    metric = PairwiseDiversity()
    metric.update(features)
    distance = float((features[0].double() - features[modes - 1].double()).norm())
    assert float(metric.compute()) == pytest.approx(distance * 150 / 299, rel=1e-6, abs=0)
