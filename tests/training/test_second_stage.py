"""A second stage holds a first one: frozen, in its own checkpoint, and described by plain data."""

import pytest
import torch

from genzoo.models.vae import VAE
from genzoo.networks.mlp import MLPEncoderDecoder
from genzoo.sampling.stored import load_sampler
from genzoo.training.model import GenerativeModel
from tests.conftest import RandomImages
from tests.sampling.second_stage import CodeSampler
from tests.training.cases import SecondStage

PACKAGES = ("genzoo", "tests")


@pytest.fixture
def trained(trainer, tmp_path):
    """A first stage's sampler and the second stage that was trained on it, with its checkpoint."""
    data = RandomImages(number=90, batch_size=16)
    runner = trainer()
    runner.fit(VAE(data_spec=data.spec, networks=MLPEncoderDecoder((8,)), latent_dim=3), datamodule=data)
    runner.save_checkpoint(tmp_path / "first.ckpt")
    first = load_sampler(tmp_path / "first.ckpt")
    model = SecondStage(data_spec=data.spec, first=load_sampler(tmp_path / "first.ckpt"))
    runner = trainer()
    runner.fit(model, datamodule=data)
    runner.save_checkpoint(tmp_path / "second.ckpt")
    (tmp_path / "first.ckpt").unlink()
    return first, model, runner, tmp_path / "second.ckpt"


def test_the_first_stage_is_frozen(trained):
    first, model, runner, _ = trained
    held = model.sampler.first.state_dict()
    assert all(torch.equal(value, held[name]) for name, value in first.state_dict().items())
    assert not any(part.training for part in model.train().sampler.first.modules())
    assert model.sampler.scaling.training
    moved = [parameter for group in runner.optimizers[0].param_groups for parameter in group["params"]]
    assert {id(parameter) for parameter in moved} == {id(each) for each in model.sampler.scaling.parameters()}
    assert all(parameter.abs().max() > 0.0 for parameter in moved)


def test_its_own_checkpoint_is_all_that_a_second_stage_needs(trained):
    _, model, _, checkpoint = trained
    samples = model.sample(5, seed=0)
    assert torch.equal(GenerativeModel.load_from_checkpoint(checkpoint).sample(5, seed=0), samples)
    sampler = load_sampler(checkpoint, allowed=PACKAGES)
    assert isinstance(sampler, CodeSampler)
    assert torch.equal(sampler.sample(5, seed=0), samples)
    stored = torch.load(checkpoint, weights_only=True)["hyper_parameters"]["first"]
    assert stored == model.sampler.plain_arguments["first"]
    assert stored["class_path"] == "genzoo.sampling.autoencoders.VariationalSampler"


def test_what_it_draws_is_decoded_by_the_first_stage(trained):
    first, model, _, _ = trained
    z = torch.randn(4, 3)
    scaling = model.sampler.scaling
    expected = first.decode(scaling.mean + scaling.log_deviation.exp() * z)
    assert torch.equal(model.eval().decode(z), expected)
