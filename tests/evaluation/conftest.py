import pytest

from genzoo.data.digits import Digits
from genzoo.data.fashion_mnist import FashionMNISTMini
from tests.evaluation.scoring import loaded


@pytest.fixture(scope="module")
def digits():
    return loaded(Digits(image_size=8))


@pytest.fixture(scope="module")
def clothes():
    return loaded(FashionMNISTMini(image_size=28))
