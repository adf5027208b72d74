"""Samplers as single files: whole, plain, and nothing in them is run."""

import json
import pickle

import pytest
import torch
from safetensors.torch import load_file, save_file

from genzoo.losses.gaussian_likelihoods import LearnedGaussian
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.mlp import MLPEncoderDecoder
from genzoo.sampling.autoencoders import VariationalSampler
from genzoo.sampling.conditions import ClassCondition
from genzoo.sampling.densities import GaussianMixtureDensity
from genzoo.sampling.generators import GeneratorSampler
from genzoo.sampling.safe_files import SAMPLER, SafeFileError, read_sampler, write_sampler
from genzoo.spec import image_spec
from tests.test_files import no_file_larger_than


def made(kind):
    torch.manual_seed(0)
    if kind == "conditional GAN":
        condition = ClassCondition(("cat", "dog"))
        return GeneratorSampler(image_spec(1, 32, 28), (6,), DCGANPlayers(width=4), condition=condition)
    sampler = VariationalSampler(
        {"shape": [2]}, (3,), MLPEncoderDecoder((8,)), LearnedGaussian(), density=GaussianMixtureDensity(2)
    )
    sampler.density.fit(torch.randn(40, 3))
    return sampler


@pytest.mark.parametrize("kind", ["conditional GAN", "VAE with a density"])
def test_a_sampler_that_was_written_draws_the_same_to_the_last_bit(kind, tmp_path):
    sampler = made(kind)
    write_sampler(sampler, tmp_path / "deep" / "model.safetensors")
    read = read_sampler(tmp_path / "deep" / "model.safetensors")
    assert not read.training
    assert read.data_spec == sampler.data_spec
    assert torch.equal(read.sample(70, seed=4), sampler.sample(70, seed=4))


def test_weights_that_layers_share_are_written_too(tmp_path):
    sampler = made("VAE with a density")
    sampler.encoder.tied = sampler.decoder
    write_sampler(sampler, tmp_path / "model.safetensors")
    names = load_file(tmp_path / "model.safetensors").keys()
    assert {name.removeprefix("encoder.tied.") for name in names if "tied" in name} == {
        name.removeprefix("decoder.") for name in names if name.startswith("decoder.")
    }


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "model.safetensors"
    write_sampler(made("conditional GAN"), path)
    return path


class Ran:
    def __reduce__(self):
        return open, ("ran", "w")


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-100])


def pickled(path):
    path.write_bytes(pickle.dumps(Ran()))


def emptied(path):
    path.write_bytes(b"")


def without_metadata(path):
    save_file(load_file(path), path)


def with_metadata(change):
    def rewrite(path):
        sampler = made("conditional GAN")
        write_sampler(sampler, path)
        from safetensors import safe_open

        with safe_open(path, framework="pt") as file:
            plain = json.loads(file.metadata()[SAMPLER])
        save_file(load_file(path), path, {SAMPLER: change(plain)})

    return rewrite


def of_no_sampler(plain):
    return json.dumps(plain["init_args"]["prior"])


def of_others(plain):
    return json.dumps({"class_path": "os.system", "init_args": {"command": "touch ran"}})


def with_other_widths(plain):
    plain["init_args"]["networks"]["init_args"]["width"] = 8
    return json.dumps(plain)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (cut_off, "is cut off or damaged"),
        (pickled, "is no safetensors file"),
        (emptied, "is no safetensors file"),
        (without_metadata, "does not say of which sampler"),
        (with_metadata(lambda plain: "{"), "what .* says of its sampler is damaged"),
        (with_metadata(of_no_sampler), "describes a NormalPrior, not a sampler"),
        (with_metadata(of_others), "os.system is no class of genzoo"),
        (with_metadata(with_other_widths), "do not fit the GeneratorSampler"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_and_nothing_in_it_is_run(spoil, reason, written, monkeypatch):
    monkeypatch.chdir(written.parent)
    spoil(written)
    with pytest.raises(ValueError, match=reason):
        read_sampler(written)
    assert not (written.parent / "ran").exists()


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read_sampler(tmp_path / "none.safetensors")


def test_a_file_that_cannot_be_written_leaves_the_one_before(written):
    before = written.read_bytes()
    with no_file_larger_than(100), pytest.raises(OSError, match=r"cannot be written \(File too large\)"):
        write_sampler(made("conditional GAN"), written)
    assert written.read_bytes() == before
    assert issubclass(SafeFileError, ValueError)
