"""The images and conditions that scores compare with: those of the file, in its shares."""

import numpy as np
import pytest
import torch
from torch import nn

from genzoo.data.digits import Digits, StackedDigits
from genzoo.data.fashion_mnist import FashionMNISTMini
from genzoo.metrics.embedded import embedded_extractor
from genzoo.metrics.extractors import FeatureExtractor
from genzoo.metrics.frechet import FrechetDistance
from genzoo.metrics.selection import conditions_like, real_images, require_suited


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


@pytest.mark.parametrize("number", [1, 7, 40, 100, 333, 5000])
def test_classes_have_the_shares_of_the_data(number):
    # Those of SVHN, and one that does not occur.
    sizes = np.array([17, 50, 40, 30, 25, 22, 20, 20, 18, 16, 0])
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(11), sizes))
    conditions = conditions_like(labels, number)
    assert (conditions.dtype, conditions.shape) == (torch.int64, (number,))
    counts = np.bincount(conditions, minlength=11)
    assert np.abs(counts - sizes * number / len(labels)).max() < 1
    assert torch.equal(conditions_like(np.sort(labels), number), conditions)
    # Wherever one looks, the shares are about the same.
    half = np.bincount(conditions[: number // 2], minlength=11)
    assert np.abs(half - counts / 2).max() <= 1.5


@pytest.mark.parametrize("number", [1, 25, 200, 205])
def test_even_classes_come_in_turn(number):
    labels = np.random.default_rng(0).permutation(np.arange(200) % 10)
    assert torch.equal(conditions_like(labels, number), torch.arange(number) % 10)


def test_many_small_classes_are_not_forgotten_beside_a_large_one():
    labels = np.concatenate([np.zeros(900, np.int64), np.arange(1, 101)])
    counts = np.bincount(conditions_like(labels, 400))
    assert counts[0] == 360
    assert counts.sum() == 400


def test_vectors_are_taken_in_their_shares_whatever_their_order():
    vectors = np.eye(10, dtype=np.float32)[np.arange(1000) % 10]
    for number in (101, 1000, 2101):
        found = conditions_like(vectors, number).numpy()
        assert len(found) == number
        assert abs(found.sum(0) - number / 10).max() < 12
        assert np.array_equal(found[: number // 1000 * 1000], np.tile(vectors, (number // 1000, 1)))


def test_an_extractor_for_other_images_is_refused():
    require_suited(FeatureExtractor(nn.Flatten(), "any"), StackedDigits())
    require_suited(embedded_extractor("digits"), StackedDigits(), channels=1)
    with pytest.raises(
        ValueError, match=r"digits looks at images of 1 x 8 x 8, but FashionMNISTMini shows it 1 x 28 x"
    ):
        require_suited(embedded_extractor("digits"), FashionMNISTMini())
    with pytest.raises(ValueError, match=r"digits looks at images of 1 x 8 x 8, but StackedDigits shows it 3 x 8 x 8"):
        require_suited(embedded_extractor("digits"), StackedDigits())
