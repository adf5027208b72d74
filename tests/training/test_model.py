import sys

import pytest
import torch
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger

from genzoo.callbacks.alarms import Alarms
from genzoo.callbacks.checkpoints import Checkpoints
from genzoo.callbacks.interruption import Interruption
from genzoo.callbacks.progress import ProgressBar
from genzoo.models.autoencoder import AutoEncoder
from genzoo.models.gan import GAN
from genzoo.models.vae import VAE
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.training.model import evaluating
from tests.conftest import RandomImages

SMALL = MLPEncoderDecoder((8,))


class Draws(Callback):
    """Notes a draw from the training noise and one from the global generator in each batch."""

    def __init__(self):
        self.training, self.dropout = [], []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.training.append(pl_module.training_noise().normal(3))
        pl_module.on_train_batch_start(batch, batch_idx)
        self.dropout.append(torch.rand(3))


def draws(trainer, seed, monkeypatch, rank=0):
    monkeypatch.setenv("PL_GLOBAL_SEED", str(seed))
    noted = Draws()
    data = RandomImages(number=72, batch_size=16)
    model = AutoEncoder(data_spec=data.spec, networks=SMALL)
    monkeypatch.setattr(type(model), "global_rank", rank)
    trainer(callbacks=[noted], max_epochs=2, num_sanity_val_steps=0).fit(model, datamodule=data)
    return torch.stack(noted.training), torch.stack(noted.dropout)


def test_noise_of_every_batch_and_rank_differs_and_repeats_with_the_seed(trainer, monkeypatch):
    reference = draws(trainer, 0, monkeypatch)
    for kind in reference:
        assert len(torch.unique(kind, dim=0)) == 8
    for kind, again in zip(reference, draws(trainer, 0, monkeypatch), strict=True):
        assert torch.equal(kind, again)
    for other in (draws(trainer, 1, monkeypatch), draws(trainer, 0, monkeypatch, rank=1)):
        for kind, changed in zip(reference, other, strict=True):
            assert not torch.isin(kind, changed).any()


def test_training_is_the_same_whatever_drew_from_the_global_generator_before(trainer):
    class Disturb(Callback):
        def on_validation_end(self, trainer, pl_module):
            torch.rand(17)

        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            torch.rand(5)

    finals = []
    for callbacks in ([], [Disturb()]):
        torch.manual_seed(0)
        data = RandomImages(number=72, batch_size=16)
        model = GAN(data_spec=data.spec, networks=MLPPlayers((8,), (8,), dropout=0.5))
        trainer(callbacks=callbacks, max_epochs=2).fit(model, datamodule=data)
        finals.append(torch.cat([parameter.detach().flatten() for parameter in model.parameters()]))
    assert torch.equal(*finals)


def test_nothing_reaches_the_logger_between_log_steps(trainer, tmp_path):
    class Counting(CSVLogger):
        steps = ()

        def log_metrics(self, metrics, step=None):
            if any(name.startswith("train/") for name in metrics):
                self.steps = (*self.steps, step)

    logger, handed = Counting(tmp_path), []

    class Handed(VAE):
        def log_training(self, values, step):
            handed.append(self.trainer.global_step)
            super().log_training(values, step)

    data = RandomImages(number=178, batch_size=16)
    model = Handed(data_spec=data.spec, networks=SMALL)
    trainer(logger=logger, log_every_n_steps=4, max_epochs=2).fit(model, datamodule=data)
    assert logger.steps == (3, 7, 11, 15, 19)
    assert handed == [3, 7, 11, 15, 19]


class Breaking(VAE):
    """Its loss is not a number from its sixth step on."""

    def summary(self, means):
        summary = super().summary(means)
        if self.training and self.trainer.global_step >= 5:
            summary["loss"] = summary["loss"] * float("nan")
        return summary


@pytest.mark.parametrize(("log_every_n_steps", "noticed"), [(1, 5), (100, 7)])
def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_good_checkpoint(
    log_every_n_steps, noticed, trainer, tmp_path
):
    data = RandomImages(number=72, batch_size=16)
    keeping = ModelCheckpoint(tmp_path / "checkpoints", save_last=True, save_on_train_epoch_end=True)
    runner = trainer(callbacks=[keeping], max_epochs=5, enable_checkpointing=True, log_every_n_steps=log_every_n_steps)
    with pytest.raises(
        RuntimeError, match=r"loss was not finite at step 5 \(epoch 1\) .* last good checkpoint is .*last"
    ):
        runner.fit(Breaking(data_spec=data.spec, networks=SMALL), datamodule=data)
    assert runner.global_step in (noticed, noticed + 1)
    kept = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)
    assert kept["global_step"] == 4
    assert all(torch.isfinite(value).all() for value in kept["state_dict"].values())


def test_the_player_whose_loss_is_not_finite_is_named(trainer):
    class BreakingGAN(GAN):
        def generator_loss(self, x, y, noise):
            return super().generator_loss(x, y, noise) * float("inf")

    data = RandomImages(number=72, batch_size=16)
    with pytest.raises(RuntimeError, match=r"generator_loss was not finite at step 0 .* There is no checkpoint"):
        trainer().fit(BreakingGAN(data_spec=data.spec, networks=MLPPlayers((8,), (8,))), datamodule=data)


@pytest.mark.parametrize(
    ("settings", "remedies"),
    [
        ({}, "a lower learning rate or clipped gradients"),
        ({"gradient_clip_val": 1.0}, "a lower learning rate"),
        ({"precision": "bf16-mixed"}, "a lower learning rate or clipped gradients or 32-bit precision"),
    ],
)
def test_what_to_try_is_what_has_not_been_tried(settings, remedies, trainer):
    class BreakingAtOnce(VAE):
        def summary(self, means):
            return {name: value * float("nan") for name, value in super().summary(means).items()}

    data = RandomImages(number=40, batch_size=16)
    with pytest.raises(RuntimeError, match=f"has stopped; try {remedies}\\. "):
        trainer(**settings).fit(BreakingAtOnce(data_spec=data.spec, networks=SMALL), datamodule=data)


def weights_of(module, place):
    """Some values of a checkpoint, and how their name begins."""
    if place == "optimiser":
        return "exp_avg_sq of ", next(iter(module.trainer.optimizers[0].state.values()))["exp_avg_sq"]
    beginning = {"parameter": "", "average": "average.copies.", "buffer": "sampler.generator."}[place]
    named = module.named_buffers() if place == "buffer" else module.named_parameters()
    return next((name, values) for name, values in named if name.startswith(beginning))


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
@pytest.mark.parametrize(
    ("kind", "place"),
    [(VAE, place) for place in ("parameter", "average", "optimiser")]
    + [(GAN, place) for place in ("parameter", "average", "optimiser", "buffer")],
)
def test_weights_that_are_not_finite_do_not_replace_a_good_checkpoint(kind, place, value, trainer, tmp_path):
    """Although every loss is."""
    said = []

    class Breaks(Callback):
        def on_train_epoch_end(self, trainer, pl_module):
            if trainer.current_epoch == 1:
                name, weights = weights_of(pl_module, place)
                weights.data.view(-1)[0] = value
                said.append(name)

    data = RandomImages(number=72, batch_size=16)
    model = kind(data_spec=data.spec, networks=SMALL if kind is VAE else MLPPlayers((8,), (8,)), average_decay=0.9)
    keeping = Checkpoints(dirpath=tmp_path / "checkpoints", save_top_k=0)
    runner = trainer(callbacks=[Breaks(), keeping], max_epochs=3, enable_checkpointing=True)
    with pytest.raises(
        RuntimeError, match=r"was not finite after step 8 \(epoch 1\) .*last good checkpoint is .*last"
    ) as stop:
        runner.fit(model, datamodule=data)
    assert str(stop.value).startswith(said[0])
    kept = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)
    assert kept["global_step"] == 4
    assert all(torch.isfinite(weights).all() for weights in kept["state_dict"].values() if torch.is_tensor(weights))


def test_without_a_good_checkpoint_none_is_named(trainer, tmp_path):
    class Breaks(Callback):
        def on_train_epoch_end(self, trainer, pl_module):
            next(pl_module.parameters()).data.fill_(float("nan"))

    data = RandomImages(number=72, batch_size=16)
    keeping = Checkpoints(dirpath=tmp_path / "checkpoints", save_top_k=0)
    with pytest.raises(RuntimeError, match="There is no checkpoint from before"):
        trainer(callbacks=[Breaks(), keeping], enable_checkpointing=True).fit(
            VAE(data_spec=data.spec, networks=SMALL), datamodule=data
        )
    assert not list((tmp_path / "checkpoints").glob("*"))


def test_a_buffer_that_is_meant_to_be_infinite_is_no_fault(trainer, tmp_path):
    data = RandomImages(number=72, batch_size=16)
    model = VAE(data_spec=data.spec, networks=SMALL)
    model.sampler.encoder.register_buffer("mask", torch.full((2,), float("-inf")))
    keeping = Checkpoints(dirpath=tmp_path / "checkpoints", save_top_k=0)
    trainer(callbacks=[keeping], enable_checkpointing=True).fit(model, datamodule=data)
    assert (tmp_path / "checkpoints" / "last.ckpt").is_file()


@pytest.mark.parametrize("model_class", [VAE, GAN])
def test_the_device_is_read_on_log_steps_alone(model_class, trainer, monkeypatch, tmp_path):
    """Also with a progress bar: no step in between waits for the device."""
    reads = []

    class Steps(Callback):
        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
            reads.append(0)

    data = RandomImages(number=178, batch_size=16)
    networks = SMALL if model_class is VAE else MLPPlayers((8,), (8,))
    model = model_class(data_spec=data.spec, networks=networks, average_decay=0.9)
    runner = trainer(
        callbacks=[Steps(), ProgressBar(), Alarms(), Checkpoints(dirpath=tmp_path), Interruption()],
        enable_progress_bar=True,
        enable_checkpointing=True,
        log_every_n_steps=5,
    )

    for name in ("item", "__float__", "__int__", "__bool__", "tolist"):
        read = getattr(torch.Tensor, name)

        def counted(tensor, read=read):
            # Adam counts its steps in tensors on the CPU, whatever the device of the parameters.
            if reads and runner.training and "optim" not in sys._getframe(1).f_globals["__name__"]:
                reads[-1] += 1
            return read(tensor)

        monkeypatch.setattr(torch.Tensor, name, counted)
    runner.fit(model, datamodule=data)
    assert [step for step, count in enumerate(reads) if count] == [4, 9]


def test_evaluating_gives_every_module_its_own_mode_back():
    module = GAN(data_spec=RandomImages().spec, networks=MLPPlayers((4,), (4,)))
    module.discriminator.eval()
    modes = [part.training for part in module.modules()]
    assert len(set(modes)) == 2

    def fail():
        with evaluating(module):
            assert not any(part.training for part in module.modules())
            assert not torch.is_grad_enabled()
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    assert [part.training for part in module.modules()] == modes
    assert torch.is_grad_enabled()
