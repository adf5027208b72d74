import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from torch import nn

from genzoo.data import Digits, FashionMNIST, FashionMNISTMini
from genzoo.data.fashion_mnist import DEBIAN_FOLDER
from genzoo.metrics import (
    ClassAgreement,
    ClassifierAccuracy,
    LinearAccuracy,
    NearestNeighbourAccuracy,
    PooledActivations,
    Recipe,
    TooFewSamplesError,
)
from genzoo.models.dcgan import DCGAN


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


def test_a_linear_machine_on_pixels_is_about_as_good_as_logistic_regression(digits):
    (training, labels), (test, truth) = ((images.flatten(1).float(), labels) for images, labels in digits)
    found = score(LinearAccuracy(0.01), (training, labels), (test, truth))
    model = LogisticRegression(C=0.001, max_iter=2000).fit(training / 255 * 16, labels)
    assert found == pytest.approx(100 * model.score(test / 255 * 16, truth), abs=2)
    assert score(LinearAccuracy(0.01), (training, labels.roll(1)), (test, truth)) < 40


def test_pooled_activations_are_all_maps_of_the_discriminator():
    model = DCGAN(data_spec={"shape": [1, 32, 32], "range": [-1.0, 1.0]}, latent_dim=4).eval()
    features = PooledActivations(model.discriminator)
    images = torch.rand(3, 1, 32, 32) * 2 - 1
    with torch.no_grad():
        found = features(images)
    widths = [part.out_channels for part in model.discriminator.modules() if isinstance(part, nn.Conv2d)]
    assert found.shape == (3, 16 * sum(width for width in widths if width > 1))
    assert features(images[:1])[0].tolist() == pytest.approx(found[0].tolist(), abs=1e-5)
    with pytest.raises(ValueError, match="no activation maps of Tanh"):
        PooledActivations(model.discriminator, kinds=(nn.Tanh,))(images)


def test_agreement_is_counted_by_the_class_that_was_asked_for():
    metric = ClassAgreement(num_classes=3)
    logits = nn.functional.one_hot(torch.tensor([0, 0, 1, 2, 2]), 3).float()
    for part in zip(logits.split(2), torch.tensor([0, 0, 0, 2, 1]).split(2), strict=True):
        metric.update(*part)
    found = metric.compute()
    assert float(found["agreement"]) == pytest.approx(60)
    assert found["agreement_per_class"].tolist() == pytest.approx([200 / 3, 0, 100])


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
