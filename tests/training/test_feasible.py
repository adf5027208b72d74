"""What a trainer cannot do with a model is refused before training, in one sentence, and what it can is not."""

from datetime import timedelta
from functools import partial

import pytest
import torch
from lightning.pytorch import Callback, callbacks
from lightning.pytorch.cli import ReduceLROnPlateau
from torch.optim import LBFGS, SGD, Adagrad, Adam, SparseAdam, lr_scheduler

from genzoo.callbacks.checkpoints import Checkpoints
from genzoo.callbacks.sample_scores import SampleScores
from genzoo.models.autoencoder import AutoEncoder
from genzoo.models.cgan import ConditionalGAN
from genzoo.models.dcgan import DCGAN
from genzoo.models.gan import GAN
from genzoo.models.vae import VAE
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.spec import image_spec
from tests.conftest import RandomImages

NETWORKS = {
    **dict.fromkeys((VAE, AutoEncoder), MLPEncoderDecoder((8,))),
    **dict.fromkeys((GAN, ConditionalGAN), MLPPlayers((8,), (8,))),
    DCGAN: DCGANPlayers(width=2),
}


def data():
    return RandomImages(number=64, validation_fraction=0.25)


def make(kind, scheduler=None, optimizer=None, **settings):
    """A small model, whose generator has the schedule and the optimiser if there are two."""
    prefix = "generator_" if issubclass(kind, GAN) else ""
    given = {"scheduler": scheduler, "optimizer": optimizer}
    settings |= {f"{prefix}{name}": value for name, value in given.items() if value is not None}
    return kind(data_spec=data().spec, networks=NETWORKS[kind], **settings)


def refuse(trainer, model, match):
    with pytest.raises(ValueError, match=match):
        trainer.fit(model, datamodule=data())
    assert trainer.global_step == 0


@pytest.mark.parametrize(
    ("kind", "optimizer", "reason"),
    [
        (VAE, partial(Adam, lr=-1.0), "Invalid learning rate: -1.0"),
        (GAN, partial(Adam, lr=-1.0), "Invalid learning rate: -1.0"),
        (VAE, partial(Adam, lr=float("nan")), "Invalid learning rate: nan"),
        (VAE, partial(Adam, lr=float("inf")), "lr of Adam is inf"),
        (GAN, partial(SGD, lr=0.1, momentum=float("inf")), "momentum of SGD is inf"),
        (VAE, SparseAdam, "SparseAdam does not support dense gradients"),
        (GAN, SparseAdam, "SparseAdam does not support dense gradients"),
        (GAN, LBFGS, "LBFGS computes a loss several times a step, which a game cannot"),
    ],
)
def test_optimisers_that_cannot_train_a_model_are_refused(kind, optimizer, reason, trainer):
    refuse(trainer(), make(kind, optimizer=optimizer), f"this {kind.__name__} cannot train it: {reason}")


@pytest.mark.parametrize("kind", [VAE, GAN])
@pytest.mark.parametrize(
    ("scheduler", "reason"),
    [
        (partial(lr_scheduler.StepLR, step_size=0), "StepLR fails to move"),
        (partial(lr_scheduler.CosineAnnealingLR, T_max=0), "CosineAnnealingLR fails to move"),
        (partial(lr_scheduler.ExponentialLR, gamma=float("inf")), "lr of .*Adam is inf"),
        (partial(lr_scheduler.OneCycleLR, max_lr=0.1, total_steps=1), "ends after 1 moves, but training has 2"),
    ],
)
def test_schedules_that_cannot_go_on_to_the_end_are_refused(kind, scheduler, reason, trainer):
    refuse(trainer(max_epochs=2), make(kind, scheduler), f"this {kind.__name__} cannot train it: .*{reason}")


def test_a_schedule_that_does_not_fit_its_optimiser_is_refused(trainer):
    cyclic = partial(lr_scheduler.CyclicLR, base_lr=0.1, max_lr=0.2)
    refuse(trainer(), make(VAE, cyclic, Adagrad), "optimizer must support momentum")


@pytest.mark.parametrize(
    "scheduler",
    [
        partial(lr_scheduler.OneCycleLR, max_lr=0.1, total_steps=3),
        partial(lr_scheduler.CyclicLR, base_lr=0.1, max_lr=0.2),
        partial(lr_scheduler.LinearLR, total_iters=1),
        partial(lr_scheduler.PolynomialLR, total_iters=1),
        partial(lr_scheduler.CosineAnnealingWarmRestarts, T_0=1),
        partial(lr_scheduler.MultiStepLR, milestones=[1]),
    ],
)
def test_others_train_and_trying_them_moves_nothing(scheduler, trainer):
    class Start(Callback):
        def on_train_start(self, trainer, pl_module):
            rates = [optimizer.param_groups[0]["lr"] for optimizer in trainer.optimizers]
            assert rates == [config["optimizer"].param_groups[0]["lr"] for config in pl_module.configure_optimizers()]
            assert not any(optimizer.state for optimizer in trainer.optimizers)
            self.weights = [parameter.clone() for parameter in pl_module.parameters()]

    model, start, runner = make(GAN, scheduler), Start(), trainer(max_epochs=3)
    before = [parameter.clone() for parameter in model.parameters()]
    runner.callbacks.append(start)
    runner.fit(model, datamodule=data())
    assert all(torch.equal(a, b) for a, b in zip(before, start.weights, strict=True))
    assert runner.global_step == 9


def test_an_optimiser_that_asks_for_the_loss_again_and_again_is_logged_once_a_step(trainer):
    """LBFGS, where Lightning moves it."""
    steps = []

    class Noting(VAE):
        def log_training(self, values, step):
            steps.append(step)
            super().log_training(values, step)

    model = Noting(data_spec=data().spec, networks=NETWORKS[VAE], optimizer=partial(LBFGS, lr=0.01, max_iter=3))
    before = [parameter.clone() for parameter in model.parameters()]
    trainer(log_every_n_steps=1).fit(model, datamodule=data())
    assert steps == [0, 1, 2]
    assert any(not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


# What is watched


@pytest.mark.parametrize("kind", [*NETWORKS])
def test_models_know_what_they_report(kind, trainer):
    model, runner = make(kind), trainer(log_every_n_steps=1)
    known = model.reports()
    runner.fit(model, datamodule=data())
    assert known == set(runner.callback_metrics)


def test_vectors_in_place_of_classes_are_measured_too():
    model = ConditionalGAN(data_spec=image_spec(1, 28), vector_dim=3, networks=NETWORKS[GAN])
    assert "val/discriminator_real" in model.reports()


UNKNOWN = {
    "schedule": (partial(ReduceLROnPlateau, monitor="val/nope"), []),
    "stopping": (None, [callbacks.EarlyStopping("val/nope")]),
    "checkpoint": (None, [callbacks.ModelCheckpoint(monitor="val/nope")]),
    "checkpoints": (None, [Checkpoints(monitor="val/nope")]),
    "scores": (None, [SampleScores(), callbacks.EarlyStopping("val/nope")]),
}


@pytest.mark.parametrize("kind", [VAE, GAN])
@pytest.mark.parametrize("place", UNKNOWN)
def test_an_unknown_metric_is_refused_and_the_known_ones_are_named(kind, place, trainer):
    scheduler, watching = UNKNOWN[place]
    reported = "val/elbo" if kind is VAE else "val/discriminator_gap"
    match = f"watches val/nope, which a {kind.__name__} does not report; give it one of these .*: train/.*{reported}"
    refuse(trainer(callbacks=watching, enable_checkpointing=True), make(kind, scheduler), match)


@pytest.mark.parametrize("kind", [VAE, GAN])
def test_a_plateau_of_no_metric_is_refused(kind, trainer):
    match = r"ReduceLROnPlateau does not say .* choose lightning.pytorch.cli.ReduceLROnPlateau .* as monitor: train/"
    refuse(trainer(), make(kind, lr_scheduler.ReduceLROnPlateau), match)


def test_what_others_log_is_theirs_to_know(trainer):
    class Own(VAE):
        def on_validation_epoch_end(self):
            super().on_validation_epoch_end()
            self.log("val/own", 1.0)

    model = Own(data_spec=data().spec, networks=NETWORKS[VAE])
    trainer(callbacks=[callbacks.EarlyStopping("val/own")]).fit(model, datamodule=data())

    class Logging(Callback):
        def on_train_epoch_end(self, trainer, pl_module):
            pl_module.log("other", 1.0)

    stopping = callbacks.EarlyStopping("other", check_on_train_epoch_end=True)
    trainer(callbacks=[Logging(), stopping]).fit(make(VAE), datamodule=data())


def test_scores_of_samples_may_be_watched(trainer):
    model = make(GAN)
    model.require_trainable(trainer(callbacks=[SampleScores(), callbacks.EarlyStopping("val/fd/digits")]))


@pytest.mark.parametrize("kind", [VAE, GAN])
def test_a_plateau_waits_for_a_validation_that_is_not_every_epoch(kind, trainer):
    metric = "val/elbo" if kind is VAE else "val/discriminator_real"
    model = make(kind, partial(ReduceLROnPlateau, monitor=metric), scheduler_interval="step")
    runner = trainer(max_epochs=2, check_val_every_n_epoch=2)
    runner.fit(model, datamodule=data())
    assert runner.lr_scheduler_configs[0].scheduler.last_epoch == 1


# Callbacks


@pytest.mark.parametrize(
    ("kind", "callback", "advice"),
    [
        (GAN, callbacks.StochasticWeightAveraging(0.1), "set average_decay"),
        (GAN, callbacks.GradientAccumulationScheduler({0: 2}), "set accumulate_grad_batches"),
        (GAN, callbacks.LearningRateFinder(), "try a few"),
        (VAE, callbacks.LearningRateFinder(), "try a few"),
    ],
)
def test_callbacks_that_cannot_work_are_refused(kind, callback, advice, trainer):
    name = type(callback).__name__
    refuse(trainer(callbacks=[callback]), make(kind), f"{name} cannot work with a {kind.__name__}: .*{advice}")


def test_a_part_that_no_model_has_is_not_thawed(trainer):
    with pytest.raises(ValueError, match="BackboneFinetuning cannot work with a VAE: it thaws a part called backbone"):
        make(VAE).require_trainable(trainer(callbacks=[callbacks.BackboneFinetuning()]))


def test_an_interval_that_would_be_ignored_is_refused(trainer, tmp_path):
    keeping = callbacks.ModelCheckpoint(tmp_path, train_time_interval=timedelta(seconds=1))
    refuse(trainer(callbacks=[keeping], enable_checkpointing=True), make(GAN), "train_time_interval .* has no effect")
    make(VAE).require_trainable(trainer(callbacks=[keeping], enable_checkpointing=True))


@pytest.mark.parametrize(
    "callback",
    [
        callbacks.StochasticWeightAveraging(0.1, swa_epoch_start=1),
        callbacks.GradientAccumulationScheduler({0: 2}),
        callbacks.EarlyStopping("val/elbo"),
        callbacks.EMAWeightAveraging(decay=0.5),
    ],
)
def test_callbacks_that_can_work_do(callback, trainer):
    trainer(max_epochs=3, callbacks=[callback]).fit(make(VAE), datamodule=data())


# Precision


def test_half_precision_that_cannot_train_is_refused(trainer):
    refuse(trainer(precision="16-true"), make(VAE), "16-true cannot train.*16-mixed or bf16-mixed")
    trainer(precision="16-true").validate(make(VAE), datamodule=data(), verbose=False)


def test_averages_that_would_not_move_are_refused(trainer):
    refuse(trainer(precision="bf16-true"), make(GAN, average_decay=0.9), "average_decay 0.9 do not move")
    make(GAN, average_decay=0.9).require_trainable(trainer(precision="64-true"))
