"""The images and conditions that scores compare with: those of the file, in its shares."""

import pytest
import torch

from genzoo.data.digits import Digits, StackedDigits
from genzoo.data.fashion_mnist import FashionMNISTMini
from genzoo.evaluation.compared import real_images
from genzoo.metrics.extractors.embedded import embedded_extractor
from genzoo.metrics.frechet import FrechetDistance


@pytest.mark.parametrize(
    ("make", "sizes"),
    [
        (Digits, (8, 16, 32)),
        (lambda **settings: StackedDigits(training_images=50, test_images=50, **settings), (8, 16, 32)),
        (FashionMNISTMini, (28, 32, 64)),
    ],
)
def test_real_images_are_those_of_the_file_at_every_image_size(make, sizes):
    for size in sizes:
        data = make(image_size=size)
        data.setup("test")
        assert torch.equal(real_images(data, "test"), torch.tensor(data.load("test")[0]))


@pytest.mark.parametrize("size", [16, 32])
def test_a_file_has_no_distance_to_itself(size):
    data = Digits(image_size=size)
    data.setup("test")
    extractor = embedded_extractor("digits")
    distance = FrechetDistance(extractor.feature_dim, real=extractor(real_images(data, "test")).features)
    distance.update(extractor(torch.tensor(data.load("test")[0])).features)
    assert float(distance.compute()) < 1e-6
