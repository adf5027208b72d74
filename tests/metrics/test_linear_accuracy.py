import pytest
import torch
from sklearn.linear_model import LogisticRegression

from genzoo.data import Digits
from genzoo.metrics import (
    LinearAccuracy,
)


def split(data, name, number):
    images, labels = data.load(name)
    return torch.tensor(images[:number]), torch.tensor(labels[:number])


@pytest.fixture(scope="module")
def digits():
    return split(Digits(), "train", 800), split(Digits(), "test", 360)


def score(metric, training, test, batch_size=1000):
    for batch in zip(*(part.split(batch_size) for part in training), strict=True):
        metric.update(*batch)
    for batch in zip(*(part.split(batch_size) for part in test), strict=True):
        metric.update(*batch, test=True)
    return float(metric.compute())


def test_a_linear_machine_on_pixels_is_about_as_good_as_logistic_regression(digits):
    (training, labels), (test, truth) = ((images.flatten(1).float(), labels) for images, labels in digits)
    found = score(LinearAccuracy(0.01), (training, labels), (test, truth))
    model = LogisticRegression(C=0.001, max_iter=2000).fit(training / 255 * 16, labels)
    assert found == pytest.approx(100 * model.score(test / 255 * 16, truth), abs=2)
    assert score(LinearAccuracy(0.01), (training, labels.roll(1)), (test, truth)) < 40
