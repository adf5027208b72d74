import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from genzoo.data import Digits, FashionMNIST, FashionMNISTMini
from genzoo.data.fashion_mnist import DEBIAN_FOLDER
from genzoo.metrics import (
    ClassifierAccuracy,
    LinearAccuracy,
    NearestNeighbourAccuracy,
    Recipe,
    TooFewSamplesError,
)


def split(data, name, number):
    images, labels = data.load(name)
    return torch.tensor(images[:number]), torch.tensor(labels[:number])


@pytest.fixture(scope="module")
def clothes():
    data = FashionMNISTMini()
    return split(data, "train", 2000), split(data, "test", 500)


@pytest.fixture(scope="module")
def digits():
    return split(Digits(), "train", 800), split(Digits(), "test", 360)


def score(metric, training, test, batch_size=1000):
    for batch in zip(*(part.split(batch_size) for part in training), strict=True):
        metric.update(*batch)
    for batch in zip(*(part.split(batch_size) for part in test), strict=True):
        metric.update(*batch, test=True)
    return float(metric.compute())


@pytest.mark.parametrize("batch_size", [1, 32, 256])
def test_nearest_neighbours_are_those_of_sklearn_whatever_the_batch(clothes, batch_size):
    training, test = clothes
    flat = [(images.flatten(1).numpy(), labels.numpy()) for images, labels in clothes]
    expected = KNeighborsClassifier(n_neighbors=1).fit(*flat[0]).score(*flat[1])
    assert score(NearestNeighbourAccuracy(), training, test, batch_size) == pytest.approx(100 * expected)


@pytest.mark.slow
@pytest.mark.skipif(not DEBIAN_FOLDER.is_dir(), reason="needs all of Fashion-MNIST")
def test_nearest_neighbours_among_real_training_images_have_their_published_accuracy(tmp_path):
    data = FashionMNIST(root=str(tmp_path))
    found = score(NearestNeighbourAccuracy(), split(data, "train", 50_000), split(data, "test", 10_000))
    assert found == pytest.approx(84.40, abs=1e-3)


def test_a_classifier_learns_from_right_labels_and_not_from_wrong_ones(digits):
    training, test = digits
    recipe = Recipe(epochs=5, learning_rate=0.1, batch_size=32)
    state = torch.get_rng_state()
    found = score(ClassifierAccuracy(10, recipe), training, test)
    assert torch.equal(torch.get_rng_state(), state)
    assert found > 85
    again = score(ClassifierAccuracy(10, recipe), [part.flip(0) for part in training], test)
    assert again == pytest.approx(found, abs=1e-4)
    shifted = (training[0], (training[1] + 1) % 10)
    assert score(ClassifierAccuracy(10, recipe), shifted, test) < 10


@pytest.mark.parametrize(
    ("metric", "items", "labels", "message"),
    [
        (NearestNeighbourAccuracy(), torch.zeros(2, 1, 8, 8), torch.zeros(2).long(), "takes uint8 images"),
        (NearestNeighbourAccuracy(), torch.zeros(2, 1, 8, 8).byte(), torch.zeros(3).long(), "one class per item"),
        (NearestNeighbourAccuracy(), torch.zeros(2, 1, 8, 8).byte(), torch.zeros(2), "expected int64"),
        (LinearAccuracy(), torch.zeros(2, 1, 8, 8), torch.zeros(2).long(), r"takes floats \(N, D\)"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(metric, items, labels, message):
    with pytest.raises(ValueError, match=message):
        metric.update(items, labels)


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_nothing_to_learn_from_is_refused():
    metric = NearestNeighbourAccuracy()
    with pytest.raises(TooFewSamplesError, match="no training items"):
        metric.compute()
    metric.update(torch.zeros(2, 1, 8, 8).byte(), torch.zeros(2).long())
    with pytest.raises(TooFewSamplesError, match="no test items"):
        metric.compute()
