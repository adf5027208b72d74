"""Priors with codes: what is drawn, where the parts lie, and how probable it is."""

import math

import pytest
import torch

from genzoo.hyperparameters import as_plain, from_plain
from genzoo.latent.inversion import invert
from genzoo.networks.mlp import MLPPlayers
from genzoo.noise import BatchNoise, ImageNoise
from genzoo.sampling.coded import CodedPrior
from genzoo.sampling.generators import GeneratorSampler
from genzoo.sampling.priors import NormalPrior

PRIOR = CodedPrior(categories=(3, 4), continuous=2, noise=NormalPrior())


def test_noise_categories_and_numbers_are_drawn_in_turn():
    density = PRIOR.build((14,))
    z = density.sample(20_000, BatchNoise("cpu", 0))
    parts = density.parts(z)
    assert z.shape == (20_000, 14)
    assert torch.equal(torch.cat([parts.noise, *parts.categories, parts.numbers], 1), z)
    assert parts.noise.std(0) == pytest.approx(torch.ones(5), abs=0.03)
    for category, size in zip(parts.categories, (3, 4), strict=True):
        assert category.shape == (20_000, size)
        assert torch.equal(category.sort(1).values, torch.eye(size)[size - 1].expand(20_000, size))
        assert category.mean(0) == pytest.approx(torch.full((size,), 1.0 / size), abs=0.02)
    assert -1.0 <= parts.numbers.min() < -0.99
    assert 0.99 < parts.numbers.max() < 1.0
    assert z.T.corrcoef().fill_diagonal_(0.0)[:5].abs().max() < 0.05


def test_item_i_is_a_function_of_its_own_noise():
    density = PRIOR.build((14,))
    many = density.sample(70, ImageNoise(torch.arange(70), "cpu", 3))
    assert torch.equal(density.sample(5, ImageNoise(torch.arange(60, 65), "cpu", 3)), many[60:65])


def test_what_is_written_into_a_part_is_written_into_z():
    density = PRIOR.build((14,))
    z = density.sample(6, BatchNoise("cpu", 0))
    digit = density.parts(z).categories[1]
    digit[:] = torch.eye(4)[2]
    assert torch.equal(z[:, 8:12], torch.eye(4)[2].expand(6, 4))


def test_the_log_probability_is_that_of_the_parts():
    density = PRIOR.build((14,))
    z = density.sample(4, BatchNoise("cpu", 0)).double()
    expected = torch.distributions.Normal(0.0, 1.0).log_prob(z[:, :5]).sum(1)
    expected = expected - math.log(3) - math.log(4) - 2 * math.log(2)
    torch.testing.assert_close(density.log_prob(z), expected)
    z[0, 5:8], z[1, 8:12], z[2, 12] = 0.0, 0.25, 1.5
    assert density.log_prob(z).isinf().tolist() == [True, True, True, False]


def test_what_has_left_the_codes_is_brought_back_to_them():
    density = PRIOR.build((14,))
    z = density.sample(4, BatchNoise("cpu", 0))
    moved = z + 0.3 * torch.rand(4, 14)
    back = density.returned(moved, BatchNoise("cpu", 1))
    assert torch.equal(back[:, :5], moved[:, :5])
    assert torch.equal(back[:, 5:12], z[:, 5:12])
    assert density.log_prob(back).isfinite().all()


def test_an_inversion_finds_codes_of_some_category():
    torch.manual_seed(0)
    sampler = GeneratorSampler({"shape": [2]}, (14,), MLPPlayers((8,), (8,)), PRIOR).eval()
    found = invert(sampler, torch.randn(3, 2), steps=5, starts=2)
    assert sampler.prior.log_prob(found.codes).isfinite().all()


def test_truncation_is_that_of_the_noise():
    density = PRIOR.build((14,))
    z = density.sample(50, BatchNoise("cpu", 0))
    truncated = density.truncated(z, 0.5)
    assert truncated[:, :5].abs().max() <= 0.5
    assert torch.equal(truncated[:, 5:], z[:, 5:])


def test_the_value_is_plain_data():
    assert from_plain(as_plain(PRIOR)) == PRIOR
    assert PRIOR.build((14,)).quantiles(torch.tensor([0.5])) is None


def test_codes_that_do_not_fit_are_refused():
    for shape in [(8,), (3, 4, 4)]:
        with pytest.raises(ValueError, match="the codes of a CodedPrior are 9 entries of a vector"):
            PRIOR.build(shape)
    with pytest.raises(ValueError, match="a CodedPrior needs codes"):
        CodedPrior(categories=(), continuous=0)
