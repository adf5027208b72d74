"""Checkpoints of every model give the same model in another process."""

import logging
import subprocess
import sys
from math import prod

import pytest
import torch

from genzoo.callbacks.checkpoints import Checkpoints
from genzoo.checkpoint_files import CheckpointError
from genzoo.losses.gaussian_likelihoods import LearnedGaussian
from genzoo.models.gan import GAN
from genzoo.models.vae import VAE
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.sampling.densities import GaussianMixtureDensity
from genzoo.training.model import GenerativeModel
from tests.conftest import RandomImages
from tests.models.test_contract import MODELS

LOADING = """
import pathlib, sys, torch

from genzoo.training.model import GenerativeModel

for path in sorted(pathlib.Path(sys.argv[1]).glob("*.ckpt")):
    model = GenerativeModel.load_from_checkpoint(path).eval()
    expected = torch.load(path.with_suffix(".expected"), weights_only=True)
    assert type(model).__name__ == path.stem.partition("-")[0], (type(model), path)
    assert model.data_spec == expected["data_spec"], path
    assert type(model.load_from_checkpoint(path)) is type(model)
    with torch.no_grad():
        decoded = model.decode(expected["z"], expected["y"])
    assert torch.equal(decoded, expected["decoded"]), (path, (decoded - expected["decoded"]).abs().max())
    for name, value in model.state_dict().items():
        # How often averages were updated is a plain number.
        assert torch.equal(torch.as_tensor(value), torch.as_tensor(expected["state"][name])), (path, name)
    print("loaded", path.stem)
"""


def keep(path, model):
    """Puts what the loaded model must give beside its checkpoint."""
    z = torch.linspace(-1, 1, 3 * prod(model.latent_shape)).reshape(3, *model.latent_shape)
    y = torch.tensor([1, 2, 9]) if model.condition.shape else None
    model.eval()
    # A loaded model decodes with its averages, if it has some.
    with torch.no_grad(), model.using():
        decoded = model.decode(z, y)
    expected = {"z": z, "y": y, "decoded": decoded, "state": model.state_dict(), "data_spec": model.data_spec}
    torch.save(expected, path.with_suffix(".expected"))


def load_in_another_process(folder):
    """Loads all checkpoints of the folder in one fresh process, where they must give what was kept beside them."""
    program = [sys.executable, "-c", LOADING, str(folder)]
    result = subprocess.run(program, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.count("loaded")


def test_all_load_in_one_fresh_process_and_give_the_same(tmp_path, trainer):
    """Those that the command line makes are met where it fits every shipped config."""
    data = RandomImages(number=24, batch_size=8)
    for model_class in MODELS:
        model = model_class(data_spec=data.spec, latent_dim=3)
        runner = trainer()
        runner.fit(model, datamodule=data)
        path = tmp_path / f"{model_class.__name__}-python.ckpt"
        runner.save_checkpoint(path)
        keep(path, model)
    assert load_in_another_process(tmp_path) == len(MODELS)


def test_a_loaded_model_can_be_saved_and_loaded_again(tmp_path, trainer):
    data = RandomImages(number=24, batch_size=8)
    first = MODELS[0](data_spec=data.spec, latent_dim=3)
    for generation in range(2):
        runner = trainer()
        runner.fit(first, datamodule=data)
        runner.save_checkpoint(tmp_path / f"{generation}.ckpt")
        torch.load(tmp_path / f"{generation}.ckpt", weights_only=True)
        loaded = GenerativeModel.load_from_checkpoint(tmp_path / f"{generation}.ckpt")
        assert loaded.latent_dim == 3
        first = loaded


def test_a_class_of_ones_own_loads_by_its_own_name_and_by_the_base(tmp_path, trainer):
    class Own(MODELS[0]):
        pass

    sys.modules[__name__].Own = Own
    Own.__qualname__ = "Own"
    data = RandomImages(number=24, batch_size=8)
    runner = trainer()
    runner.fit(Own(data_spec=data.spec), datamodule=data)
    runner.save_checkpoint(tmp_path / "own.ckpt")
    assert type(Own.load_from_checkpoint(tmp_path / "own.ckpt")) is Own
    assert type(GenerativeModel.load_from_checkpoint(tmp_path / "own.ckpt")) is Own


def test_new_values_of_hyperparameters_win(tmp_path, trainer):
    data = RandomImages(number=24, batch_size=8)
    model = MODELS[0](data_spec=data.spec)
    runner = trainer()
    runner.fit(model, datamodule=data)
    runner.save_checkpoint(tmp_path / "model.ckpt")
    loaded = GenerativeModel.load_from_checkpoint(tmp_path / "model.ckpt", scheduler_interval="step")
    assert loaded.scheduler_interval == "step"
    with pytest.raises(Exception, match="no_such_setting"):
        GenerativeModel.load_from_checkpoint(tmp_path / "model.ckpt", no_such_setting=1)


class DarkerImages(RandomImages):
    """The same images, but for one pixel."""

    def load(self, split):
        images, labels = super().load(split)
        images[-1, 0, 0, 0] //= 2
        return images, labels


class RelabelledImages(RandomImages):
    """The same images with other labels."""

    def load(self, split):
        images, labels = super().load(split)
        return images, (labels + 1) % 10


def test_training_goes_on_with_the_same_data_alone(tmp_path, trainer, caplog):
    def fit(data, folder, **settings):
        model = MODELS[0](data_spec=data.spec, latent_dim=3)
        kept = Checkpoints(dirpath=tmp_path / folder, save_top_k=0)
        trainer(enable_checkpointing=True, callbacks=[kept], **settings).fit(model, datamodule=data, **goes_on)

    small = {"number": 24, "batch_size": 8}
    goes_on = {}
    fit(RandomImages(**small), "run")
    goes_on = {"ckpt_path": tmp_path / "run" / "last.ckpt"}
    before = goes_on["ckpt_path"].read_bytes()
    for others in (DarkerImages(**small), RelabelledImages(**small), RandomImages(number=32, batch_size=8)):
        with pytest.raises(
            CheckpointError, match=r"the training data are other than those of .*last\.ckpt \(now .*then"
        ):
            fit(others, "run", max_epochs=2)
        assert goes_on["ckpt_path"].read_bytes() == before
    with caplog.at_level(logging.INFO):
        fit(DarkerImages(**small), "new", max_epochs=2)
        assert "the training data are other than those of" in caplog.text
        caplog.clear()
        # Neither subset nor batch size make other data of them.
        fit(RandomImages(number=24, batch_size=4, subset=20), "run", max_epochs=2)
        assert "the training data are other" not in caplog.text


def test_a_model_is_tested_on_any_data(tmp_path, trainer, caplog):
    data = RandomImages(number=24, batch_size=8)
    model = MODELS[0](data_spec=data.spec, latent_dim=3)
    runner = trainer()
    runner.fit(model, datamodule=data)
    runner.save_checkpoint(tmp_path / "model.ckpt")
    trainer().test(model, datamodule=DarkerImages(number=24, batch_size=8), ckpt_path=tmp_path / "model.ckpt")


def in_names_of_0_1(name):
    """What a weight was called when models held their networks themselves."""
    own = name.removeprefix("sampler.").replace("likelihood_head.raw_deviation", "shared_parameters.0")
    return own.replace("discriminator.head.", "discriminator.layers.3.")


@pytest.mark.parametrize("kind", [VAE, GAN])
def test_weights_under_their_earlier_names_find_their_places(kind, trainer, tmp_path):
    data = RandomImages(number=48, batch_size=16)
    own = {"likelihood": LearnedGaussian(), "density": GaussianMixtureDensity(2)} if kind is VAE else {}
    networks = MLPEncoderDecoder((8,)) if kind is VAE else MLPPlayers((8,), (8,), dropout=0.0)
    model = kind(data_spec=data.spec, networks=networks, latent_dim=3, average_decay=0.9, **own)
    runner = trainer()
    runner.fit(model, datamodule=data)
    runner.save_checkpoint(tmp_path / "now.ckpt")
    checkpoint = torch.load(tmp_path / "now.ckpt", weights_only=True)
    now = checkpoint["state_dict"]
    checkpoint["state_dict"] = {in_names_of_0_1(name): value for name, value in now.items()}
    del checkpoint["sampler"]
    assert len(now.keys() - checkpoint["state_dict"].keys()) >= len(list(model.sampler.parameters()))
    torch.save(checkpoint, tmp_path / "then.ckpt")

    loaded = GenerativeModel.load_from_checkpoint(tmp_path / "then.ckpt")
    assert torch.equal(loaded.sample(4, seed=0), model.sample(4, seed=0))
    state = loaded.state_dict()
    assert state.keys() == now.keys()
    assert all(torch.equal(state[name], value) for name, value in now.items() if torch.is_tensor(value))
