"""Ways begin and end at samples, or at reconstructions, and go on a sphere where codes lie on one."""

from functools import partial

import numpy as np
import pytest
import torch

from genzoo.callbacks.picture_kinds.interpolation import InterpolationPicture
from genzoo.callbacks.picture_kinds.traversals import TraversalsPicture
from genzoo.models import GAN, VAE, AutoEncoder, ConditionalGAN
from genzoo.networks.image_to_image import ImageToImagePlayers
from genzoo.networks.mlp import MLPPlayers
from genzoo.sampling.priors import NormalPrior, UniformPrior
from genzoo.spec import to_uint8
from tests.callbacks.picture_kinds.scenes import scene_of, small_scene, tiles
from tests.conftest import RandomPairs

PLAYERS = MLPPlayers((8,), (8,))


def shown(images):
    return to_uint8(images.as_subclass(torch.Tensor)).detach()[:, 0].numpy()


@pytest.mark.parametrize("model_class", [GAN, VAE])
def test_rows_go_from_sample_to_sample(model_class):
    scene = small_scene(GAN, PLAYERS) if model_class is GAN else small_scene()
    rows, samples = tiles(InterpolationPicture().draw(scene), 10), shown(scene.model.sample(8, seed=0))
    assert len(rows) == 4
    for number, row in enumerate(rows):
        for tile, sample in ((row[0], samples[2 * number]), (row[-1], samples[2 * number + 1])):
            assert np.array_equal(tile[::2, ::2], sample)


@pytest.mark.parametrize("prior", [NormalPrior(), UniformPrior()])
def test_half_way_lies_on_the_sphere_of_a_normal_prior_and_within_the_cube_of_a_uniform_one(prior):
    scene = small_scene(GAN, PLAYERS, prior=prior, latent_dim=16)
    a, b = scene.random_codes(2)
    middle = (a + b) / 2
    if isinstance(prior, NormalPrior):
        direction = a / a.norm() + b / b.norm()
        middle = (a.norm() + b.norm()) / 2 * direction / direction.norm()
    (row, *_) = tiles(InterpolationPicture(steps=3).draw(scene), 3)
    expected = shown(scene.model.eval().decode(middle[None]))[0]
    assert np.abs(row[1][::2, ::2].astype(int) - expected).max() <= 1


def test_a_conditional_model_has_a_row_of_each_class():
    scene = small_scene(ConditionalGAN, PLAYERS)
    rows = tiles(InterpolationPicture().draw(scene), 10)
    z = scene.random_codes(20)[::2]
    expected = shown(scene.model.eval().decode(z, torch.arange(10)))
    assert all(np.array_equal(row[0][::2, ::2], image) for row, image in zip(rows, expected, strict=True))


def test_without_a_prior_rows_go_from_reconstruction_to_reconstruction():
    scene = small_scene(AutoEncoder)
    rows = tiles(InterpolationPicture(rows=3).draw(scene), 10)
    reconstructed = shown(scene.model.eval().reconstruct(scene.seen.first[0][:6]))
    for number, row in enumerate(rows):
        for tile, image in ((row[0], reconstructed[2 * number]), (row[-1], reconstructed[2 * number + 1])):
            assert np.abs(tile[::2, ::2].astype(int) - image).max() <= 1


def test_condition_images_are_those_of_seen_items():
    data = RandomPairs(number=60, batch_size=20, image_size=32, validation_fraction=0.0)
    scene = scene_of(ConditionalGAN(data_spec=data.spec, networks=ImageToImagePlayers(width=2)), data)
    for kind, columns in ((InterpolationPicture(rows=2), 10), (TraversalsPicture(rows=2), 9)):
        assert len(tiles(kind.draw(scene), columns)) == 2
    decode = partial(scene.model.eval().decode, y=scene.seen.first[1][:2])
    rows = tiles(InterpolationPicture(rows=2).draw(scene), 10)
    for row, image in zip(rows, shown(decode(scene.random_codes(4)[::2])), strict=True):
        assert np.abs(row[0][::2, ::2].astype(int) - image[2:-2, 2:-2]).max() <= 1
