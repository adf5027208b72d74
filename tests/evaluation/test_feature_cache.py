import pytest
import torch
from torch import nn

from genzoo.evaluation.feature_cache import TRIED, cached_embedding, fingerprint
from genzoo.metrics import FeatureExtractor
from genzoo.metrics.extractors.extractor import weights_hash
from genzoo.subsets import choose_some


@pytest.fixture
def images():
    return torch.randint(0, 256, (10, 1, 8, 8), dtype=torch.uint8)


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.seen = 0

    def forward(self, images):
        self.seen += len(images)
        return images.flatten(1) * self.scale


@pytest.mark.parametrize("head", [None, nn.Linear(64, 3)])
def test_features_are_made_once(tmp_path, images, head):
    network = Counting()
    extractor = FeatureExtractor(network, "counting", 1, 8, head=head)
    made = cached_embedding(images, extractor, tmp_path)
    network.seen = 0
    read = cached_embedding(images, extractor, tmp_path)
    assert network.seen == TRIED < len(images)
    expected = extractor(images)
    for found in (made, read):
        assert torch.equal(found.features, expected.features)
        assert (found.logits is None) == (head is None)
        if head is not None:
            assert torch.equal(found.logits, expected.logits)


def test_other_images_and_other_weights_have_features_of_their_own(tmp_path, images):
    network = Counting()
    first = cached_embedding(images, FeatureExtractor(network, "counting", 1, 8), tmp_path).features
    with torch.no_grad():
        network.scale += 1
    second = cached_embedding(images, FeatureExtractor(network, "counting", 1, 8), tmp_path).features
    torch.testing.assert_close(second, 2 * first)
    assert len(list((tmp_path / "features").glob("*/manifest.json"))) == 2
    assert fingerprint(images) != fingerprint(images.flip(0)) != fingerprint(images.view(5, 2, 8, 8))


def test_it_is_kept_in_the_cache_folder(images, monkeypatch, tmp_path):
    monkeypatch.setenv("GENZOO_CACHE", str(tmp_path / "mine"))
    cached_embedding(images, FeatureExtractor(nn.Flatten(), "pixels", 1, 8))
    assert len(list((tmp_path / "mine" / "features").glob("*/features.bin"))) == 1


def to_features(power):
    class Powers(nn.Module):
        def forward(self, images):
            return images.flatten(1) ** power

    return Powers()


class Plain(nn.Module):
    def forward(self, images):
        return images.flatten(1)


class HidesWhite(Plain):
    def forward(self, images):
        features = super().forward(images)
        return torch.where(features.amin(1, keepdim=True) == 1.0, 0.0, features)


def with_attribute(power):
    network = to_features(1)
    network.power = power
    network.forward = lambda images: images.flatten(1) ** network.power
    return network


def half(images):
    return images.float() / 255


class Scaled:
    """What prepares images, with a setting that no source shows."""

    def __init__(self, scale):
        self.scale = scale

    def __call__(self, images):
        return images * self.scale


HEADS = nn.Identity(), nn.Softmax(dim=1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"network": to_features(1)}, {"network": to_features(3)}),
        ({"network": with_attribute(1)}, {"network": with_attribute(3)}),
        ({"network": Plain()}, {"network": HidesWhite()}),
        ({"prepare": half}, {}),
        ({"prepare": Scaled(1.0)}, {"prepare": Scaled(2.0)}),
        ({"head": HEADS[0]}, {"head": HEADS[1]}),
        ({"network": nn.Sequential(nn.Flatten(), nn.ReLU())}, {"network": nn.Sequential(nn.Flatten(), nn.ELU())}),
    ],
    ids=["closure", "attribute", "a few images", "prepare", "prepared by a value", "head", "layer"],
)
def test_another_computation_with_the_same_weights_has_features_of_its_own(first, second, tmp_path, images):
    # One that is not among the few that are looked at anew.
    images[next(place for place in range(10) if place not in choose_some(10, TRIED))] = 255
    for settings in (first, second):
        extractor = FeatureExtractor(**{"network": nn.Flatten(), "name": "same", "channels": 1, "size": 8} | settings)
        expected, found = extractor(images), cached_embedding(images, extractor, tmp_path)
        assert torch.equal(found.features, expected.features)
        assert found.logits is None or torch.equal(found.logits, expected.logits)


def test_weights_that_change_under_an_extractor_change_its_hash_and_its_features(tmp_path, images):
    network = Counting()
    extractor = FeatureExtractor(network, "counting", 1, 8)
    first, before = cached_embedding(images, extractor, tmp_path).features, extractor.hash
    with torch.no_grad():
        network.scale += 1
    torch.testing.assert_close(cached_embedding(images, extractor, tmp_path).features, 2 * first)
    assert extractor.hash != before


def test_other_versions_have_features_of_their_own(tmp_path, images, monkeypatch):
    extractor = FeatureExtractor(nn.Flatten(), "pixels", 1, 8)
    for version in ("1", "2"):
        monkeypatch.setattr("genzoo.evaluation.feature_cache.versions", lambda version=version: {"torch": version})
        cached_embedding(images, extractor, tmp_path)
    assert len(list((tmp_path / "features").glob("*/manifest.json"))) == 2


def test_weights_of_half_precision_have_a_hash():
    network = nn.Linear(2, 2).bfloat16()
    assert weights_hash(network) == weights_hash(network) != weights_hash(network.float())
