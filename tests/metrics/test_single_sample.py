import numpy as np
import pytest
import scipy.ndimage
import torch
from scipy.spatial.distance import pdist

from genzoo.metrics import ClassScore, PairwiseDiversity, Sharpness, TooFewSamplesError


@pytest.mark.parametrize("batch_size", [1, 32, 256])
def test_class_score_is_the_formula_whatever_the_batch(batch_size):
    logits = torch.randn(300, 10) * 3
    metric = ClassScore(10)
    for batch in logits.split(batch_size):
        metric.update(batch)
    p = logits.double().softmax(1)
    expected = (p * (p.log() - p.mean(0).log())).sum(1).mean().exp()
    assert float(metric.compute()) == pytest.approx(float(expected), rel=1e-5)


def test_class_score_lies_between_one_and_the_number_of_classes():
    sure = 1000 * torch.nn.functional.one_hot(torch.arange(10)).float()
    for logits, expected in ((sure, 10), (sure[:1].repeat(5, 1), 1), (torch.zeros(5, 10), 1)):
        metric = ClassScore(10)
        metric.update(logits)
        assert float(metric.compute()) == pytest.approx(expected, rel=1e-6)


def test_class_score_is_that_of_torchmetrics():
    from torchmetrics.image.inception import InceptionScore

    logits = torch.randn(200, 10) * 2
    theirs = InceptionScore(feature=torch.nn.Flatten(), splits=1)
    theirs.update(logits)
    ours = ClassScore(10)
    ours.update(logits)
    assert float(ours.compute()) == pytest.approx(float(theirs.compute()[0]), rel=1e-5)


@pytest.mark.parametrize("batch_size", [1, 32, 256])
def test_diversity_is_the_mean_distance_of_pairs_whatever_the_batch(batch_size, monkeypatch):
    monkeypatch.setattr("genzoo.metrics.samples.ENTRIES_AT_ONCE", 3000)
    features = torch.randn(200, 5) + 10
    metric = PairwiseDiversity()
    for batch in features.split(batch_size):
        metric.update(batch)
    assert float(metric.compute()) == pytest.approx(pdist(features.numpy()).mean(), rel=1e-5)


@pytest.mark.parametrize("batch_size", [1, 32])
@pytest.mark.parametrize("channels", [1, 3])
def test_sharpness_is_the_variance_of_scipys_laplacian(channels, batch_size):
    images = torch.randint(0, 256, (40, channels, 9, 12), dtype=torch.uint8)
    metric = Sharpness()
    for batch in images.split(batch_size):
        metric.update(batch)
    edges = [scipy.ndimage.laplace(plane.double().numpy() / 255)[1:-1, 1:-1] for plane in images.flatten(0, 1)]
    assert float(metric.compute()) == pytest.approx(np.mean([edge.var() for edge in edges]), rel=1e-5)


def test_blurred_images_are_less_sharp():
    images = torch.randint(0, 256, (20, 1, 28, 28), dtype=torch.uint8)
    blurred = torch.from_numpy(scipy.ndimage.gaussian_filter(images.numpy(), (0, 0, 1, 1)))
    found = []
    for each in (images, blurred):
        metric = Sharpness()
        metric.update(each)
        found.append(float(metric.compute()))
    assert found[1] < 0.1 * found[0]


def test_sharpness_refuses_what_is_no_image_of_bytes():
    with pytest.raises(ValueError, match="Sharpness got float32 images, but takes uint8"):
        Sharpness().update(torch.zeros(2, 1, 8, 8))
    with pytest.raises(ValueError, match=r"images of \(2, 8\) pixels, but needs at least \(3, 3\)"):
        Sharpness().update(torch.zeros(2, 1, 2, 8, dtype=torch.uint8))


@pytest.mark.parametrize("metric", [ClassScore(3), PairwiseDiversity()])
@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_nothing_has_no_score(metric):
    with pytest.raises(TooFewSamplesError, match="has 0 samples, but needs at least"):
        metric.compute()


@pytest.mark.parametrize("modes", [1, 2])
def test_the_diversity_of_copies_is_that_of_their_modes(modes):
    features = (30 + torch.randn(modes, 64))[torch.arange(300) % modes]
    metric = PairwiseDiversity()
    metric.update(features)
    distance = float((features[0].double() - features[modes - 1].double()).norm())
    assert float(metric.compute()) == pytest.approx(distance * 150 / 299, rel=1e-6, abs=0)
