"""The scores of sets whose order of quality is known."""

import logging

import pytest
import torch
from torch import nn

from genzoo.data import Digits, FashionMNISTMini
from genzoo.evaluation.suite import full_name, sample_values, score_samples
from genzoo.metrics import FeatureExtractor
from genzoo.metrics.extractors.embedded import embedded_extractor


@pytest.fixture(scope="module")
def clothes():
    data = FashionMNISTMini()
    (training, labels), (test, _) = ([torch.tensor(part) for part in data.load(split)] for split in ("train", "test"))
    return training, labels, test


@pytest.fixture(scope="module")
def rated(clothes, tmp_path_factory):
    """Scores of 1,400 samples each, against 2,000 test images, with 3,000 training images known."""
    training, labels, test = clothes
    known, unseen, unseen_labels = training[:3000], training[3000:], labels[3000:]
    generator = torch.Generator().manual_seed(0)

    def noisy(images, deviation):
        noise = deviation * torch.randn(images.shape, generator=generator)
        return (images + noise).round().clamp(0, 255).byte()

    samples = {
        "real": unseen[:1400],
        "slightly noisy": noisy(unseen[:1400], 4.0),
        "class-dropped": unseen[unseen_labels < 7][:1400],
        "mean image": unseen.float().mean(0, keepdim=True).byte().expand(1400, -1, -1, -1),
        "copycat": noisy(known[:1400], 1.0),
    }
    extractor, folder = embedded_extractor("fashion-mnist-plain"), tmp_path_factory.mktemp("cache")
    return {
        name: {score.name: score for score in score_samples(images, test, extractor, known, cache_dir=folder)}
        for name, images in samples.items()
    }


RANKING = ["real", "slightly noisy", "class-dropped", "mean image"]


@pytest.mark.parametrize("name", ["fd/fashion-mnist-plain", "kernel_distance/fashion-mnist-plain"])
def test_distances_grow_from_real_to_mean_image(rated, name):
    values = [rated[kind][name].value for kind in RANKING]
    assert values == sorted(values)
    assert values[0] < 0.5 * values[2]
    assert values[2] < 0.5 * values[3]


def test_what_is_lacking_is_seen_by_the_score_for_it(rated):
    def value(kind, name):
        return rated[kind][f"{name}/fashion-mnist-plain"].value

    assert value("class-dropped", "precision") > 0.9 * value("real", "precision")
    for name in ("recall", "coverage"):
        assert value("class-dropped", name) < value("real", name) - 0.15
        assert value("mean image", name) < 0.02
    assert value("mean image", "diversity") < 0.01 * value("real", "diversity")
    assert (
        value("mean image", "class_score") < 1.5 < value("class-dropped", "class_score") < value("real", "class_score")
    )
    assert rated["slightly noisy"]["sharpness"].value > rated["real"]["sharpness"].value
    assert rated["mean image"]["sharpness"].value < 0.2 * rated["real"]["sharpness"].value


def test_a_copycat_is_flagged_by_memorisation_alone(rated):
    name = "authenticity/fashion-mnist-plain"
    floor = rated["copycat"][name].floor
    assert rated["copycat"][name].value < 0.1 * floor
    assert rated["real"][name].value > 0.8 * floor
    assert rated["copycat"]["fd/fashion-mnist-plain"].value < 1.2 * rated["real"]["fd/fashion-mnist-plain"].value


def test_floors_are_what_training_images_get(rated):
    real = rated["real"]
    for name, score in real.items():
        assert score.floor == pytest.approx(score.value, rel=0.3, abs=0.3), name
    assert {score.floor for score in real.values()} == {score.floor for score in rated["mean image"].values()}


def test_scores_carry_their_protocol(clothes, tmp_path):
    training, _, test = clothes
    pixels = FeatureExtractor(nn.Sequential(nn.AvgPool2d(7), nn.Flatten()), "pixels", 1, 28)
    scores = score_samples(training[:200], test[:300], pixels, protocol={"seed": 3}, cache_dir=tmp_path)
    assert [score.name for score in scores] == [
        "fd/pixels",
        "frechet_infinity/pixels",
        "frechet_slope/pixels",
        "kernel_distance/pixels",
        "kernel_distance_error/pixels",
        "precision/pixels",
        "recall/pixels",
        "density/pixels",
        "coverage/pixels",
        "diversity/pixels",
        "sharpness",
    ]
    protocol = scores[0].protocol
    assert (protocol["number_fake"], protocol["number_real"], protocol["number_training"]) == (200, 300, None)
    assert (protocol["extractor"], protocol["extractor_hash"], protocol["seed"]) == ("pixels", pixels.hash, 3)
    assert "torch" in protocol
    of_balls = {score.name.partition("/")[0]: score.protocol for score in scores if "k" in score.protocol}
    assert {name: (each["k"], each["k_of_paper"]) for name, each in of_balls.items()} == {
        "precision": (5, 3),
        "recall": (5, 3),
        "density": (5, 5),
        "coverage": (5, 5),
    }
    assert scores[0].floor is None


def test_scores_do_not_depend_on_the_batches_in_which_images_are_seen():
    (training, _), (test, _) = (Digits().load(split) for split in ("train", "test"))
    extractor = embedded_extractor("digits")
    fake, real = torch.tensor(training[:700]), torch.tensor(test)
    reference, *others = (
        sample_values(fake, extractor(fake, images_at_once), extractor(real, images_at_once).features)
        for images_at_once in (256, 32, 1)
    )
    assert "frechet_infinity" in reference
    for values in others:
        assert values == pytest.approx(reference, rel=1e-3, abs=1e-5)


def test_only_inception_has_the_names_of_its_scores():
    names = ["frechet", "kernel_distance", "class_score", "precision", "sharpness"]
    extractors = [FeatureExtractor(nn.Flatten(), name) for name in ("inception-v3", "mine")]
    inception, mine = ([full_name(name, extractor) for name in names] for extractor in extractors)
    assert inception == ["fid", "kid", "inception_score", "precision/inception-v3", "sharpness"]
    assert mine == ["fd/mine", "kernel_distance/mine", "class_score/mine", "precision/mine", "sharpness"]


def test_what_has_too_few_samples_is_left_out_with_a_line(clothes, tmp_path, caplog):
    training, _, test = clothes
    pixels = FeatureExtractor(nn.Sequential(nn.AvgPool2d(7), nn.Flatten()), "pixels", 1, 28)
    with caplog.at_level(logging.WARNING):
        scores = score_samples(training[:10], test[:300], pixels, cache_dir=tmp_path)
    assert "precision/pixels" in {score.name for score in scores}
    assert "fd/pixels" not in {score.name for score in scores}
    assert "FrechetDistance has 300 real and 10 generated samples, but needs at least 16" in caplog.text


def test_samples_of_another_shape_than_the_data_are_refused(clothes, tmp_path):
    pixels = FeatureExtractor(nn.Flatten(), "pixels")
    with pytest.raises(ValueError, match=r"samples have shape \(1, 32, 32\), but the data \(1, 28, 28\); bring"):
        score_samples(torch.zeros(2, 1, 32, 32).byte(), clothes[2], pixels, cache_dir=tmp_path)
