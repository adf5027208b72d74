"""Scores of conditional models: of one that knows its data by heart, and of one that has learnt nothing."""

import numpy as np
import pytest
import torch

from genzoo.data.digits import Digits
from genzoo.models.cgan import ConditionalGAN
from tests.evaluation.scoring import PLAYERS, Memory, loaded, scores


def test_training_images_score_like_training_images_and_are_told_to_be_copies(digits):
    model = Memory(data_spec=digits.spec, networks=PLAYERS).remember(digits)
    found = scores(model, digits, groups=("samples", "classes"), number=359)
    assert found["fd/digits"].value == pytest.approx(found["fd/digits"].floor, abs=1.0)
    assert found["precision/digits"].value > 0.8
    assert found["coverage/digits"].value > 0.8
    assert found["authenticity/digits"].value < 5 < found["authenticity/digits"].floor
    accuracy = found["nearest_neighbour_accuracy"]
    assert accuracy.value == pytest.approx(accuracy.floor, abs=2.0)
    assert accuracy.floor > 95
    assert found["agreement/digits"].value > 95
    assert found["classifier_accuracy"].value > 90


def test_a_model_that_has_learnt_nothing_scores_badly(digits):
    torch.manual_seed(0)
    model = ConditionalGAN(data_spec=digits.spec, networks=PLAYERS)
    found = scores(model, digits, groups=("samples", "classes"), number=359, conditional_number=500)
    assert found["fd/digits"].value > 20 * found["fd/digits"].floor
    assert found["coverage/digits"].value < 0.2
    assert found["nearest_neighbour_accuracy"].value < 50
    assert found["agreement/digits"].value < 40


class Uneven(Digits):
    """Digits in about the shares of SVHN: many ones, few nines."""

    def load(self, split):
        images, labels = super().load(split)
        place_in_class = np.array([(labels[:place] == label).sum() for place, label in enumerate(labels)])
        kept = (
            place_in_class
            < np.bincount(labels)[labels] * np.array([33, 100, 80, 60, 50, 45, 40, 40, 35, 30])[labels] / 100
        )
        return images[kept], labels[kept]


def test_conditions_are_drawn_in_the_shares_of_the_data():
    data = loaded(Uneven(image_size=8))
    model = Memory(data_spec=data.spec, networks=PLAYERS).remember(data)
    asked, sample = [], model.sample
    model.sample = lambda number, y=None, seed=None: asked.append(y) or sample(number, y, seed)
    found = scores(model, data, groups=("samples", "classes"))
    training, test = (np.bincount(data.labels(part)) for part in ("train", "test"))
    compared, learnt_from, agreeing = (np.bincount(y) for y in asked)
    assert compared.tolist() == test.tolist()
    assert learnt_from.tolist() == training.tolist()
    assert np.abs(agreeing - test * training.sum() / test.sum()).max() < 1
    # In turn they would score 1.86.
    assert found["fd/digits"].value < 0.7
    assert found["fd/digits"].protocol["conditions"] == "those of the test images, in their shares"
    assert found["classifier_accuracy"].protocol["conditions"] == "those of the training images, in their shares"
    assert found["agreement/digits"].protocol["conditions"] == "those of the test images, in their shares"
