import math

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from sklearn.cluster import MiniBatchKMeans
from sklearn.neighbors import KernelDensity

from genzoo.data import FashionMNISTMini
from genzoo.metrics import FrechetDistance, ParzenWindow
from genzoo.metrics.extractors.embedded import embedded_extractor
from genzoo.metrics.parzen_window import parzen_log_likelihood


def test_parzen_windows_are_sklearns_kernel_density(monkeypatch):
    monkeypatch.setattr("genzoo.metrics.distances.ENTRIES_AT_ONCE", 500)
    samples, data = torch.rand(60, 5, dtype=torch.float64), torch.rand(40, 5, dtype=torch.float64)
    found = parzen_log_likelihood(data, samples, [0.1, 0.3])
    for row, sigma in zip(found, (0.1, 0.3), strict=True):
        np.testing.assert_allclose(row, KernelDensity(bandwidth=sigma).fit(samples).score_samples(data), rtol=1e-9)
    squares = ((data[0] - samples) ** 2).sum(1).numpy()
    by_hand = logsumexp(-squares / 0.02) - math.log(60) - 2.5 * math.log(2 * math.pi * 0.01)
    assert float(found[0, 0]) == pytest.approx(by_hand)


def test_sigma_is_the_best_on_validation_data():
    samples, validation, test = torch.rand(3, 50, 4).unbind()
    window = ParzenWindow(samples, validation)
    sigmas = np.logspace(-1, 0, 10)
    scores = [KernelDensity(bandwidth=sigma).fit(samples).score(validation) for sigma in sigmas]
    assert window.sigma == pytest.approx(sigmas[np.argmax(scores)])
    for batch in test.split(7):
        window.update(batch)
    expected = KernelDensity(bandwidth=window.sigma).fit(samples).score(test) / 50
    assert float(window.compute()) == pytest.approx(expected, rel=1e-4)


def test_centroids_beat_real_images_by_parzen_windows_and_lose_by_frechet_distance():
    """Why Parzen windows are historical (Theis et al. 2016): the winner is no sample of the data at all."""
    data = FashionMNISTMini()
    training, test = (torch.tensor(data.load(split)[0]).flatten(1).float() / 255 for split in ("train", "test"))
    clusters = MiniBatchKMeans(200, init="random", n_init=1, batch_size=2048, random_state=0).fit(training)
    real, centroids = training[:2000], torch.from_numpy(clusters.cluster_centers_).float()
    extractor = embedded_extractor("fashion-mnist-plain")

    def embed(pixels):
        return extractor((pixels * 255).round().byte().view(-1, 1, 28, 28)).features

    parzen, frechet = [], []
    for samples in (real, centroids):
        window = ParzenWindow(samples, validation=test[:300])
        window.update(test[300:1000])
        parzen.append(float(window.compute()))
        distance = FrechetDistance(extractor.feature_dim, real=embed(test))
        distance.update(embed(samples[: len(centroids)]))
        frechet.append(float(distance.compute()))
    assert parzen[1] > parzen[0] + 10
    assert frechet[1] > 2 * frechet[0]
