"""Of how many items training knows the labels."""

import numpy as np
import pytest
import torch

from genzoo.data.fashion_mnist import FashionMNISTMini
from genzoo.data.points import GaussianMixture2D
from tests.conftest import RandomImages


def loaded(**settings):
    data = RandomImages(number=200, **settings)
    data.setup("fit")
    return data


def trained_on(data):
    """The labels of one epoch of training batches, by the bytes of the images."""
    batches = list(data.train_dataloader())
    return {x.numpy().tobytes(): int(y) for images, labels in batches for x, y in zip(images, labels, strict=True)}


@pytest.mark.parametrize("settings", [{}, {"subset": 80}, {"validation_fraction": 0.0}, {"image_size": 32}])
def test_training_knows_the_labels_of_some_items_of_each_class(settings):
    known, all_labels = trained_on(loaded(labelled=40, **settings)), trained_on(loaded(**settings))
    # In the same order, but for their labels the items are the same.
    assert list(known) == list(all_labels)
    kept = {image: label for image, label in known.items() if label >= 0}
    assert kept.items() <= all_labels.items()
    assert set(known.values()) == {-1, *range(10)}
    data = loaded(labelled=40, batch_size=1, **settings)
    labels = torch.cat([labels for _, labels in data.train_dataloader()])
    assert labels[labels >= 0].bincount().tolist() == [4] * 10


def test_a_smaller_choice_is_part_of_a_larger_one_whatever_the_seed(monkeypatch):
    def kept(labelled):
        return {image for image, label in trained_on(loaded(batch_size=1, labelled=labelled)).items() if label >= 0}

    few, many = kept(20), kept(50)
    assert len(few) == 20
    assert few < many
    monkeypatch.setenv("PL_GLOBAL_SEED", "5")
    assert kept(20) == few


def test_all_but_training_batches_know_all_labels():
    data, plain = loaded(labelled=40), loaded()
    for name in ("train", "validation", "seen"):
        for found in (data.array(name), data.native_array(name)):
            assert np.array_equal(found.labels, plain.labels(name))
        assert np.array_equal(data.labels(name), plain.labels(name))
    for loader, other in zip(data.val_dataloader(), plain.val_dataloader(), strict=True):
        for (_, labels), (_, same) in zip(loader, other, strict=True):
            assert torch.equal(labels, same)
    assert data.identity == plain.identity


def test_the_summary_says_how_many_are_labelled():
    assert loaded(labelled=40).summary().startswith("RandomImages: training 180 (40 labelled), validation 20; 10 cl")
    data = FashionMNISTMini(labelled=1000)
    data.setup("fit")
    assert data.summary().startswith("FashionMNISTMini: training 9,000 (1,000 labelled), validation 1,000; 10 classes")


def test_points_may_be_labelled_in_part():
    data = GaussianMixture2D("ring", training_points=800, labelled=16, batch_size=720)
    data.setup("fit")
    ((_, labels),) = data.train_dataloader()
    assert labels[labels >= 0].bincount().tolist() == [2] * 8


def test_labels_that_there_are_not_cannot_be_kept(monkeypatch):
    with pytest.raises(ValueError, match="labelled must be at least 1, got 0"):
        RandomImages(labelled=0)
    with pytest.raises(
        ValueError, match="labelled is 61, but there are only 60 training items; choose fewer, or leave"
    ):
        loaded(subset=60, labelled=61)
    monkeypatch.setattr(RandomImages, "class_names", ())
    monkeypatch.setattr(
        RandomImages, "load", lambda self, split: (np.zeros((9, 1, 28, 28), np.uint8), np.zeros(9, int))
    )
    with pytest.raises(ValueError, match="labelled is 5, but RandomImages has no classes; leave labelled out"):
        loaded(labelled=5)
