"""What follows a schedule is in the log, with the value that the step was made with."""

from functools import partial

import pytest
from lightning.pytorch import Callback

from genzoo.augmentations.diff_augment import DiffAugment
from genzoo.augmentations.in_turn import InTurn
from genzoo.augmentations.instance_noise import InstanceNoise
from genzoo.losses.constraints import WeightClipping
from genzoo.losses.penalties import R1, R2
from genzoo.models.gan import GAN
from genzoo.models.vae import VAE
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.schedules.schedule import HalfLife, Linear
from genzoo.training.optimizer_schedule import OptimizerSchedule
from tests.conftest import RandomImages

RISING, RATE, BETA, HALF_LIFE = Linear(0.0, 1.0, 10), Linear(0.1, 0.0, 10), Linear(0.5, 0.9, 10), Linear(1.0, 9.0, 8)
CLIP = Linear(0.5, 0.1, 10)
FOLLOWING = partial(OptimizerSchedule, lr=RATE, beta1=0.5, beta2=BETA)


class Log(Callback):
    """Notes what is logged of schedules."""

    def __init__(self):
        self.rows = []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        names = {name: value for name, value in pl_module.step_log.latest.items() if "schedule" in name}
        self.rows.append((pl_module.step_log.latest_step, names))


def logged(model, trainer, **settings):
    log = Log()
    data = RandomImages(number=96, validation_fraction=0.0)
    trainer(callbacks=[log], limit_val_batches=0, **{"log_every_n_steps": 1} | settings).fit(model, datamodule=data)
    return log.rows


@pytest.mark.filterwarnings("ignore:.*both limit how steep")
def test_all_settings_of_a_game_are_logged_at_each_step(trainer):
    model = GAN(
        data_spec=RandomImages().spec,
        networks=MLPPlayers((8,), (8,)),
        discriminator_steps=Linear(2.0, 2.0, 1),
        average_decay=HalfLife(HALF_LIFE),
        penalties=[R1(RISING), R2(0.1), R1(RATE), WeightClipping(CLIP)],
        augmentation=InTurn([DiffAugment(probability=RISING), InstanceNoise(RATE)]),
        generator_scheduler=FOLLOWING,
        discriminator_scheduler=FOLLOWING,
    )
    rows = logged(model, trainer)
    assert [step for step, _ in rows] == [*range(6)]
    for step, found in rows:
        # The generator and the averages of its weights move after every second step.
        answers = max((step + 1) // 2 - 1, 0)
        expected = {
            "discriminator_steps": 2.0,
            "average_decay": 2.0 ** (-1 / HALF_LIFE.at(answers)),
            "penalty/R1.gamma": RISING.at(step),
            "penalty/R1_2.gamma": RATE.at(step),
            "constraint.WeightClipping.bound": CLIP.at(step),
            "augmentation.augmentations.DiffAugment.probability": RISING.at(step),
            "augmentation.augmentations.InstanceNoise.deviation": RATE.at(step),
            "generator_scheduler.lr": RATE.at(answers),
            "generator_scheduler.beta2": BETA.at(answers),
            "discriminator_scheduler.lr": RATE.at(step),
            "discriminator_scheduler.beta2": BETA.at(step),
        }
        assert found == pytest.approx({f"train/schedule/{name}": value for name, value in expected.items()})
        assert found.keys() <= model.reports()


def test_those_of_a_bound_are_logged_on_log_steps(trainer):
    networks = MLPEncoderDecoder((8,))
    decay = HalfLife(HALF_LIFE)
    model = VAE(data_spec=RandomImages().spec, networks=networks, average_decay=decay, scheduler=FOLLOWING)
    rows = logged(model, trainer, log_every_n_steps=3)
    assert [step for step, _ in rows] == [-1, -1, 2, 2, 2, 5]
    for step, found in rows[2::3]:
        expected = {"average_decay": decay.at(step), "scheduler.lr": RATE.at(step), "scheduler.beta2": BETA.at(step)}
        assert found == pytest.approx({f"train/schedule/{name}": value for name, value in expected.items()})
        assert found.keys() <= model.reports()


def test_numbers_are_not_logged():
    networks = MLPPlayers((8,), (8,))
    model = GAN(data_spec=RandomImages().spec, networks=networks, penalties=[R1()], average_decay=0.9)
    assert not [name for name in model.reports() if "schedule" in name]
