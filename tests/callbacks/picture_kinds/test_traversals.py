"""Traversals show the latent variables that matter, from quantile to quantile."""

import numpy as np
import pytest
import torch

from genzoo.callbacks.picture_kinds.traversals import TraversalsPicture
from genzoo.models import GAN, AutoEncoder, InfoGAN
from genzoo.networks.mlp import MLPPlayers
from genzoo.sampling.coded import CodedPrior
from genzoo.spec import to_uint8
from tests.callbacks.picture_kinds.scenes import small_scene, tiles


def decoded(model, codes):
    return to_uint8(model.eval().decode(codes).detach())[:, 0].numpy()


def alike(row, images):
    return all(np.abs(tile[::2, ::2].astype(int) - image).max() <= 1 for tile, image in zip(row, images, strict=True))


def values_of(dimension, size, values):
    codes = torch.zeros(len(values), size)
    codes[:, dimension] = values
    return codes


def test_a_vae_shows_the_variables_of_the_largest_divergence_around_the_mean_of_the_prior():
    scene = small_scene(latent_dim=5)
    mean, log_variance = scene.model.eval().sampler.posterior(scene.seen.many[0], None)
    kl = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).mean(0)
    for row, dimension in zip(
        tiles(TraversalsPicture(rows=2).draw(scene), 9), kl.argsort(descending=True)[:2].tolist(), strict=True
    ):
        assert alike(row, decoded(scene.model, values_of(dimension, 5, torch.linspace(-3, 3, 9))))


def test_an_autoencoder_shows_the_codes_that_vary_most_around_their_median():
    scene = small_scene(AutoEncoder, latent_dim=5)
    codes = scene.model.eval().encode(scene.seen.many[0]).detach()
    (row,) = tiles(TraversalsPicture(rows=1, deviations=1.0).draw(scene), 9)
    dimension = int(codes.var(0).argmax())
    wanted = codes.median(0).values.expand(9, -1).clone()
    wanted[:] = torch.tensor(np.quantile(codes.numpy(), 0.5, axis=0))
    shares = torch.special.ndtr(torch.linspace(-1, 1, 9).double()).numpy()
    wanted[:, dimension] = torch.tensor(np.quantile(codes[:, dimension].double().numpy(), shares)).float()
    assert alike(row, decoded(scene.model, wanted))


@pytest.mark.parametrize(("model_class", "settings", "first"), [(GAN, {}, 0), (InfoGAN, {"prior": CodedPrior()}, 72)])
def test_a_model_that_does_not_encode_changes_a_sample_by_its_first_variables_and_codes(model_class, settings, first):
    scene = small_scene(model_class, MLPPlayers((8,), (8,)), **settings)
    (row,) = tiles(TraversalsPicture(rows=1).draw(scene), 9)
    shares = torch.special.ndtr(torch.linspace(-3, 3, 9))
    codes = scene.random_codes(1).repeat(9, 1)
    # Those of InfoGAN behind its noise and its category are uniform on [-1, 1).
    codes[:, first] = 2.0 * shares - 1.0 if model_class is InfoGAN else torch.linspace(-3, 3, 9)
    assert alike(row, decoded(scene.model, codes))
