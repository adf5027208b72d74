"""Scores of samples: what they say of constructed models, and that they depend on nothing but those."""

import numpy as np
import pytest
import torch

from genzoo.data.digits import Digits
from genzoo.evaluation.compared import Comparison
from genzoo.evaluation.samples import SamplesGroup
from genzoo.models.gan import GAN
from genzoo.spec import to_float
from genzoo.subsets import choose_some
from tests.evaluation.scoring import PLAYERS, Memory, loaded, scores


def test_a_protocol_says_all_that_a_score_depends_on(digits):
    model = GAN(data_spec=digits.spec, networks=PLAYERS)
    found = scores(model, digits, groups=("samples",), number=200, seed=3)
    protocol = found["fd/digits"].protocol
    assert {
        name: protocol[name] for name in ("extractor", "number_fake", "number_real", "split", "weights", "seed")
    } == {
        "extractor": "digits",
        "number_fake": 200,
        "number_real": 359,
        "split": "test",
        "weights": "raw",
        "seed": 3,
    }
    assert len(protocol["extractor_hash"]) == 64
    assert {"torch", "genzoo", "command", "model", "data"} <= protocol.keys()


def test_scores_are_repeatable_and_know_their_weights(digits, trainer):
    model = GAN(data_spec=digits.spec, networks=PLAYERS, average_decay=0.9)
    trainer(limit_train_batches=3, limit_val_batches=0).fit(model, datamodule=Digits(image_size=8))
    first, second = (scores(model, digits, groups=("samples",), number=100) for _ in range(2))
    assert {name: score.value for name, score in first.items()} == {name: s.value for name, s in second.items()}
    assert first["fd/digits"].protocol["weights"] == "averaged"


def test_samples_that_are_no_numbers_are_not_scored_as_black_images(digits, caplog):
    class Broken(GAN):
        def sample(self, number, y=None, seed=None, weights=None):
            return torch.full((number, 1, 8, 8), torch.nan)

    assert scores(Broken(data_spec=digits.spec, networks=PLAYERS), digits) == {}
    assert "some samples are not finite numbers; look at the weights of the checkpoint" in caplog.text


@pytest.mark.parametrize("size", [8, 16, 32])
def test_a_perfect_model_scores_as_real_data_do_at_every_image_size(size, caplog):
    class Perfect(GAN):
        """Draws the training images that the floors are made of."""

        def sample(self, number, y=None, seed=None, weights=None):
            images = torch.from_numpy(data.array("train").images)
            return to_float(images[choose_some(len(images), number)])

    data = loaded(Digits(image_size=size))
    found = scores(Perfect(data_spec=data.spec, networks=PLAYERS), data, groups=("samples", "parzen"))
    assert found["fd/digits"].floor < 0.5
    for name, score in found.items():
        if name not in ("authenticity/digits", "parzen_log_likelihood"):
            assert score.value == pytest.approx(score.floor, rel=0.02, abs=0.01), name
    assert found["authenticity/digits"].value < 5 < found["authenticity/digits"].floor
    protocol = found["fd/digits"].protocol
    way = "as they are" if size == 8 else "resized"
    assert (protocol["image_size"], protocol["native_size"], protocol["samples_to_native_size"]) == (size, 8, way)


class InOrder(Digits):
    """Its files are in the order of the classes."""

    def load(self, split):
        images, labels = super().load(split)
        order = np.argsort(labels, kind="stable")
        return images[order], labels[order]


def test_floors_do_not_depend_on_the_order_of_the_file(digits):
    model = GAN(data_spec=digits.spec, networks=PLAYERS)
    settings = {"groups": ("samples", "parzen"), "number": 300}
    shuffled, ordered = (scores(model, data, **settings) for data in (digits, loaded(InOrder(image_size=8))))
    for name, tolerance in {"parzen_log_likelihood": 1.5, "fd/digits": 0.25, "recall/digits": 0.06}.items():
        assert ordered[name].floor == pytest.approx(shuffled[name].floor, abs=tolerance), name
    assert shuffled["parzen_log_likelihood"].protocol["floor"] == "300 training images"


def test_a_network_of_ones_own_can_be_named(digits, working_folder, monkeypatch):
    (working_folder / "own.py").write_text("import torch\n\n\nclass Pixels(torch.nn.Flatten):\n    pass\n")
    monkeypatch.syspath_prepend(working_folder)
    model = GAN(data_spec=digits.spec, networks=PLAYERS)
    found = scores(model, digits, groups=("samples",), extractor="own.Pixels", number=100)
    assert "fd/Pixels" in found
    assert found["fd/Pixels"].protocol["extractor"] == "Pixels"


def test_samples_are_shown_in_front_of_the_training_images_nearest_to_them(digits):
    model = Memory(data_spec=digits.spec, networks=PLAYERS).remember(digits)
    comparison = Comparison(model, digits, number=100)
    list(SamplesGroup().scores(comparison))
    picture = comparison.pictures["nearest_training_images"]
    assert (picture.dtype, picture.shape) == (np.uint8, (10 * 10 + 2, 8 * 10 + 2, 3))
    # A remembered image is the nearest one to itself.
    rows = picture[2:, 2:].reshape(10, 10, 8, 10, 3)[:, :8, :, :8]
    assert np.array_equal(rows[:, :, 0], rows[:, :, 1])
    assert not np.array_equal(rows[:, :, 0], rows[:, :, 2])
