import pytest
import scipy.stats
import torch

from genzoo.latent.manifold import manifold, places_in_plane
from genzoo.sampling.priors import UniformPrior
from tests.latent.samplers import CLASSES, autoencoder, generator, scaling


def test_codes_lie_at_equal_quantiles_the_second_growing_upwards():
    codes, items = manifold(scaling(1.0, 10.0), side=4)
    quantiles = torch.tensor(scipy.stats.norm.ppf([0.125, 0.375, 0.625, 0.875]), dtype=torch.float32)
    torch.testing.assert_close(codes[..., 0], quantiles.expand(4, 4))
    torch.testing.assert_close(codes[..., 1], quantiles.flip(0)[:, None].expand(4, 4))
    torch.testing.assert_close(items, codes * torch.tensor([1.0, 10.0]))


def test_a_uniform_prior_has_evenly_spaced_codes():
    codes = manifold(scaling(1.0, 1.0, prior=UniformPrior()), side=2).codes
    torch.testing.assert_close(codes[0], torch.tensor([[-0.5, 0.5], [0.5, 0.5]]))


def test_codes_have_their_places_in_the_picture():
    sampler = scaling(1.0, 1.0)
    codes = manifold(sampler, side=5).codes
    places = places_in_plane(sampler, codes.flatten(0, 1)).view(5, 5, 2)
    expected = torch.tensor([0.1, 0.3, 0.5, 0.7, 0.9])
    torch.testing.assert_close(places[..., 0], expected.expand(5, 5), atol=0.0011, rtol=0.0)
    torch.testing.assert_close(places[..., 1], expected.flip(0)[:, None].expand(5, 5), atol=0.0011, rtol=0.0)


def test_classes_are_those_of_rows():
    sampler = generator(2, CLASSES)
    codes, items = manifold(sampler, 3, y=[0, 1, 2])
    torch.testing.assert_close(items[1], sampler.decode(codes[1], "middle").detach())


def test_codes_of_items_take_the_place_of_a_prior():
    codes = torch.arange(101.0)[:, None].repeat(1, 2)
    assert manifold(autoencoder(2), 2, codes=codes).codes[0].tolist() == [[25.0, 75.0], [75.0, 75.0]]


def test_other_numbers_of_latent_variables_are_refused():
    with pytest.raises(ValueError, match="has 5 latent variables, but only two span a plane"):
        manifold(generator(5))
    with pytest.raises(ValueError, match="has 1 latent variable, but"):
        manifold(generator(1))
