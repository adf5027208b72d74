import pytest
import torch

from genzoo.latent.walk import closed_walk, walk
from genzoo.sampling.densities import GaussianMixtureDensity
from tests.latent.samplers import CLASSES, autoencoder, generator, normal, scaling


def speeds(way):
    return torch.cat([way, way[:1]]).diff(dim=0).flatten(1).norm(dim=1)


@pytest.mark.parametrize("shape", [(16,), (2,), (3, 2, 2)])
def test_a_walk_is_closed_and_of_constant_speed(shape):
    speed = speeds(closed_walk(normal(5, *shape), 2000))
    assert speed.max() / speed.min() < 1.02


def test_it_goes_through_all_codes_and_begins_with_the_first():
    codes = normal(4, 10)
    way = closed_walk(codes, 2000)
    assert torch.cdist(way, codes).min(0).values.max() < 0.02
    torch.testing.assert_close(way[0], codes[0])


def test_orthogonal_codes_are_joined_on_their_sphere():
    torch.testing.assert_close(closed_walk(3.0 * torch.eye(5), 50).norm(dim=1), torch.full((50,), 3.0))


def test_it_stays_where_codes_are_likely():
    ways = torch.stack([closed_walk(codes, 12, torch.full((20,), 5.0)) for codes in 2.0 * normal(500, 6, 20) + 5.0])
    mean, deviation = ways.mean((0, 2)), ways.std((0, 2))
    torch.testing.assert_close(mean, torch.full((12,), 5.0), atol=0.1, rtol=0.0)
    torch.testing.assert_close(deviation, torch.full((12,), 2.0), atol=0.1, rtol=0.0)


def test_codes_of_a_fitted_density_are_walked_about_its_mean():
    sampler = autoencoder(2)
    sampler.replace_density(GaussianMixtureDensity(components=1))
    sampler.density.fit(normal(100, 2) + 50.0)
    codes = walk(sampler, sampler.prior_sample(6)[None], 40).codes
    assert (codes - 50.0).abs().max() < 10.0


def test_it_turns_no_corners():
    way = closed_walk(normal(5, 16), 1000)
    steps = torch.cat([way, way[:2]]).diff(dim=0)
    assert torch.nn.functional.cosine_similarity(steps[1:], steps[:-1], dim=1).min() > 0.99


def test_numbers_are_joined_too():
    way = closed_walk(torch.tensor([[-1.0], [1.0], [3.0]]), 100)
    assert speeds(way).max() < 0.2


def test_walks_have_the_conditions_of_their_rows():
    sampler = generator(condition=CLASSES)
    codes, items = walk(sampler, normal(2, 3, 5), 4, y=["left", "right"])
    assert codes.shape == (2, 4, 5)
    torch.testing.assert_close(items[1], sampler.decode(codes[1], "right").detach())


def test_too_few_codes_are_refused():
    with pytest.raises(ValueError, match="at least 3 codes, got 2"):
        walk(scaling(1.0, 1.0), normal(1, 2, 2), 10)
