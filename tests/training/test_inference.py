"""Densities of codes: fitted to the codes of the training images, for the weights beside which they are kept."""

import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import torch
from lightning.pytorch import Callback
from sklearn.mixture import GaussianMixture as Reference

from genzoo.cli import main
from genzoo.data.binarised import BinarizedFashionMNISTMini
from genzoo.models.autoencoder import AutoEncoder
from genzoo.models.vae import VAE
from genzoo.networks.mlp import MLPEncoderDecoder
from genzoo.noise import BatchNoise
from genzoo.sampling.densities import GaussianMixtureDensity
from genzoo.subsets import choose_some
from genzoo.training.model import GenerativeModel
from tests.conftest import RandomImages

SMALL = MLPEncoderDecoder((8,))
ONE = GaussianMixtureDensity(components=1)


@pytest.fixture
def data():
    return RandomImages(number=90, batch_size=16, horizontal_flip=True)


def training_codes(model, data):
    """Codes of all training images, by another way than the data module's."""
    part = data.parts["train"]
    images = torch.from_numpy(part.dataset.images[part.indices]).float() / 127.5 - 1
    with torch.no_grad():
        return model.eval().encode(images)


def training_codes_of(model, x):
    with torch.no_grad():
        return model.encode(x)


def require_fits(density, codes):
    torch.testing.assert_close(density.means[0], codes.mean(0), rtol=1e-3, atol=1e-4)
    covariance = density.scales[0] @ density.scales[0].T
    torch.testing.assert_close(covariance, codes.T.cov(correction=0), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("model_class", [AutoEncoder, VAE])
def test_every_checkpoint_carries_the_density_of_its_own_weights(model_class, data, trainer, tmp_path):
    class SaveAnywhere(Callback):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            if batch_idx in (0, 3):
                trainer.save_checkpoint(tmp_path / f"{trainer.global_step}.ckpt")

    model = model_class(data_spec=data.spec, latent_dim=3, networks=SMALL, density=ONE)
    runner = trainer(max_epochs=2, callbacks=[SaveAnywhere()])
    runner.fit(model, datamodule=data)
    paths = sorted(tmp_path.glob("*.ckpt"))
    assert len(paths) == 4
    for path in paths:
        loaded = GenerativeModel.load_from_checkpoint(path)
        require_fits(loaded.sampler.density, training_codes(loaded, data))
    require_fits(model.sampler.density, training_codes(model, data))


@pytest.mark.parametrize("model_class", [AutoEncoder, VAE])
def test_a_density_changes_nothing_about_training(model_class, data, trainer, tmp_path):
    weights = []
    for density in (None, GaussianMixtureDensity(3)):
        torch.manual_seed(0)
        model = model_class(data_spec=data.spec, latent_dim=3, networks=SMALL, density=density)
        draw = Callback()
        draw.on_train_batch_end = lambda trainer, pl_module, *rest: pl_module.can_sample and pl_module.sample(2)
        trainer(max_epochs=2, callbacks=[draw]).fit(model, datamodule=data)
        weights.append({name: value for name, value in model.state_dict().items() if "density" not in name})
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_samples_in_training_come_from_the_weights_of_the_moment(data, trainer):
    model = AutoEncoder(data_spec=data.spec, latent_dim=3, networks=SMALL, density=ONE)
    seen = []
    watch = Callback()

    def sample(trainer, pl_module, *rest):
        pl_module.sample(2, seed=0)
        seen.append(pl_module.sampler.density.means.clone())
        require_fits(pl_module.sampler.density, training_codes(pl_module, data))
        pl_module.train()

    watch.on_train_batch_end = sample
    trainer(callbacks=[watch]).fit(model, datamodule=data)
    assert len(seen) > 2
    assert not torch.equal(seen[0], seen[1])


def test_training_a_loaded_model_for_as_many_steps_again_fits_anew(data, trainer, tmp_path):
    model = AutoEncoder(data_spec=data.spec, latent_dim=3, networks=SMALL, density=ONE)
    for _ in range(2):
        runner = trainer()
        runner.fit(model, datamodule=data)
        runner.save_checkpoint(tmp_path / "a.ckpt")
        model = AutoEncoder.load_from_checkpoint(tmp_path / "a.ckpt")
        require_fits(model.sampler.density, training_codes(model, data))


def test_samples_of_both_models_are_decoded_draws_of_the_density_and_the_bound_stays(data, trainer):
    for model_class in (AutoEncoder, VAE):
        model = model_class(data_spec=data.spec, latent_dim=3, networks=SMALL, density=ONE)
        x = torch.rand(400, 1, 28, 28) * 2 - 1
        before = model.elbo(x, noise=BatchNoise("cpu", 0)) if model_class is VAE else None
        model.fit_density([(x[:300], torch.zeros(300)), x[300:]])
        codes = training_codes_of(model, x)
        drawn = model.prior_sample(50_000, BatchNoise("cpu", 0))
        torch.testing.assert_close(drawn.mean(0), codes.mean(0), rtol=0, atol=0.02)
        torch.testing.assert_close(drawn.T.cov(), codes.T.cov(), rtol=0.05, atol=0.002)
        if before is not None:
            assert torch.equal(model.elbo(x, noise=BatchNoise("cpu", 0)), before)


def test_the_limit_of_codes_takes_them_from_the_whole_set(trainer):
    data = RandomImages(number=90, batch_size=7)
    model = AutoEncoder(data_spec=data.spec, latent_dim=2, networks=SMALL, density=GaussianMixtureDensity(1, 10))
    trainer().fit(model, datamodule=data)
    assert model.sampler.density.codes_seen == 10
    part = data.parts["train"]
    chosen = np.asarray(part.indices)[choose_some(len(part), 10)]
    codes = training_codes_of(model, torch.from_numpy(part.dataset.images[chosen]).float() / 127.5 - 1)
    require_fits(model.sampler.density, codes)
    model.fit_density([torch.rand(6, 1, 28, 28), torch.rand(6, 1, 28, 28)])
    assert model.sampler.density.codes_seen == 10


def test_binarised_images_are_encoded_as_bits(trainer):
    data = BinarizedFashionMNISTMini(subset=50)
    data.setup("fit")
    ((x, _),) = data.training_batches(60)
    assert set(x.unique().tolist()) == {-1.0, 1.0}
    assert torch.equal(x, next(iter(data.training_batches(60)))[0])
    grey = torch.from_numpy(data.parts["train"].dataset.images[data.parts["train"].indices])
    assert bool((x[grey == 0] == -1).all())
    assert bool((x[grey == 255] == 1).all())


def test_a_model_that_had_no_density_is_given_one_and_keeps_it(data, trainer, tmp_path):
    model = AutoEncoder(data_spec=data.spec, latent_dim=3, networks=SMALL)
    runner = trainer()
    runner.fit(model, datamodule=data)
    runner.save_checkpoint(tmp_path / "without.ckpt")

    loaded = AutoEncoder.load_from_checkpoint(tmp_path / "without.ckpt")
    with pytest.raises(ValueError, match="this AutoEncoder was made without a density"):
        loaded.fit_density(data.training_batches(100))
    loaded.fit_density(data.training_batches(100), ONE)
    assert loaded.can_sample
    other = trainer()
    other.validate(loaded, datamodule=data, verbose=False)
    other.save_checkpoint(tmp_path / "with.ckpt")
    again = GenerativeModel.load_from_checkpoint(tmp_path / "with.ckpt")
    assert torch.equal(again.sample(3, seed=0), loaded.sample(3, seed=0))

    unfitted = AutoEncoder.load_from_checkpoint(tmp_path / "with.ckpt", density=GaussianMixtureDensity(2))
    with pytest.raises(RuntimeError, match="has not been fitted yet"):
        unfitted.sample(3)
    assert not AutoEncoder.load_from_checkpoint(tmp_path / "with.ckpt", density=None).can_sample


def test_what_cannot_be_fitted_afterwards_is_not_trained(data, trainer, monkeypatch):
    make = partial(AutoEncoder, data_spec=data.spec, networks=SMALL)
    runner = trainer()
    with pytest.raises(ValueError, match=r"cannot be fitted to the codes of \d+ training image"):
        runner.fit(make(density=GaussianMixtureDensity(100)), datamodule=data)
    with pytest.raises(ValueError, match="a density is fitted to the training images of a data module"):
        trainer().fit(make(density=ONE), data.train_dataloader())
    for name in ("sklearn", "sklearn.mixture"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError, match="fitting a GaussianMixtureDensity needs the package scikit-learn"):
        runner.fit(make(density=ONE), datamodule=data)
    assert runner.global_step == 0


LOADING = """
import sys
sys.modules["sklearn"] = None
import torch
torch.set_num_threads(1)
from genzoo.training.model import GenerativeModel

model = GenerativeModel.load_from_checkpoint(sys.argv[1])
assert torch.equal(model.sample(5, seed=3), torch.load(sys.argv[2], weights_only=True))
"""

STEP = [
    *("--data", "FashionMNISTMini", "--data.image_size", "28", "--trainer.max_epochs", "1"),
    *("--trainer.limit_train_batches", "2", "--trainer.limit_val_batches", "1", "--trainer.accelerator", "cpu"),
    *("--trainer.enable_progress_bar", "false", "--trainer.logger", "false", "--run.name", "density"),
    *("--model.networks.hidden_features", "[16]", "--model.latent_dim", "3", "--model.density.components", "2"),
]


def test_the_command_line_fits_draws_and_keeps_it_for_processes_without_scikit_learn(working_folder):
    assert main(["fit", "--model", "VAE", "--model.density", "GaussianMixtureDensity", *STEP]) == 0
    run = working_folder / "runs" / "vae" / "density"
    assert (run / "images" / "samples_epoch_0001.png").is_file()
    path = run / "checkpoints" / "last.ckpt"
    assert torch.load(path, weights_only=True)["state_dict"]["sampler.density.codes_seen"] == 5000
    torch.save(GenerativeModel.load_from_checkpoint(path).sample(5, seed=3), working_folder / "expected.pt")
    program = [sys.executable, "-c", LOADING, str(path), "expected.pt"]
    result = subprocess.run(program, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert (
        main(["test", "--config", str(run / "config.yaml"), "--ckpt_path", str(path), "--evaluation.groups", "[]"]) == 0
    )


def test_a_missing_scikit_learn_is_one_sentence_before_training(working_folder, monkeypatch, capsys):
    for name in ("sklearn", "sklearn.mixture"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SystemExit, match="2"):
        main(["fit", "--model", "AutoEncoder", "--model.density", "GaussianMixtureDensity", *STEP])
    assert capsys.readouterr().err.strip().splitlines()[-1] == (
        "genzoo: fitting a GaussianMixtureDensity needs the package scikit-learn, which is not installed; "
        "run `pip install scikit-learn`"
    )
    assert not list(working_folder.glob("runs/*/*"))


def test_ten_components_of_codes_score_as_in_scikit_learn(data, trainer):
    model = AutoEncoder(data_spec=data.spec, latent_dim=2, networks=SMALL, density=GaussianMixtureDensity(3))
    trainer().fit(model, datamodule=data)
    codes = training_codes(model, data)
    reference = Reference(3, random_state=0).fit(codes.double().numpy())
    assert float(model.sampler.density.log_prob(codes).mean()) == pytest.approx(
        reference.score(codes.numpy()), abs=0.05
    )
