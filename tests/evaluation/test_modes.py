import numpy as np
import pytest
import torch

from genzoo.data.digits import StackedDigits
from genzoo.data.points import GaussianMixture2D
from genzoo.models.cgan import ConditionalGAN
from genzoo.models.gan import GAN
from genzoo.spec import to_float
from tests.evaluation.scoring import PLAYERS, loaded, scores


def test_points_are_scored_by_their_modes():
    class Perfect(GAN):
        def sample(self, number, y=None, seed=None, weights=None):
            return torch.from_numpy(GaussianMixture2D(test_points=number, seed=7).load("test")[0])

    data = loaded(GaussianMixture2D(training_points=100, test_points=100))
    found = scores(Perfect(data_spec=data.spec, networks=PLAYERS), data)
    assert set(found) == {"modes", "high_quality", "mode_divergence"}
    assert found["modes"].value == 25
    assert found["high_quality"].value == pytest.approx(0.989, abs=0.01)
    assert found["mode_divergence"].value < 0.02


def test_stacked_digits_are_scored_by_their_modes():
    class Memory(GAN):
        def sample(self, number, y=None, seed=None, weights=None):
            images = to_float(torch.from_numpy(StackedDigits(training_images=number).load("train")[0]))
            return images

    data = loaded(StackedDigits(training_images=400, test_images=100, image_size=8))
    found = scores(Memory(data_spec=data.spec, networks=PLAYERS), data, groups=("modes",), number=8000)
    assert found["modes"].value > 990
    assert found["mode_divergence"].value < 0.15


@pytest.mark.parametrize("size", [8, 32])
def test_stacked_digits_keep_their_modes_at_every_image_size(size):
    class Perfect(GAN):
        def sample(self, number, y=None, seed=None, weights=None):
            return to_float(torch.from_numpy(data.array("test").images))

    data = loaded(StackedDigits(training_images=20, test_images=1000, image_size=size))
    modes = scores(Perfect(data_spec=data.spec, networks=PLAYERS), data, groups=("modes",), number=1000)["modes"]
    assert modes.value == pytest.approx(len(np.unique(data.labels("test"))), abs=6)


def test_points_of_a_conditional_model_are_drawn_in_the_shares_of_the_data():
    class Perfect(ConditionalGAN):
        def sample(self, number, y=None, seed=None, weights=None):
            return data.means[y]

    data = loaded(GaussianMixture2D(training_points=100, test_points=500))
    found = scores(Perfect(data_spec=data.spec, networks=PLAYERS), data, number=500)
    shares = np.bincount(data.labels("test")) / 500
    assert found["mode_divergence"].value == pytest.approx((shares * np.log(25 * shares)).sum(), rel=1e-4)
