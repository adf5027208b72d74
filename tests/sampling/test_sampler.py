"""Samples are a function of weights, seed, place and condition alone, to the last bit."""

import pytest
import torch
from torch import Tensor, nn

from genzoo.losses.likelihoods import Bernoulli
from genzoo.networks.convolutional import ConvolutionalEncoderDecoder
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.mlp import MLPPlayers
from genzoo.sampling.autoencoders import VariationalSampler
from genzoo.sampling.conditions import ClassCondition
from genzoo.sampling.densities import GaussianMixtureDensity
from genzoo.sampling.generators import GeneratorSampler
from genzoo.sampling.images import Images
from genzoo.sampling.priors import UniformPrior
from genzoo.sampling.sampler import BLOCK
from genzoo.spec import DataSpec, image_spec

SPEC = image_spec(1, 32, 28)
NUMBERS = [1, 7, 33, 63, 64, 65, 100, 150]


@pytest.fixture(scope="module", params=["GAN", "conditional GAN", "VAE"])
def sampler(request):
    torch.manual_seed(0)
    if request.param == "VAE":
        return VariationalSampler(SPEC, (8,), ConvolutionalEncoderDecoder(), Bernoulli())
    condition = [ClassCondition(("a", "b", "c"))] if request.param == "conditional GAN" else []
    return GeneratorSampler(SPEC, (10,), DCGANPlayers(width=8), UniformPrior(), *condition)


@pytest.mark.parametrize("number", NUMBERS)
def test_samples_do_not_depend_on_how_many_there_are(sampler, number):
    all_of_them, some = sampler.sample(max(NUMBERS), seed=5), sampler.sample(number, seed=5)
    assert type(some) is Images
    assert torch.equal(some, all_of_them[:number])


def test_networks_are_run_on_whole_blocks(sampler):
    sizes = []
    with_sizes = sampler.generate

    def generate(z: Tensor, condition: Tensor | None = None) -> Tensor:
        sizes.append(len(z))
        return with_sizes(z, condition)

    sampler.generate = generate
    try:
        assert sum(len(batch) for batch in sampler.batches(BLOCK + 3, seed=0)) == BLOCK + 3
    finally:
        del sampler.generate
    assert sizes == [BLOCK, BLOCK]


@pytest.mark.parametrize(("shape", "blocks"), [((3, 128, 128), 1), ((1, 32, 32), 8), ((2,), 16)])
def test_parts_hold_as_many_blocks_as_fit_the_memory_that_they_may_take(shape, blocks):
    sampler = GeneratorSampler(DataSpec(shape=list(shape)), (2,), MLPPlayers((4,), (4,)))
    assert len(next(sampler.batches(17 * BLOCK, seed=0))) == blocks * BLOCK


def test_batches_are_the_samples_a_part_at_a_time(sampler):
    batches = sampler.batches(150, seed=2)
    assert torch.equal(torch.cat(list(batches)), sampler.sample(150, seed=2))


def test_between_batches_the_sampler_is_as_it_was(sampler):
    sampler.train()
    for _ in sampler.batches(130, seed=2):
        assert sampler.training
        assert torch.is_grad_enabled()
    sampler.eval()


def test_bad_arguments_of_batches_are_refused_at_once(sampler):
    with pytest.raises(ValueError, match="number must be at least 0"):
        sampler.batches(-1)
    with pytest.raises(ValueError, match="above 0"):
        sampler.batches(3, truncation=-1.0)
    with pytest.raises(ValueError, match="seed must be"):
        sampler.batches(3, seed=0.5)


def test_truncated_samples_are_those_of_truncated_latent_variables():
    class Identity(GeneratorSampler):
        def generate(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
            return z.reshape(-1, 1, 2, 2)

    class NoPlayers:
        def generator(self, *shapes: object) -> nn.Module:
            return nn.Identity()

    torch.manual_seed(0)
    sampler = object.__new__(Identity)
    GeneratorSampler.__init__(sampler, image_spec(1, 2), (4,), NoPlayers(), UniformPrior())
    torch.testing.assert_close(
        sampler.sample(70, seed=1, truncation=0.5).as_subclass(Tensor),
        0.5 * sampler.sample(70, seed=1).as_subclass(Tensor),
    )


def test_what_is_drawn_from_a_fitted_density_cannot_be_truncated():
    torch.manual_seed(0)
    sampler = VariationalSampler(
        SPEC, (8,), ConvolutionalEncoderDecoder(), Bernoulli(), density=GaussianMixtureDensity(1)
    )
    sampler.density.fit(torch.randn(50, 8))
    with pytest.raises(ValueError, match="leave truncation out"):
        sampler.sample(3, truncation=1.0)
