"""Optimisers whose settings follow schedules, against Adam by hand."""

from functools import partial

import pytest
import torch
from lightning.pytorch.callbacks import LambdaCallback
from torch.optim import SGD, Adam
from torch.optim.lr_scheduler import StepLR

from genzoo.hyperparameters import as_plain, from_plain
from genzoo.models.gan import GAN
from genzoo.models.vae import VAE
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.schedules.schedule import Cosine, Linear
from genzoo.training.optimizer_schedule import OptimizerSchedule
from tests.conftest import RandomImages

FOLLOWING = partial(OptimizerSchedule, lr=Linear(0.01, 0.0, 8), beta1=Linear(0.0, 0.9, 4), beta2=Cosine(0.5, 0.99, 6))


def parameter():
    return torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64, requires_grad=True)


def test_adam_with_moving_settings_is_that_of_the_formula():
    """With the bias corrected as for constant betas, which is what torch does."""
    theta = parameter()
    adam = Adam([theta], lr=1.0, eps=1e-8)
    schedule = FOLLOWING(adam)
    expected, first, second = theta.detach().clone(), torch.zeros(3).double(), torch.zeros(3).double()
    generator = torch.Generator().manual_seed(0)
    for n in range(1, 11):
        theta.grad = torch.randn(3, generator=generator, dtype=torch.float64)
        at = {name: value.at(n - 1) for name, value in schedule.given.items()}
        first = at["beta1"] * first + (1 - at["beta1"]) * theta.grad
        second = at["beta2"] * second + (1 - at["beta2"]) * theta.grad.square()
        means = first / (1 - at["beta1"] ** n), second / (1 - at["beta2"] ** n)
        expected = expected - at["lr"] * means[0] / (means[1].sqrt() + 1e-8)
        adam.step()
        schedule.step()
        torch.testing.assert_close(theta.detach(), expected)


def test_what_is_not_given_stays_as_the_optimiser_has_it():
    adam = Adam([parameter()], lr=0.3, betas=(0.4, 0.8))
    schedule = OptimizerSchedule(adam, beta2=Linear(0.0, 0.9, 2))
    for beta2 in (0.0, 0.45, 0.9, 0.9):
        group = adam.param_groups[0]
        assert (group["lr"], *group["betas"]) == pytest.approx((0.3, 0.4, beta2))
        adam.step()
        schedule.step()


def test_an_optimiser_without_betas_takes_a_learning_rate():
    sgd = SGD([parameter()], lr=1.0)
    schedule = OptimizerSchedule(sgd, lr=Linear(0.2, 0.1, 1))
    assert schedule.get_last_lr() == [0.2]
    sgd.step()
    schedule.step()
    assert sgd.param_groups[0]["lr"] == 0.1
    with pytest.raises(ValueError, match=r"beta1 of OptimizerSchedule is one of the betas of Adam .* SGD has none"):
        OptimizerSchedule(sgd, beta1=0.5)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"lr": Linear(0.1, -0.1, 5)}, "lr of OptimizerSchedule must be finite and not negative"),
        ({"lr": float("inf")}, "lr of OptimizerSchedule must be finite and not negative"),
        ({"beta1": 1.0}, "beta1 of OptimizerSchedule must be at least 0 and below 1"),
        ({"beta2": Linear(0.9, 1.0, 5)}, "beta2 of OptimizerSchedule must be at least 0 and below 1"),
    ],
)
def test_what_the_setting_cannot_be_is_refused_before_training(settings, reason, trainer):
    with pytest.raises(ValueError, match=reason):
        OptimizerSchedule(Adam([parameter()]), **settings)
    game = partial(GAN, networks=MLPPlayers((8,), (8,)), generator_scheduler=partial(OptimizerSchedule, **settings))
    with pytest.raises(ValueError, match=f"schedules of this GAN cannot train it: {reason}"):
        trainer().fit(game(data_spec=RandomImages().spec), datamodule=RandomImages())


def test_its_state_is_plain_and_its_settings_are_those_of_the_model():
    schedule = FOLLOWING(Adam([parameter()]))
    assert all(isinstance(value, int | float | bool | list) for value in schedule.state_dict().values())
    again = from_plain(as_plain(FOLLOWING))
    assert again.func is OptimizerSchedule
    assert again.keywords == FOLLOWING.keywords


def settings_of(optimizer):
    group = optimizer.param_groups[0]
    return (group["lr"], *group["betas"])


def expected_settings(updates):
    return pytest.approx(tuple(value.at(updates) for value in FOLLOWING.keywords.values()))


MODELS = {
    "game": partial(
        GAN,
        networks=MLPPlayers((8,), (8,)),
        discriminator_steps=2,
        discriminator_scheduler=FOLLOWING,
        generator_scheduler=FOLLOWING,
    ),
    "descent": partial(VAE, networks=MLPEncoderDecoder((8,)), scheduler=FOLLOWING),
}


@pytest.mark.parametrize("accumulated", [1, 2])
@pytest.mark.parametrize(("name", "interval"), [("game", "epoch"), ("descent", "step"), ("descent", "epoch")])
def test_it_moves_with_every_update_whatever_the_interval_of_the_model(name, interval, accumulated, trainer):
    data = RandomImages(number=96, validation_fraction=0.0)
    model = MODELS[name](data_spec=data.spec, scheduler_interval=interval)
    runner = trainer(accumulate_grad_batches=accumulated, limit_val_batches=0)
    runner.fit(model, datamodule=data)
    updates = [6 // accumulated // k for k in ((1, 2) if name == "game" else (1,))]
    assert len(runner.optimizers) == len(updates)
    for optimizer, number in zip(runner.optimizers, updates, strict=True):
        assert settings_of(optimizer) == expected_settings(number)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("before", ["the same", "another schedule"])
def test_a_run_that_goes_on_has_the_settings_of_its_updates(name, before, trainer, tmp_path):
    """Also where it had another schedule until then: the new one is what it would be from the start."""
    data = RandomImages(number=96, validation_fraction=0.0)
    settings = {"limit_val_batches": 0}
    other = {
        setting: partial(StepLR, step_size=1) for setting in MODELS[name].keywords if setting.endswith("scheduler")
    }
    first = MODELS[name](
        data_spec=data.spec, **(other if before == "another schedule" else {}), scheduler_interval="step"
    )
    runner = trainer(max_epochs=1, **settings)
    runner.fit(first, datamodule=data)
    runner.save_checkpoint(tmp_path / "one.ckpt")
    second = MODELS[name](data_spec=data.spec, scheduler_interval="step")
    runner = trainer(max_epochs=2, **settings)
    runner.fit(second, datamodule=data, ckpt_path=tmp_path / "one.ckpt")
    for optimizer, number in zip(runner.optimizers, (12, 6), strict=False):
        assert settings_of(optimizer) == expected_settings(number)


@pytest.mark.parametrize("interval", ["step", "epoch"])
@pytest.mark.parametrize(
    ("before", "after", "updates"),
    [
        # Of the discriminator and the generator, None where it follows none; answers come after every second step.
        ({"generator": FOLLOWING}, {"generator": FOLLOWING, "discriminator": FOLLOWING}, (6, 6)),
        ({"generator": FOLLOWING}, {"discriminator": FOLLOWING}, (6, None)),
        ({"generator": FOLLOWING, "discriminator": FOLLOWING}, {"generator": FOLLOWING}, (None, 6)),
        ({"generator": partial(StepLR, step_size=1)}, {"generator": FOLLOWING, "discriminator": FOLLOWING}, (6, 6)),
    ],
    ids=["one more", "the other one", "one less", "another one, and one more"],
)
def test_a_player_of_a_run_that_goes_on_takes_no_schedule_of_another(
    before, after, updates, interval, trainer, tmp_path
):
    data, settings = RandomImages(number=96, validation_fraction=0.0), {"limit_val_batches": 0}
    game = partial(MODELS["game"], data_spec=data.spec, scheduler_interval=interval)
    neither = {"generator_scheduler": None, "discriminator_scheduler": None}
    first, second = (
        game(**neither | {f"{player}_scheduler": schedule for player, schedule in schedules.items()})
        for schedules in (before, after)
    )
    runner = trainer(max_epochs=1, **settings)
    runner.fit(first, datamodule=data)
    runner.save_checkpoint(tmp_path / "one.ckpt")
    runner = trainer(max_epochs=2, **settings)
    runner.fit(second, datamodule=data, ckpt_path=tmp_path / "one.ckpt")
    for optimizer, number in zip(runner.optimizers, updates, strict=True):
        assert settings_of(optimizer) == (
            pytest.approx((2e-4, 0.5, 0.999)) if number is None else expected_settings(number)
        )
    assert len(runner.lr_scheduler_configs) == len(after)


def test_schedules_whose_interval_changes_are_where_they_would_be_with_it_from_the_start(trainer, tmp_path):
    """Six steps and three answers an epoch; saved in the middle of epochs, and after their last batches."""
    data = RandomImages(number=96, validation_fraction=0.0)
    halve = partial(StepLR, step_size=1, gamma=0.5)
    game = partial(
        GAN,
        data_spec=data.spec,
        networks=MLPPlayers((8,), (8,)),
        discriminator_steps=2,
        generator_scheduler=halve,
        discriminator_scheduler=halve,
    )
    for before, after in (("epoch", "step"), ("step", "epoch")):
        for steps in (4, 6, 8, 12):
            saving = LambdaCallback(
                on_train_batch_end=lambda runner, *_, after=steps: (
                    runner.save_checkpoint(tmp_path / "some.ckpt") if runner.global_step == after else None
                )
            )
            runner = trainer(max_steps=13, max_epochs=-1, limit_val_batches=0, callbacks=[saving])
            runner.fit(game(scheduler_interval=before), datamodule=data)
            runner = trainer(max_steps=14, max_epochs=-1, limit_val_batches=0)
            runner.fit(game(scheduler_interval=after), datamodule=data, ckpt_path=tmp_path / "some.ckpt")
            moves = (14, 7) if after == "step" else (2, 2)
            rates = [optimizer.param_groups[0]["lr"] for optimizer in runner.optimizers]
            assert rates == pytest.approx([2e-4 * 0.5**number for number in moves]), (before, steps)
