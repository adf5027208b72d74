import pytest
import torch
from torch import nn

from genzoo.metrics import FeatureExtractor, KernelDistance
from genzoo.metrics.extractors.extractor import weights_hash


@pytest.fixture
def extractor():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(), nn.AdaptiveAvgPool2d(2), nn.Flatten())
    return FeatureExtractor(network, "mine", channels=1, size=8, head=nn.Linear(16, 3))


@pytest.fixture
def images():
    return torch.randint(0, 256, (70, 1, 8, 8), dtype=torch.uint8)


def test_it_knows_what_it_takes_and_gives(extractor, images):
    assert (extractor.feature_dim, extractor.number_of_classes, extractor.frechet_name) == (16, 3, "fd/mine")
    features, logits = extractor(images)
    assert (features.shape, logits.shape) == ((70, 16), (70, 3))
    assert not features.requires_grad


def test_it_sees_bytes_as_floats_from_minus_one_to_one():
    pixels = FeatureExtractor(nn.Flatten(), "pixels", channels=1, size=2)
    features, logits = pixels(torch.tensor([0, 255, 51, 204], dtype=torch.uint8).view(1, 1, 2, 2))
    assert features[0].tolist() == pytest.approx([-1, 1, -0.6, 0.6])
    assert logits is None


@pytest.mark.parametrize("images_at_once", [1, 32, 256])
def test_features_do_not_depend_on_the_batch(extractor, images, images_at_once):
    torch.testing.assert_close(extractor(images, images_at_once).features, extractor(images).features)


def test_it_never_trains_even_inside_a_model(extractor, images):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.extractor = extractor
            self.metric = KernelDistance()

    before = extractor(images).features
    model = Model().train()
    assert not list(model.parameters())
    assert not model.state_dict()
    extractor._network.train()
    assert torch.equal(extractor(images).features, before)
    assert weights_hash(extractor._network, extractor._head) == extractor.hash


def test_the_hash_is_a_function_of_the_weights():
    torch.manual_seed(0)
    layer, other = nn.Linear(2, 2), nn.Linear(2, 2)
    assert weights_hash(layer) != weights_hash(other)
    other.load_state_dict(layer.state_dict())
    assert weights_hash(layer) == weights_hash(other)
    with torch.no_grad():
        other.bias[0] += 1e-6
    assert weights_hash(layer) != weights_hash(other)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(2, 1, 8, 8), r"the extractor mine got float32 images, but takes uint8 of shape \(N, 1, 8, 8\)"),
        (torch.zeros(2, 3, 8, 8).byte(), r"got images of shape \(2, 3, 8, 8\), but takes \(N, 1, 8, 8\)"),
        (torch.zeros(2, 1, 32, 32).byte(), "bring samples to the native size of the data with genzoo.spec.to_native"),
        (torch.zeros(1, 8, 8).byte(), r"takes \(N, 1, 8, 8\)"),
    ],
)
def test_other_images_are_refused(extractor, images, message):
    with pytest.raises(ValueError, match=message):
        extractor(images)


def test_a_network_that_gives_no_rows_is_refused():
    with pytest.raises(ValueError, match=r"gave \(2, 1, 8, 8\) for 2 images, .* flatten or average"):
        FeatureExtractor(nn.Identity(), "maps", channels=1, size=8)
