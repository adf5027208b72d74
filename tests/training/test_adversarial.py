"""Who moves when, on which images, with which noise, and in which direction."""

import csv
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Callback
from lightning.pytorch.cli import ReduceLROnPlateau
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.plugins import MixedPrecision
from torch.optim import Adam
from torch.optim.lr_scheduler import StepLR

from genzoo.callbacks.checkpoints import Checkpoints
from genzoo.losses.objectives import Minimax, NonSaturating
from genzoo.models.gan import GAN
from genzoo.networks.mlp import MLPPlayers
from genzoo.noise import BatchNoise, Noise, counter_seed
from genzoo.schedules.schedule import Linear
from tests.conftest import RandomImages
from tests.training.cases import CASES, Case, paired

SMALL = MLPPlayers(generator_features=(8,), discriminator_features=(8,), dropout=0.0, batch_norm=False)


GAMES = {
    "Minimax": Case(partial(GAN, networks=SMALL, objective=Minimax())),
    "NonSaturating": Case(partial(GAN, networks=SMALL)),
} | {name: case for name, case in CASES.items() if case.is_game}


def weights(module):
    return torch.cat([parameter.detach().flatten().clone() for parameter in module.parameters()])


class Witness(Callback):
    """Notes what moved in each batch, and what every discriminator and generator step saw."""

    def __init__(self):
        self.moves, self.images, self.noises = [], [], []

    def on_fit_start(self, trainer, pl_module):
        prior_sample = pl_module.sampler.prior_sample

        def noted(number, noise=None):
            z = prior_sample(number, noise)
            if trainer.training:
                self.noises.append(z)
            return z

        pl_module.sampler.prior_sample = noted

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.images.append(batch[0].clone())
        self.before = weights(pl_module.discriminator), weights(pl_module.sampler.generator)

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        after = weights(pl_module.discriminator), weights(pl_module.sampler.generator)
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


@pytest.mark.parametrize("name", GAMES)
def test_no_gradient_passes_from_one_player_to_another(name, trainer):
    class Gradients(Callback):
        def __init__(self):
            self.seen = []

        def on_before_optimizer_step(self, trainer, pl_module, optimizer):
            player = pl_module.players()[trainer.optimizers.index(optimizer)]
            gradients = {p: None if p.grad is None else p.grad.clone() for p in pl_module.parameters()}
            self.seen.append((player, gradients))

    data = GAMES[name].data(number=48, batch_size=16)
    model = GAMES[name].model(data_spec=data.spec, discriminator_steps=1)
    witness = Gradients()
    trainer(callbacks=[witness]).fit(model, datamodule=data)
    assert [player.name for player, _ in witness.seen] == [player.name for player in model.players()] * 2
    assert witness.seen[0][0].name == "discriminator"

    before = {}
    for player, gradients in witness.seen:
        own = set(player.parameters())
        for parameter, gradient in gradients.items():
            earlier = before.get(parameter)
            if parameter in own:
                assert gradient is not None
                assert gradient is not earlier
            else:
                assert gradient is earlier is None or torch.equal(gradient, earlier)
        before = gradients
    assert all(parameter.requires_grad for player in model.players() for parameter in player.parameters())


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
    logits = model.discriminator(model.sampler.generator(BatchNoise("cpu", 5).normal(16, 32)))
    by_hand = parameter_gradients((weight(torch.sigmoid(logits.detach())) * logits).mean(), model.sampler.generator)
    for actual, expected in zip(parameter_gradients(loss, model.sampler.generator), by_hand, strict=True):
        torch.testing.assert_close(actual, expected)

    loss = model.discriminator_loss(x, y, BatchNoise("cpu", 5))
    real = model.discriminator(x)
    fake = model.discriminator(model.sampler.generator(BatchNoise("cpu", 5).normal(16, 32)).detach())
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
        *(
            f"train/{player}_{kind}"
            for player in ("discriminator", "generator")
            for kind in ("gradient_norm", "learning_rate", "update_ratio", "weight_norm")
        ),
    }


def test_discriminator_steps_below_one_are_refused():
    with pytest.raises(ValueError, match="discriminator_steps must be at least 1, got 0"):
        GAN(data_spec=RandomImages().spec, discriminator_steps=0)


def test_the_number_of_discriminator_updates_may_follow_a_schedule(trainer, tmp_path):
    """Answers come after 3, 5 and then every update; what is between two of them is not forgotten by a log step."""
    data = RandomImages(number=145, batch_size=16)
    model = GAN(data_spec=data.spec, networks=SMALL, discriminator_steps=Linear(start=3.0, end=1.0, steps=5))
    witness, logger = Witness(), CSVLogger(tmp_path, name="")
    runner = trainer(callbacks=[witness], num_sanity_val_steps=0, logger=logger, log_every_n_steps=4)
    runner.fit(model, datamodule=data)
    answered = [3, 5, 6, 7, 8]
    assert witness.moves == [(True, step in answered, step) for step in range(1, 9)]
    rows = (Path(logger.log_dir) / "metrics.csv").read_text().splitlines()
    assert [row["step"] for row in csv.DictReader(rows) if row["train/generator_loss"]] == ["3", "7"]


class TableNoise(Noise):
    """Rows of fixed tables, one table for each draw: batches in a row get the rows of one large batch."""

    def __init__(self, first_row, *counters):
        super().__init__(*counters)
        self.first_row, self.draws = first_row, 0

    def _with_counters(self, *counters):
        return TableNoise(self.first_row, *counters)

    def normal(self, *shape):
        return self._rows(torch.randn, *shape)

    def uniform(self, *shape):
        return self._rows(torch.rand, *shape)

    def _rows(self, draw, number, *shape):
        self.draws += 1
        generator = torch.Generator().manual_seed(counter_seed(*self.counters, self.draws))
        return draw(64, *shape, generator=generator)[self.first_row : self.first_row + number]


def fit_with_table_noise(name, trainer, batch_size, k, **settings):
    data = GAMES[name].data(number=64 * 4 + 30, batch_size=batch_size)
    torch.manual_seed(0)
    # Neither batch norm, which norms each batch by itself, nor dropout, which draws for each.
    is_gan = issubclass(GAMES[name].model.func, GAN)
    own = {"networks": SMALL, "generator_optimizer": partial(Adam, lr=0.01)} if is_gan else {"judge": SMALL}
    model = GAMES[name].model(data_spec=data.spec, discriminator_steps=k, **own)
    parts = 64 // batch_size
    model.training_noise = lambda: TableNoise(model._batch % parts * batch_size, model._batch // parts)
    logger = CSVLogger(settings.pop("folder"), name="")
    runner = trainer(
        accumulate_grad_batches=parts, logger=logger, log_every_n_steps=1, limit_train_batches=4 * parts, **settings
    )
    runner.fit(model, datamodule=data)
    assert runner.global_step == 4
    rows = (Path(logger.log_dir) / "metrics.csv").read_text().splitlines()
    return model, [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(rows)]


# What looks ahead on a batch looks ahead on each part of it by itself.
@pytest.mark.parametrize(("name", "k"), paired([name for name in GAMES if "lookahead" not in name], [1, 2]))
def test_four_batches_of_16_are_one_batch_of_64(name, k, trainer, tmp_path):
    whole, whole_log = fit_with_table_noise(name, trainer, 64, k, folder=tmp_path / "whole")
    parts, parts_log = fit_with_table_noise(name, trainer, 16, k, folder=tmp_path / "parts")
    for player, expected in zip(parts.players(), whole.players(), strict=True):
        torch.testing.assert_close(weights(player.moves[0]), weights(expected.moves[0]), rtol=1e-4, atol=1e-5)
    # One row for each step, with the same numbers.
    assert [row["step"] for row in parts_log] == [row["step"] for row in whole_log]
    for got, expected in zip(parts_log, whole_log, strict=True):
        assert got.keys() == expected.keys()
        assert got == pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_an_incomplete_window_ends_with_the_epoch(trainer):
    data = RandomImages(number=107, batch_size=16)
    model = GAN(data_spec=data.spec, networks=SMALL, discriminator_steps=2)
    witness = Witness()
    runner = trainer(callbacks=[witness], num_sanity_val_steps=0, accumulate_grad_batches=4)
    runner.fit(model, datamodule=data)
    still, both, only_d = (False, False), (True, True), (True, False)
    assert [move[:2] for move in witness.moves] == [still, still, still, only_d, still, both]
    assert runner.global_step == 2
    assert runner.accumulate_grad_batches == 4


def test_a_fit_that_fails_before_it_begins_leaves_the_trainers_settings(trainer):
    class Unprepared(RandomImages):
        def prepare_data(self):
            raise FileNotFoundError

    runner = trainer(accumulate_grad_batches=4, gradient_clip_val=0.5)
    model = GAN(data_spec=RandomImages().spec, networks=SMALL)
    with pytest.raises(FileNotFoundError):
        runner.fit(model, datamodule=Unprepared())
    assert (runner.accumulate_grad_batches, runner.gradient_clip_val) == (4, 0.5)
    runner.fit(model, datamodule=RandomImages())
    assert (runner.accumulate_grad_batches, runner.gradient_clip_val, runner.global_step) == (4, 0.5, 1)


class Norms(GAN):
    """Notes the norm of every gradient that a player follows."""

    def on_before_optimizer_step(self, optimizer):
        super().on_before_optimizer_step(optimizer)
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        self.norms.append(float(torch.nn.utils.get_total_norm(gradients)))


def clipped_norms(trainer, settings):
    data = RandomImages(number=107, batch_size=16)
    torch.manual_seed(0)
    model = Norms(data_spec=data.spec, networks=SMALL)
    model.norms = []
    before = weights(model)
    trainer(num_sanity_val_steps=0, **settings).fit(model, datamodule=data)
    return model.norms, weights(model) - before


def scaled():
    return MixedPrecision("16-mixed", "cpu", scaler=torch.amp.GradScaler("cpu", init_scale=256.0))


def test_gradients_are_clipped_by_the_trainers_flag(trainer):
    free, _ = clipped_norms(trainer, {})
    clipped, _ = clipped_norms(trainer, {"gradient_clip_val": 0.01})
    assert min(free) > 0.02
    assert max(clipped) == pytest.approx(0.01, rel=1e-3)
    by_value, _ = clipped_norms(trainer, {"gradient_clip_val": 1e-4, "gradient_clip_algorithm": "value"})
    assert max(by_value) < 0.01


def test_with_a_scaler_unscaled_gradients_are_clipped(trainer):
    """Clipped before they are unscaled, they would be 256 times too small."""
    clipped, _ = clipped_norms(trainer, {"gradient_clip_val": 0.01, "plugins": [scaled()]})
    assert clipped == pytest.approx([0.01] * len(clipped), rel=1e-2)


@pytest.mark.parametrize("accumulate", [1, 3])
def test_one_scaler_serves_both_players(accumulate, trainer):
    settings = {"accumulate_grad_batches": accumulate}
    _, plain = clipped_norms(trainer, settings)
    _, moved = clipped_norms(trainer, settings | {"plugins": [scaled()]})
    assert torch.nn.functional.cosine_similarity(plain, moved, dim=0) > 0.98


def test_a_gradient_that_overflows_skips_its_own_player_alone(trainer):
    class Overflow(NonSaturating):
        def discriminator_loss(self, real_logits, fake_logits):
            return super().discriminator_loss(real_logits, fake_logits) * 1e38 * 100.0

    data = RandomImages(number=48, batch_size=16)
    model = GAN(data_spec=data.spec, networks=SMALL, objective=dataclass(frozen=True)(Overflow)())
    model.watch.note = lambda *_: None
    witness, precision = Witness(), scaled()
    runner = trainer(callbacks=[witness], num_sanity_val_steps=0, plugins=[precision], limit_train_batches=1)
    runner.fit(model, datamodule=data)
    assert witness.moves == [(False, True, 1)]
    assert precision.scaler.get_scale() == 128.0


@pytest.mark.parametrize("precision", ["bf16-mixed"])
def test_losses_of_half_precision_are_computed_in_float32(precision, trainer):
    seen = {}

    class Spy(NonSaturating):
        def discriminator_loss(self, real_logits, fake_logits):
            loss = super().discriminator_loss(real_logits, fake_logits)
            seen["discriminator"] = (real_logits.dtype, loss.dtype)
            return loss

        def generator_loss(self, fake_logits):
            loss = super().generator_loss(fake_logits)
            seen["generator"] = (fake_logits.dtype, loss.dtype)
            return loss

    data = RandomImages(number=32, batch_size=16)
    model = GAN(data_spec=data.spec, networks=SMALL, objective=dataclass(frozen=True)(Spy)())
    trainer(precision=precision, limit_train_batches=1).fit(model, datamodule=data)
    assert seen == dict.fromkeys(("discriminator", "generator"), (torch.bfloat16, torch.float32))


@pytest.mark.parametrize("k", [1, 3])
def test_the_trainer_counts_steps_whatever_k_is(k, trainer, tmp_path):
    data = RandomImages(number=107, batch_size=16)
    model = GAN(data_spec=data.spec, networks=SMALL, discriminator_steps=k)
    every_second = Checkpoints(dirpath=tmp_path / "files", every_n_train_steps=2, save_top_k=-1, filename="{step}")
    logger = CSVLogger(tmp_path, name="")
    runner = trainer(
        callbacks=[every_second],
        enable_checkpointing=True,
        max_epochs=None,
        max_steps=5,
        logger=logger,
        log_every_n_steps=2,
        num_sanity_val_steps=0,
    )
    runner.fit(model, datamodule=data)
    assert runner.global_step == 5
    files = sorted(path.name for path in (tmp_path / "files").iterdir())
    assert files == ["last.ckpt", "step=2.ckpt", "step=4.ckpt"]
    rows = list(csv.DictReader((Path(logger.log_dir) / "metrics.csv").read_text().splitlines()))
    assert [row["step"] for row in rows if row["train/discriminator_loss"]] == ["1", "3"]
