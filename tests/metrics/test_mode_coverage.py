import math

import pytest
import torch

from genzoo.data.digits import StackedDigits
from genzoo.data.points import SIGMAS, GaussianMixture2D, mode_means
from genzoo.metrics import MixtureCoverage, StackedModes
from genzoo.metrics.extractors.embedded import embedded_extractor
from genzoo.metrics.extractors.extractor import FeatureExtractor


def score(layout, points):
    metric = MixtureCoverage(mode_means(layout), SIGMAS[layout])
    for batch in points.split(1000):
        metric.update(batch)
    return {name: float(value) for name, value in metric.compute().items()}


@pytest.mark.parametrize(("layout", "modes"), [("ring", 8), ("grid", 25)])
def test_a_perfect_sampler_finds_all_modes(layout, modes):
    found = [
        score(layout, torch.from_numpy(GaussianMixture2D(layout, 2500, seed=seed).load("train")[0]))
        for seed in range(20)
    ]
    mean = {name: sum(each[name] for each in found) / 20 for name in found[0]}
    assert mean["modes"] == modes
    assert mean["high_quality"] == pytest.approx(1 - math.exp(-4.5), abs=0.002)
    # Of N samples over K modes the divergence is about (K - 1) / 2N.
    assert mean["mode_divergence"] == pytest.approx((modes - 1) / 5000 / 0.989, rel=0.25)


def test_points_between_modes_have_low_quality_and_count_nowhere():
    points = torch.cat([mode_means("grid")[:5].repeat(20, 1), mode_means("grid")[:20].repeat(5, 1) + 1.0])
    found = score("grid", points)
    assert (found["modes"], found["high_quality"]) == (5, 0.5)
    assert found["mode_divergence"] == pytest.approx(math.log(25 / 5), rel=1e-6)


def test_the_limit_of_quality_is_three_standard_deviations_in_the_plane():
    metric = MixtureCoverage(torch.zeros(1, 2), 0.1)
    metric.update(torch.tensor([[0.2, 0.2], [0.29, 0.0], [0.31, 0.0], [0.25, 0.25]]))
    assert float(metric.compute()["high_quality"]) == 0.5


def test_perfectly_stacked_digits_have_the_divergence_of_chance():
    images = torch.from_numpy(StackedDigits(test_images=26_000).load("test")[0])
    metric = StackedModes(embedded_extractor("digits"))
    for batch in images.split(5000):
        metric.update(batch)
    found = metric.compute()
    assert float(found["modes"]) == 1000
    # 0.0194 with exact classes, and a little for the classifier's mistakes.
    assert float(found["mode_divergence"]) == pytest.approx(0.0194, abs=0.006)


def test_a_class_is_made_of_red_green_and_blue():
    class Brightness(torch.nn.Module):
        def forward(self, features):
            return -((features * 10 - torch.arange(10)) ** 2)

    brightness = FeatureExtractor(
        torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()),
        "brightness",
        channels=1,
        size=8,
        head=Brightness(),
        prepare=lambda images: images / 100.0,
    )
    metric = StackedModes(brightness)
    metric.update(torch.tensor([[10, 20, 30], [90, 0, 0]], dtype=torch.uint8)[:, :, None, None].expand(-1, -1, 8, 8))
    assert metric.counts.nonzero().flatten().tolist() == [123, 900]
    assert float(metric.compute()["mode_divergence"]) == pytest.approx(math.log(500), rel=1e-6)


def test_stacked_modes_need_classes_and_colours():
    with pytest.raises(ValueError, match="the extractor pixels names no classes; give one with a head"):
        StackedModes(FeatureExtractor(torch.nn.Flatten(), "pixels", 1, 8))
    with pytest.raises(ValueError, match=r"takes \(N, 3, 8, 8\)"):
        StackedModes(embedded_extractor("digits")).update(torch.zeros(2, 1, 8, 8, dtype=torch.uint8))
