"""Neighbours are found among all training items, by distances that NumPy computes."""

import numpy as np
import pytest
import torch

from genzoo.callbacks.picture_kinds.neighbours import NeighboursPicture, picked
from genzoo.models import GAN, ConditionalGAN
from genzoo.networks.mlp import MLPPlayers
from genzoo.spec import to_uint8
from tests.callbacks.picture_kinds.scenes import small_scene, tiles

PLAYERS = MLPPlayers((8,), (8,))


@pytest.mark.parametrize(("model_class", "number"), [(GAN, 8), (ConditionalGAN, 10)])
def test_samples_stand_in_front_of_the_training_images_nearest_in_pixels(model_class, number):
    scene = small_scene(model_class, PLAYERS)
    shown = tiles(NeighboursPicture(nearest=3).draw(scene), 3)
    samples = np.asarray(scene.model.sample(number, seed=0)).reshape(number, -1)
    training = scene.data.array("train").images
    values = training.reshape(len(training), -1) / 127.5 - 1.0
    assert len(shown) == number
    for sample, row in zip(samples, shown, strict=True):
        nearest = np.linalg.norm(values - sample, axis=1).argsort()[:3]
        for place, tile in zip(nearest, row, strict=True):
            assert np.array_equal(tile[::2, ::2], training[place, 0])


def test_a_model_that_repeats_an_image_is_seen_through():
    scene = small_scene(GAN, PLAYERS)
    (image, _) = next(iter(scene.data.training_batches(1)))
    scene.model.sampler.generate = lambda z, condition=None: image.expand(len(z), -1, -1, -1)
    (row, *_) = tiles(NeighboursPicture().draw(scene), 6)
    assert np.array_equal(row[0][::2, ::2], to_uint8(image)[0, 0].numpy())


def test_items_are_picked_from_batches_in_the_order_that_is_asked_for():
    parts = [(each[:, None], each) for each in torch.arange(10).split(4)]
    places = torch.tensor([[9, 0], [4, 4]])
    assert picked(parts, places)[..., 0].tolist() == [[9, 0], [4, 4]]
