"""A run that stopped and went on is, bit for bit, the run that did not stop."""

from functools import partial

import pytest
import torch
from lightning.pytorch import Callback
from torch import nn
from torch.optim.lr_scheduler import StepLR

from genzoo.models.autoencoder import AutoEncoder
from genzoo.models.gan import GAN
from genzoo.models.vae import VAE
from genzoo.networks.conditioning import VectorLayers
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.sampling.densities import GaussianMixtureDensity
from tests.conftest import RandomImages

HALVE = partial(StepLR, step_size=1, gamma=0.5)


class DropoutEncoderDecoder(MLPEncoderDecoder):
    def encoder(self, data_shape, code_shape, condition_shape=()):
        return VectorLayers(nn.Dropout(0.2), *super().encoder(data_shape, code_shape, condition_shape))


def vae(data):
    return VAE(data_spec=data.spec, networks=DropoutEncoderDecoder((8,)), scheduler=HALVE, kl_warmup_steps=6)


def autoencoder_with_density(data):
    return AutoEncoder(data_spec=data.spec, networks=DropoutEncoderDecoder((8,)), density=GaussianMixtureDensity(3))


def gan(data, discriminator_steps=3):
    return GAN(
        data_spec=data.spec,
        networks=MLPPlayers((8,), (8,), dropout=0.3),
        discriminator_steps=discriminator_steps,
        generator_scheduler=HALVE,
        discriminator_scheduler=HALVE,
    )


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
    tensors = dict(model.state_dict())
    for place, optimizer in enumerate(runner.optimizers):
        tensors[f"lr {place}"] = torch.tensor(optimizer.param_groups[0]["lr"])
        for key, values in optimizer.state_dict()["state"].items():
            tensors |= {f"{place} {key} {name}": torch.as_tensor(value) for name, value in values.items()}
    return tensors


def data(workers=0):
    return RandomImages(number=90, batch_size=16, horizontal_flip=True, num_workers=workers)


def equal(first, second):
    assert first.keys() == second.keys()
    different = [name for name in first if not torch.equal(first[name], second[name])]
    assert not different, different


@pytest.mark.parametrize("make", [vae, autoencoder_with_density, gan])
@pytest.mark.parametrize(
    ("batch", "inside"), [((1, 2), True), ((1, 2), False), ((0, 4), False), ((2, 0), True)], ids=str
)
def test_a_stop_anywhere_changes_nothing(make, batch, inside, trainer, tmp_path):
    torch.manual_seed(0)
    straight = make(data())
    runner = trainer(max_epochs=3)
    runner.fit(straight, datamodule=data())
    expected = state(runner, straight)

    torch.manual_seed(0)
    with pytest.raises(InterruptedError):
        trainer(max_epochs=3, callbacks=[StopIn(batch, tmp_path / "stop.ckpt", inside)]).fit(
            make(data()), datamodule=data()
        )
    torch.manual_seed(99)
    resumed = make(data())
    runner = trainer(max_epochs=3)
    runner.fit(resumed, datamodule=data(), ckpt_path=tmp_path / "stop.ckpt")
    equal(state(runner, resumed), expected)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("make", [vae, gan])
def test_epochs_in_two_runs_are_the_epochs_of_one(make, workers, trainer, tmp_path):
    torch.manual_seed(0)
    straight = make(data(workers))
    runner = trainer(max_epochs=4)
    runner.fit(straight, datamodule=data(workers))
    expected = state(runner, straight)

    torch.manual_seed(0)
    first = trainer(max_epochs=2)
    first.fit(make(data(workers)), datamodule=data(workers))
    first.save_checkpoint(tmp_path / "half.ckpt")
    torch.manual_seed(99)
    resumed = make(data(workers))
    runner = trainer(max_epochs=4)
    runner.fit(resumed, datamodule=data(workers), ckpt_path=tmp_path / "half.ckpt")
    equal(state(runner, resumed), expected)


@pytest.mark.parametrize("make", [vae, autoencoder_with_density, gan, partial(gan, discriminator_steps=1)])
def test_a_fit_after_one_that_was_interrupted_is_like_that_of_a_new_model(make, trainer, tmp_path):
    settings = {"max_epochs": 2, "accumulate_grad_batches": 3, "log_every_n_steps": 1}
    torch.manual_seed(0)
    model = make(data())
    with pytest.raises(InterruptedError):
        trainer(**settings, callbacks=[StopIn((1, 4), tmp_path / "stop.ckpt", inside=True)]).fit(
            model, datamodule=data()
        )
    fresh = make(data())
    fresh.load_state_dict(model.state_dict())
    found = []
    for each in (model, fresh):
        runner = trainer(**settings)
        runner.fit(each, datamodule=data())
        found.append(state(runner, each) | {name: torch.tensor(value) for name, value in each.step_log.latest.items()})
    equal(*found)


def test_what_a_checkpoint_holds_of_the_latest_updates_outlives_another_fit(trainer, tmp_path):
    model = gan(data())
    runner = trainer(log_every_n_steps=1)
    runner.fit(model, datamodule=data())
    runner.save_checkpoint(tmp_path / "one.ckpt")
    kept = dict(model.recorder.latest)
    assert {"generator_loss", "discriminator_loss"} <= kept.keys()
    trainer(log_every_n_steps=1).fit(model, datamodule=data())
    assert model.recorder.latest != kept
    trainer(max_epochs=1).fit(model, datamodule=data(), ckpt_path=tmp_path / "one.ckpt")
    assert model.recorder.latest == kept
    trainer(max_steps=0).fit(model, datamodule=data())
    assert (model.recorder.latest, model.step_log.latest, model.step_log.latest_step) == ({}, {}, -1)
