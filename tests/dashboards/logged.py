"""The names of all that genzoo logs, found by training and testing small models of every kind."""

import functools
from tempfile import TemporaryDirectory

import pytest
from lightning.pytorch import Trainer

from genzoo.callbacks.final_scores import Evaluation
from genzoo.cli import main
from genzoo.data.digits import Digits
from genzoo.data.points import GaussianMixture2D
from genzoo.loggers import WandbLogger
from genzoo.models.autoencoder import AutoEncoder
from genzoo.models.cgan import ConditionalGAN
from genzoo.models.gan import GAN
from genzoo.models.vae import VAE
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from tests.training.cases import CASES

PLAYERS, CODER = MLPPlayers((8,), (8,)), MLPEncoderDecoder((8,))
# Each group of scores that is computed unless others are asked for, on a model that it fits.
TESTED = [
    (GAN, PLAYERS, Digits(image_size=8), "samples"),
    (ConditionalGAN, PLAYERS, Digits(image_size=8), "classes"),
    (VAE, CODER, Digits(image_size=8), "likelihood"),
    (AutoEncoder, CODER, Digits(image_size=8), "reconstruction"),
    (GAN, PLAYERS, GaussianMixture2D(training_points=80, test_points=80, batch_size=16), "modes"),
]
# With all that the command line adds to a run by itself.
RUNS = {
    "GAN": [
        "--model.networks.discriminator_features",
        "[8]",
        "--trainer.callbacks+=SampleScores",
        "--trainer.callbacks.budget=1",
    ],
    "VAE": ["--model.networks", "MLPEncoderDecoder", "--model.latent_dim", "2"],
}
QUICK = [
    *("--data", "Digits", "--data.image_size", "8", "--data.validation_fraction", "0.2"),
    *("--trainer.max_epochs", "1", "--trainer.limit_train_batches", "2", "--trainer.log_every_n_steps", "1"),
    *("--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false"),
    *("--trainer.enable_model_summary", "false", "--pictures.columns", "2", "--pictures.rows", "1"),
    *("--trainer.logger", "tests.dashboards.logged.Names"),
]


class Names(WandbLogger):
    """Keeps the names of what W&B would be given, in place of handing it on."""

    kept: set[str] = set()  # noqa: RUF012

    def __init__(self):
        super().__init__(mode="disabled")

    def log_metrics(self, metrics, step=None):
        self.kept.update(metrics)

    def log_image(self, key, images, step=None, **settings):
        self.kept.add(key)

    def log_hyperparams(self, params):
        pass

    log_config = log_hyperparams


@functools.cache
def logged_names():
    """All of them; each run is as short as can be."""
    quiet = {"enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    limits = {"max_epochs": 1, "limit_train_batches": 1, "limit_val_batches": 1, "log_every_n_steps": 1}
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for case in CASES.values():
            data = case.data()
            trainer = Trainer(accelerator="cpu", logger=Names(), **quiet, **limits)
            trainer.fit(case.model(data_spec=data.spec), datamodule=data)
        for model, networks, data, group in TESTED:
            evaluation = Evaluation(groups=[group], number=1000, conditional_number=128, likelihood_samples=1)
            trainer = Trainer(accelerator="cpu", logger=Names(), callbacks=[evaluation], **quiet, **limits)
            made = model(data_spec=data.spec, networks=networks)
            trainer.fit(made, datamodule=data)
            trainer.test(made, datamodule=data, verbose=False)
        for model, settings in RUNS.items():
            assert main(["fit", "--model", model, *settings, *QUICK]) == 0
    return frozenset(Names.kept)
