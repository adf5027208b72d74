import pytest
import torch
from torch import nn

from genzoo.metrics import FeatureExtractor
from genzoo.metrics.feature_cache import cached_embedding, fingerprint


@pytest.fixture
def images():
    return torch.randint(0, 256, (10, 1, 8, 8), dtype=torch.uint8)


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.calls = 0

    def forward(self, images):
        self.calls += 1
        return images.flatten(1) * self.scale


@pytest.mark.parametrize("head", [None, nn.Linear(64, 3)])
def test_features_are_made_once(tmp_path, images, head):
    network = Counting()
    extractor = FeatureExtractor(network, "counting", 1, 8, head=head)
    made = cached_embedding(images, extractor, tmp_path)
    calls = network.calls
    read = cached_embedding(images, extractor, tmp_path)
    assert network.calls == calls
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
