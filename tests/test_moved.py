"""Names of classes that configs and checkpoints of version 0.1.0 hold: all of them still mean something."""

import shutil
from importlib import import_module
from pathlib import Path
from pydoc import locate

import pytest
import torch
import yaml

import genzoo
from genzoo import moved
from genzoo.cli import main
from genzoo.hyperparameters import from_plain
from genzoo.models import DCGAN, VAE
from genzoo.moved import MOVED, renamed
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.sampling.densities import GaussianMixtureDensity
from genzoo.training.model import GenerativeModel
from tests.conftest import RandomImages

EARLIER_RUN = Path(__file__).parent / "fixtures" / "runs_of_0_1" / "dcgan"
PRIOR = "genzoo.networks.priors.UniformPrior"

NAMES_OF_0_1 = {
    "genzoo.callbacks.alarms": "Alarms",
    "genzoo.callbacks.checkpoints": "Checkpoints WholeCheckpointIO",
    "genzoo.callbacks.evaluation": "Evaluation",
    "genzoo.callbacks.interruption": "Interruption",
    "genzoo.callbacks.pictures": "Pictures",
    "genzoo.callbacks.predictions": "Predictions",
    "genzoo.callbacks.progress": "ProgressBar",
    "genzoo.callbacks.sample_scores": "SampleScores",
    "genzoo.checkpoints": "SafeCheckpointIO",
    "genzoo.data.base": "ImageDataModule",
    "genzoo.data.binarised": "BinarizedFashionMNIST BinarizedFashionMNISTMini",
    "genzoo.data.digits": "Digits StackedDigits",
    "genzoo.data.fashion_mnist": "FashionMNIST FashionMNISTMini",
    "genzoo.data.huggingface": "HuggingFaceImages",
    "genzoo.data.image_folder": "ImageFolder",
    "genzoo.data.lsun": "LSUN",
    "genzoo.data.mnist": "EMNIST KMNIST MNIST",
    "genzoo.data.points": "GaussianMixture2D",
    "genzoo.data.splits": "ArrayDataModule",
    "genzoo.data.torchvision_cached": "CelebA STL10",
    "genzoo.data.torchvision_sources": "CIFAR10 CIFAR100 SVHN",
    "genzoo.loggers": "CSVLogger WandbLogger",
    "genzoo.losses.adversarial": "AdversarialObjective Minimax NonSaturating",
    "genzoo.losses.likelihoods": (
        "Bernoulli ContinuousBernoulli DiscretizedLogistic Gaussian LearnedGaussian Likelihood"
    ),
    "genzoo.metrics.embedded": "EmbeddedExtractor",
    "genzoo.metrics.extractors": "FeatureExtractor",
    "genzoo.models.adversarial": "AdversarialModel",
    "genzoo.models.autoencoder": "AutoEncoder",
    "genzoo.models.base": "GenerativeModel",
    "genzoo.models.cgan": "ConditionalGAN",
    "genzoo.models.dcgan": "DCGAN",
    "genzoo.models.gan": "GAN",
    "genzoo.models.inference": "InferenceModel",
    "genzoo.models.vae": "VAE",
    "genzoo.models.variational": "VariationalModel",
    "genzoo.networks.architectures": "EncoderDecoder Players",
    "genzoo.networks.convolutional": "ConvolutionalEncoderDecoder",
    "genzoo.networks.dcgan": "DCGANDiscriminator DCGANGenerator DCGANPlayers",
    "genzoo.networks.densities": "CodeDensity Density GaussianMixture GaussianMixtureDensity",
    "genzoo.networks.mlp": (
        "GatedLinear GatedMLPEncoderDecoder MLPDiscriminator MLPEncoderDecoder MLPGenerator MLPPlayers"
    ),
    "genzoo.networks.priors": "NormalPrior Prior UniformPrior",
    "genzoo.networks.residual": "ResidualBlock ResidualEncoderDecoder",
    "genzoo.optimizers": "AdversarialAdam",
}
# What is not in one of the packages with public classes has no short name.
WITHOUT_SHORT_NAME = ("genzoo.checkpoints", "genzoo.loggers")
PATHS = [f"{module}.{name}" for module, names in NAMES_OF_0_1.items() for name in names.split()]


def found(class_path):
    module, _, name = renamed(class_path).rpartition(".")
    return getattr(import_module(module), name)


@pytest.mark.parametrize("class_path", PATHS)
def test_every_class_that_configs_and_checkpoints_may_name_is_found(class_path):
    assert isinstance(found(class_path), type)
    if not class_path.startswith(WITHOUT_SHORT_NAME) and class_path not in MOVED:
        short = f"genzoo.{class_path.rpartition('.')[2]}"
        assert found(short) is found(class_path)


@pytest.mark.parametrize("before", MOVED)
def test_the_table_holds_what_has_moved_and_where_it_is_now(before):
    assert locate(MOVED[before]) is not None
    assert locate(before) is None


def test_class_paths_are_renamed_wherever_they_stand_and_nothing_else_is():
    plain = {
        "class_path": "genzoo.GAN",
        "init_args": {
            "prior": {"class_path": PRIOR},
            "several": [PRIOR, 1, None, 0.5, "genzoo.networks.priors_of_mine.UniformPrior", "a genzoo.networks.priors"],
        },
    }
    assert renamed(plain) == {
        "class_path": "genzoo.GAN",
        "init_args": {
            "prior": {"class_path": "genzoo.sampling.priors.UniformPrior"},
            "several": ["genzoo.sampling.priors.UniformPrior", *plain["init_args"]["several"][1:]],
        },
    }
    assert renamed(renamed(plain)) == renamed(plain)


def test_plain_data_of_a_moved_class_are_understood():
    plain = {"class_path": "genzoo.networks.densities.GaussianMixtureDensity", "init_args": {"components": 3}}
    assert from_plain(plain) == GaussianMixtureDensity(3)


@pytest.fixture
def data():
    return RandomImages(number=40)


def rewritten(path, change):
    """A checkpoint with other hyperparameters."""
    checkpoint = torch.load(path, weights_only=True)
    change(checkpoint["hyper_parameters"])
    torch.save(checkpoint, path)


def test_checkpoints_that_name_classes_as_they_were_called_are_loaded(trainer, tmp_path, data, monkeypatch):
    model = DCGAN(data_spec=data.spec, latent_dim=3, networks=MLPPlayers((8,), (8,)))
    runner = trainer(max_epochs=1)
    runner.fit(model, datamodule=data)
    runner.save_checkpoint(tmp_path / "old.ckpt")

    def as_before(hyperparameters):
        hyperparameters["_class_path"] = "genzoo.animals.dcgan.DCGAN"
        hyperparameters["prior"] = {"class_path": PRIOR, "init_args": {}}

    rewritten(tmp_path / "old.ckpt", as_before)
    monkeypatch.setitem(moved.MOVED, "genzoo.animals", "genzoo.models")
    loaded = GenerativeModel.load_from_checkpoint(tmp_path / "old.ckpt")
    assert torch.equal(loaded.sample(3, seed=0), model.sample(3, seed=0))
    assert loaded.hparams["prior"]["class_path"] == "genzoo.sampling.priors.UniformPrior"
    other = GenerativeModel.load_from_checkpoint(tmp_path / "old.ckpt", prior=genzoo.NormalPrior())
    assert isinstance(other.sampler.prior, genzoo.StandardNormal)


def test_a_setting_whose_class_has_moved_is_no_other_setting(trainer, tmp_path, data):
    model = VAE(data_spec=data.spec, networks=MLPEncoderDecoder((8,)), density=GaussianMixtureDensity(1))
    runner = trainer()
    runner.fit(model, datamodule=data)
    runner.save_checkpoint(tmp_path / "old.ckpt")

    def as_before(hyperparameters):
        hyperparameters["density"]["class_path"] = "genzoo.networks.densities.GaussianMixtureDensity"

    rewritten(tmp_path / "old.ckpt", as_before)
    wrong = VAE(data_spec=data.spec, networks=MLPEncoderDecoder((9,)), density=GaussianMixtureDensity(1))
    with pytest.raises(ValueError, match=r"do not fit this VAE.*networks was") as refusal:
        trainer(max_epochs=2).fit(wrong, datamodule=data, ckpt_path=tmp_path / "old.ckpt")
    assert "density" not in str(refusal.value)


def test_a_run_whose_config_names_classes_as_they_were_called_goes_on(working_folder, capsys):
    run = Path(shutil.copytree(EARLIER_RUN, working_folder / "runs" / "dcgan")) / "earlier"
    config = run / "config.yaml"
    config.write_text(config.read_text().replace("genzoo.UniformPrior", PRIOR))
    rewritten(run / "checkpoints" / "last.ckpt", lambda settings: settings["prior"].update(class_path=PRIOR))
    assert main(["fit", str(run), "--trainer.max_epochs", "4", "--trainer.enable_progress_bar", "false"]) == 0
    assert "prior" not in capsys.readouterr().err
    assert yaml.safe_load(config.read_text())["model"]["init_args"]["prior"]["class_path"] == renamed(PRIOR)


@pytest.mark.parametrize(
    "prior",
    [
        ["--model.prior", PRIOR],
        [f"--model.prior={PRIOR}"],
        ["--model.prior", f"{{class_path: {PRIOR}}}"],
        ["--model.prior.class_path", PRIOR],
        ["--config", "mine.yaml"],
    ],
)
def test_classes_are_named_as_they_were_called_on_the_command_line_and_in_configs(prior, working_folder, capsys):
    Path("mine.yaml").write_text(f"model:\n  class_path: GAN\n  init_args:\n    prior: {PRIOR}\n")
    arguments = ["fit", "--model", "GAN", *prior, "--data", "FashionMNISTMini", "--print_config"]
    with pytest.raises(SystemExit, match="0"):
        main(arguments)
    settings = yaml.safe_load(capsys.readouterr().out)
    assert settings["model"]["init_args"]["prior"]["class_path"] == renamed(PRIOR)


def test_a_command_goes_on_from_a_checkpoint_alone_whose_model_has_moved(working_folder, capsys, monkeypatch):
    checkpoint = Path(shutil.copy(EARLIER_RUN / "earlier" / "checkpoints" / "last.ckpt", working_folder))
    rewritten(checkpoint, lambda settings: settings.update(_class_path="genzoo.animals.dcgan.DCGAN"))
    monkeypatch.setitem(moved.MOVED, "genzoo.animals", "genzoo.models")
    with pytest.raises(SystemExit, match="0"):
        main(["test", "--ckpt_path", str(checkpoint), "--data", "FashionMNISTMini", "--print_config"])
    assert yaml.safe_load(capsys.readouterr().out)["model"]["class_path"] == "genzoo.models.dcgan.DCGAN"
