"""A run that stopped and went on is, bit for bit, the run that did not stop."""

import os
import signal
from contextlib import suppress
from functools import partial

import pytest
import torch
from lightning.pytorch import Callback
from lightning.pytorch.plugins import MixedPrecision
from torch import nn
from torch.optim.lr_scheduler import StepLR

from genzoo.callbacks.checkpoints import Checkpoints
from genzoo.losses.objectives import Wasserstein
from genzoo.models.autoencoder import AutoEncoder
from genzoo.models.gan import GAN
from genzoo.models.vae import VAE
from genzoo.networks.conditioning import VectorLayers
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.sampling.densities import GaussianMixtureDensity
from tests.training.cases import CASES, Case, paired

HALVE = partial(StepLR, step_size=1, gamma=0.5)


class DropoutEncoderDecoder(MLPEncoderDecoder):
    def encoder(self, data_shape, code_shape, condition_shape=()):
        return VectorLayers(nn.Dropout(0.2), *super().encoder(data_shape, code_shape, condition_shape))


GAME = partial(
    GAN,
    networks=MLPPlayers((8,), (8,), dropout=0.3),
    generator_scheduler=HALVE,
    discriminator_scheduler=HALVE,
)
DESCENTS = {
    "VAE": Case(partial(VAE, networks=DropoutEncoderDecoder((8,)), scheduler=HALVE, kl_warmup_steps=6)),
    "autoencoder with a density": Case(
        partial(AutoEncoder, networks=DropoutEncoderDecoder((8,)), density=GaussianMixtureDensity(3))
    ),
}
GAMES = {"GAN, k = 3": Case(partial(GAME, discriminator_steps=3)), "GAN": Case(GAME)}
MODELS = DESCENTS | GAMES | CASES
STOPS = [((1, 2), True), ((1, 2), False), ((0, 4), False), ((2, 0), True)]


def scaled():
    """Half precision, with a scale that changes often."""
    scaler = torch.amp.GradScaler("cpu", init_scale=256.0, growth_interval=2)
    return {"plugins": [MixedPrecision("16-mixed", "cpu", scaler=scaler)]}


SETTINGS = {"float32": dict, "bf16": lambda: {"precision": "bf16-mixed"}, "scaled": scaled}


class StopIn(Callback):
    """Saves a checkpoint and fails, in the middle of a batch or after it."""

    def __init__(self, batch, path, inside):
        self.batch, self.path, self.inside = batch, path, inside

    def stop(self, trainer):
        trainer.save_checkpoint(self.path)
        raise InterruptedError

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if self.inside and (trainer.current_epoch, batch_idx) == self.batch:
            self.stop(trainer)

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if not self.inside and (trainer.current_epoch, batch_idx) == self.batch:
            self.stop(trainer)


def state(runner, model):
    """Everything that a run leaves behind in memory."""
    tensors = {name: torch.as_tensor(value) for name, value in model.state_dict().items()}
    for place, optimizer in enumerate(runner.optimizers):
        tensors[f"lr {place}"] = torch.tensor(optimizer.param_groups[0]["lr"])
        for key, values in optimizer.state_dict()["state"].items():
            tensors |= {f"{place} {key} {name}": torch.as_tensor(value) for name, value in values.items()}
    return tensors


def fitted(name, trainer, checkpoint=None, seed=0, workers=0, **settings):
    """Trains a model of a seed, and returns what it leaves behind."""
    data = MODELS[name].data(number=90, batch_size=16, horizontal_flip=True, num_workers=workers)
    torch.manual_seed(seed)
    model, runner = MODELS[name].model(data_spec=data.spec), trainer(**settings)
    runner.fit(model, datamodule=data, ckpt_path=checkpoint)
    return runner, model


def equal(first, second):
    assert first.keys() == second.keys()
    different = [name for name in first if not torch.equal(first[name], second[name])]
    assert not different, different


@pytest.mark.parametrize(
    ("name", "stop", "setting"),
    [
        *((name, stop, "float32") for name in (*DESCENTS, "GAN, k = 3") for stop in STOPS),
        *((name, *rest) for name, rest in paired(CASES, paired(STOPS, SETTINGS))),
    ],
    ids=str,
)
def test_a_stop_anywhere_changes_nothing(name, stop, setting, trainer, tmp_path):
    settings = SETTINGS[setting]
    expected = state(*fitted(name, trainer, max_epochs=3, **settings()))
    stopping = StopIn(stop[0], tmp_path / "stop.ckpt", inside=stop[1])
    with pytest.raises(InterruptedError):
        fitted(name, trainer, max_epochs=3, callbacks=[stopping], **settings())
    resumed = fitted(name, trainer, tmp_path / "stop.ckpt", seed=99, max_epochs=3, **settings())
    equal(state(*resumed), expected)


class Dies(Callback):
    """Kills its process within a step; in a game the first player has moved then, and the second has not."""

    def on_before_optimizer_step(self, trainer, pl_module, optimizer):
        if trainer.global_step == 8:
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("name", CASES)
def test_a_kill_costs_the_step_that_is_under_way(name, trainer, tmp_path):
    expected = state(*fitted(name, trainer, max_epochs=2))
    keeping = Checkpoints(dirpath=tmp_path, minutes_between=1e-9, save_top_k=0)
    child = os.fork()
    if child == 0:
        with suppress(Exception):
            fitted(name, trainer, max_epochs=2, callbacks=[keeping, Dies()], enable_checkpointing=True)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert torch.load(tmp_path / "last.ckpt", weights_only=True)["global_step"] == (7 if MODELS[name].is_game else 8)
    equal(state(*fitted(name, trainer, tmp_path / "last.ckpt", seed=99, max_epochs=2)), expected)


@pytest.mark.parametrize(("name", "workers"), [("VAE", 0), ("GAN, k = 3", 1)])
def test_epochs_in_two_runs_are_the_epochs_of_one(name, workers, trainer, tmp_path):
    expected = state(*fitted(name, trainer, workers=workers, max_epochs=4))
    first, _ = fitted(name, trainer, workers=workers, max_epochs=2)
    first.save_checkpoint(tmp_path / "half.ckpt")
    resumed = fitted(name, trainer, tmp_path / "half.ckpt", seed=99, workers=workers, max_epochs=4)
    equal(state(*resumed), expected)


@pytest.mark.parametrize("name", [*DESCENTS, *GAMES, "adaptive augmentation", "three players", "codes"])
def test_a_fit_after_one_that_was_interrupted_is_like_that_of_a_new_model(name, trainer, tmp_path):
    settings = {"max_epochs": 2, "accumulate_grad_batches": 3, "log_every_n_steps": 1}
    data = MODELS[name].data(number=90, batch_size=16, horizontal_flip=True)
    model = MODELS[name].model(data_spec=data.spec, average_decay=0.0)
    with pytest.raises(InterruptedError):
        trainer(**settings, callbacks=[StopIn((1, 4), tmp_path / "stop.ckpt", inside=True)]).fit(model, datamodule=data)
    fresh = MODELS[name].model(data_spec=data.spec, average_decay=0.0)
    fresh.load_state_dict(model.state_dict())
    found = []
    for each in (model, fresh):
        runner = trainer(**settings)
        runner.fit(each, datamodule=data)
        found.append(state(runner, each) | {name: torch.tensor(value) for name, value in each.step_log.latest.items()})
    equal(*found)


def test_what_a_checkpoint_holds_of_the_latest_updates_outlives_another_fit(trainer, tmp_path):
    data = MODELS["GAN, k = 3"].data(number=90, batch_size=16)
    runner, model = fitted("GAN, k = 3", trainer, log_every_n_steps=1)
    runner.save_checkpoint(tmp_path / "one.ckpt")
    kept = dict(model.recorder.latest)
    assert {"generator_loss", "discriminator_loss"} <= kept.keys()
    trainer(log_every_n_steps=1).fit(model, datamodule=data)
    assert model.recorder.latest != kept
    trainer(max_epochs=1).fit(model, datamodule=data, ckpt_path=tmp_path / "one.ckpt")
    assert model.recorder.latest == kept
    trainer(max_steps=0).fit(model, datamodule=data)
    assert (model.recorder.latest, model.step_log.latest, model.step_log.latest_step) == ({}, {}, -1)


def test_a_run_that_goes_on_with_another_objective_reports_nothing_of_the_earlier_one(trainer, tmp_path):
    data = MODELS["GAN"].data(number=32, batch_size=16)
    runner, _ = fitted("GAN", trainer, log_every_n_steps=1, max_epochs=1)
    runner.save_checkpoint(tmp_path / "one.ckpt")
    model = MODELS["GAN"].model(data_spec=data.spec, objective=Wasserstein())
    trainer(max_epochs=2, log_every_n_steps=1).fit(model, datamodule=data, ckpt_path=tmp_path / "one.ckpt")
    found = model.step_log.latest.keys()
    assert "train/critic_real" in found
    assert not found & {"train/discriminator_real", "train/discriminator_accuracy", "train/equilibrium_distance"}
