"""Who moves when, on which images, with which noise, and in which direction."""

from functools import partial

import pytest
import torch
from lightning.pytorch import Callback
from lightning.pytorch.cli import ReduceLROnPlateau
from lightning.pytorch.loggers import CSVLogger
from torch.optim.lr_scheduler import StepLR

from genzoo.losses.adversarial import Minimax, NonSaturating
from genzoo.models.gan import GAN
from genzoo.networks.mlp import MLPPlayers
from genzoo.networks.priors import NormalPrior, UniformPrior
from genzoo.noise import BatchNoise
from tests.conftest import RandomImages

SMALL = MLPPlayers(generator_features=(8,), discriminator_features=(8,), dropout=0.0, batch_norm=False)


def weights(module):
    return torch.cat([parameter.detach().flatten().clone() for parameter in module.parameters()])


class Witness(Callback):
    """Notes what moved in each batch, and what every discriminator and generator step saw."""

    def __init__(self):
        self.moves, self.images, self.noises = [], [], []

    def on_fit_start(self, trainer, pl_module):
        prior_sample = pl_module.prior_sample

        def noted(number, noise=None):
            z = prior_sample(number, noise)
            if trainer.training:
                self.noises.append(z)
            return z

        pl_module.prior_sample = noted

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.images.append(batch[0].clone())
        self.before = weights(pl_module.discriminator), weights(pl_module.generator)

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        after = weights(pl_module.discriminator), weights(pl_module.generator)
        moved = tuple(not torch.equal(a, b) for a, b in zip(after, self.before, strict=True))
        self.moves.append((*moved, trainer.global_step))


@pytest.mark.parametrize("k", [1, 3])
def test_k_discriminator_updates_then_one_of_the_generator(k, trainer):
    data = RandomImages(number=107, batch_size=16)
    model = GAN(data_spec=data.spec, networks=SMALL, discriminator_steps=k)
    witness = Witness()
    runner = trainer(callbacks=[witness], num_sanity_val_steps=0)
    runner.fit(model, datamodule=data)

    assert witness.moves == [(True, (step + 1) % k == 0, step + 1) for step in range(6)]
    assert runner.global_step == 6
    discriminator, generator = runner.optimizers
    assert {int(state["step"]) for state in discriminator.state.values()} == {6}
    assert {int(state["step"]) for state in generator.state.values()} == {6 // k}

    seen = torch.cat(witness.images)
    assert len(torch.unique(seen, dim=0)) == len(seen) == 96
    assert len(witness.noises) == 6 + 6 // k
    drawn = torch.cat(witness.noises)
    assert len(torch.unique(drawn, dim=0)) == len(drawn)


def test_the_phase_of_k_survives_a_resume(trainer, tmp_path):
    def run(**settings):
        witness = Witness()
        model = GAN(data_spec=data.spec, networks=SMALL, discriminator_steps=3)
        runner = trainer(callbacks=[witness], num_sanity_val_steps=0, **settings)
        return model, runner, witness

    data = RandomImages(number=72, batch_size=16)
    model, runner, _ = run(max_epochs=1)
    runner.fit(model, datamodule=data)
    assert runner.global_step == 4
    runner.save_checkpoint(tmp_path / "phase.ckpt")
    model, runner, witness = run(max_epochs=2)
    runner.fit(model, datamodule=RandomImages(number=72, batch_size=16), ckpt_path=tmp_path / "phase.ckpt")
    assert witness.moves == [(True, False, 5), (True, True, 6), (True, False, 7), (True, False, 8)]


@pytest.mark.parametrize("objective", [Minimax(), NonSaturating()])
def test_no_gradient_passes_from_one_player_to_the_other(objective, trainer):
    class Gradients(Callback):
        def __init__(self):
            self.seen = []

        def on_before_optimizer_step(self, trainer, pl_module, optimizer):
            player = "discriminator" if optimizer is trainer.optimizers[0] else "generator"
            other = pl_module.generator if player == "discriminator" else pl_module.discriminator
            gradients = [p.grad.clone() for p in getattr(pl_module, player).parameters()]
            others = [None if p.grad is None else p.grad.clone() for p in other.parameters()]
            self.seen.append((player, gradients, others))

    data = RandomImages(number=48, batch_size=16)
    model = GAN(data_spec=data.spec, networks=SMALL, objective=objective)
    witness = Gradients()
    trainer(callbacks=[witness]).fit(model, datamodule=data)
    assert [player for player, _, _ in witness.seen] == ["discriminator", "generator"] * 2

    (_, d_first, g_at_first), (_, g_first, d_at_second), (_, _, g_at_third), _ = witness.seen
    assert all(gradient is None for gradient in g_at_first)
    assert all(torch.equal(a, b) for a, b in zip(d_first, d_at_second, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(g_first, g_at_third, strict=True))
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize(("objective", "weight"), [(Minimax(), lambda d: -d), (NonSaturating(), lambda d: d - 1)])
def test_gradients_are_those_of_the_paper(objective, weight):
    """Against the chain rule by hand: dL/dw = mean of dL/dlogit * dlogit/dw."""
    data = RandomImages()
    model = GAN(data_spec=data.spec, networks=SMALL, objective=objective)
    x = torch.rand(16, 1, 28, 28) * 2 - 1
    y = torch.zeros(16, dtype=torch.int64)

    def parameter_gradients(output, module):
        return torch.autograd.grad(output, list(module.parameters()))

    loss = model.generator_loss(x, y, BatchNoise("cpu", 5))
    logits = model.discriminator(model.generator(BatchNoise("cpu", 5).normal(16, 32)))
    by_hand = parameter_gradients((weight(torch.sigmoid(logits.detach())) * logits).mean(), model.generator)
    for actual, expected in zip(parameter_gradients(loss, model.generator), by_hand, strict=True):
        torch.testing.assert_close(actual, expected)

    loss = model.discriminator_loss(x, y, BatchNoise("cpu", 5))
    real = model.discriminator(x)
    fake = model.discriminator(model.generator(BatchNoise("cpu", 5).normal(16, 32)).detach())
    surrogate = ((torch.sigmoid(real.detach()) - 1) * real).mean() + (torch.sigmoid(fake.detach()) * fake).mean()
    by_hand = parameter_gradients(surrogate, model.discriminator)
    for actual, expected in zip(parameter_gradients(loss, model.discriminator), by_hand, strict=True):
        torch.testing.assert_close(actual, expected)


def test_each_player_gets_better_at_its_own_game(trainer):
    """One step of plain gradient descent on a fixed batch lowers the mover's own loss."""
    data = RandomImages(number=24, batch_size=16)
    sgd = partial(torch.optim.SGD, lr=1e-2)
    model = GAN(data_spec=data.spec, networks=SMALL, generator_optimizer=sgd, discriminator_optimizer=sgd)
    losses = []

    class Losses(Callback):
        def on_before_optimizer_step(self, trainer, pl_module, optimizer):
            self.measure(trainer, pl_module, optimizer)

        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            self.measure(trainer, pl_module, None)

        def measure(self, trainer, model, optimizer):
            with torch.no_grad():
                x, y = self.batch
                losses.append(
                    (
                        float(model.discriminator_loss(x, y, BatchNoise("cpu", 1))),
                        float(model.generator_loss(x, y, BatchNoise("cpu", 2))),
                    )
                )

        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
            self.batch = batch

    trainer(callbacks=[Losses()]).fit(model, datamodule=data)
    (start_d, _), (after_d, start_g), (_, after_g) = losses
    assert after_d < start_d
    assert after_g < start_g


def test_priors():
    noise = BatchNoise("cpu", 0)
    normal, uniform = NormalPrior().sample(20_000, 2, noise), UniformPrior().sample(20_000, 2, noise)
    assert abs(float(normal.std()) - 1.0) < 0.02
    assert -1.0 <= float(uniform.min()) < -0.99
    assert 0.99 < float(uniform.max()) <= 1.0


def learning_rates(runner):
    return [optimizer.param_groups[0]["lr"] for optimizer in runner.optimizers]


def test_schedules_by_epoch_step_in_manual_optimisation(trainer):
    data = RandomImages(number=48, batch_size=16)
    model = GAN(
        data_spec=data.spec,
        networks=SMALL,
        discriminator_scheduler=partial(StepLR, step_size=1, gamma=0.5),
        generator_scheduler=partial(StepLR, step_size=2, gamma=0.1),
    )
    runner = trainer(max_epochs=3)
    runner.fit(model, datamodule=data)
    assert learning_rates(runner) == pytest.approx([2e-4 / 8, 2e-5])


def test_schedules_by_step_follow_the_updates_of_their_own_player(trainer):
    data = RandomImages(number=107, batch_size=16)
    halve = partial(StepLR, step_size=1, gamma=0.5)
    model = GAN(
        data_spec=data.spec,
        networks=SMALL,
        discriminator_steps=3,
        discriminator_scheduler=halve,
        generator_scheduler=halve,
        scheduler_interval="step",
    )
    runner = trainer()
    runner.fit(model, datamodule=data)
    assert runner.global_step == 6
    assert learning_rates(runner) == pytest.approx([2e-4 / 2**6, 2e-4 / 2**2])


def test_a_schedule_that_watches_a_metric_steps_too(trainer):
    data = RandomImages(number=48, batch_size=16)
    model = GAN(
        data_spec=data.spec,
        networks=SMALL,
        # No later value is better than the first by 1e9.
        generator_scheduler=partial(
            ReduceLROnPlateau, monitor="val/discriminator_real", patience=0, threshold=1e9, threshold_mode="abs"
        ),
    )
    runner = trainer(max_epochs=3)
    runner.fit(model, datamodule=data)
    assert learning_rates(runner) == pytest.approx([2e-4, 2e-6])


def test_a_schedule_waits_for_a_metric_that_is_not_reported_yet(trainer):
    data = RandomImages(number=48, batch_size=16)
    plateau = partial(
        ReduceLROnPlateau, monitor="val/discriminator_real", patience=0, threshold=1e9, threshold_mode="abs"
    )
    model = GAN(data_spec=data.spec, networks=SMALL, generator_scheduler=plateau)
    runner = trainer(max_epochs=3, check_val_every_n_epoch=2, num_sanity_val_steps=0)
    runner.fit(model, datamodule=data)
    assert learning_rates(runner) == pytest.approx([2e-4, 2e-5])


@pytest.mark.parametrize("k", [1, 3])
def test_numbers_reach_the_logger_on_log_steps_only(k, trainer, tmp_path):
    class Counting(CSVLogger):
        calls = ()

        def log_metrics(self, metrics, step=None):
            if any(name.startswith("train/") for name in metrics):
                self.calls = (*self.calls, (step, metrics))

    logger = Counting(tmp_path)
    data = RandomImages(number=178, batch_size=16)
    model = GAN(data_spec=data.spec, networks=SMALL, discriminator_steps=k)
    trainer(logger=logger, log_every_n_steps=5).fit(model, datamodule=data)
    assert [step for step, _ in logger.calls] == [4, 9]
    assert {name for name in logger.calls[0][1] if name.startswith("train/")} == {
        "train/discriminator_loss",
        "train/generator_loss",
        "train/discriminator_real",
        "train/discriminator_fake",
        "train/discriminator_accuracy",
        "train/equilibrium_distance",
        "train/discriminator_gradient_norm",
        "train/generator_gradient_norm",
    }


def test_discriminator_steps_below_one_are_refused():
    with pytest.raises(ValueError, match="discriminator_steps must be at least 1, got 0"):
        GAN(data_spec=RandomImages().spec, discriminator_steps=0)
