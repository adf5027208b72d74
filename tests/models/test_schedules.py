"""Settings of games that follow schedules: each is read at the step under way, by all players alike."""

from dataclasses import dataclass, field
from functools import partial

import pytest
import torch
from lightning.pytorch import Callback

from genzoo.augmentations.instance_noise import InstanceNoise
from genzoo.losses.objectives import Minimax, NonSaturating
from genzoo.losses.penalties import R1
from genzoo.models.acgan import ACGAN
from genzoo.models.gan import GAN
from genzoo.models.infogan import InfoGAN
from genzoo.models.unrolled_gan import UnrolledGAN
from genzoo.models.vae_gan import VAEGAN
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.noise import BatchNoise
from genzoo.schedules.schedule import Linear
from tests.conftest import RandomImages

SPEC = RandomImages().spec
MLP = MLPPlayers((8,), (8,), dropout=0.0, batch_norm=False)
X = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(1)) * 2 - 1
Y = torch.tensor([3, 0, 9, 3])
STEP = 5
CHANGING = Linear(0.6, 0.9, 10)
GAMES = {kind: partial(kind, networks=MLP) for kind in (GAN, ACGAN, InfoGAN, UnrolledGAN)}
GAMES[VAEGAN] = partial(VAEGAN, networks=MLPEncoderDecoder((8,)), judge=MLP)


def made(kind, **settings):
    torch.manual_seed(0)
    return GAMES[kind](data_spec=SPEC, **settings).eval()


def losses_at(step, model):
    model.step = step
    return {player.name: float(player.loss(X, Y, BatchNoise("cpu", 0)).detach()) for player in model.players()}


@pytest.mark.parametrize(
    ("kind", "settings", "depend"),
    [
        (GAN, lambda value: {"objective": NonSaturating(real_label=value)}, {"discriminator"}),
        (GAN, lambda value: {"penalties": [R1(value)]}, {"discriminator"}),
        (GAN, lambda value: {"augmentation": InstanceNoise(value)}, {"discriminator", "generator"}),
        (ACGAN, lambda value: {"discriminator_class_weight": value}, {"discriminator"}),
        (ACGAN, lambda value: {"generator_class_weight": value}, {"generator"}),
        (InfoGAN, lambda value: {"information_weight": value}, {"discriminator", "generator"}),
        (UnrolledGAN, lambda value: {"lookahead_rate": value}, {"generator"}),
        (VAEGAN, lambda value: {"objective": NonSaturating(real_label=value)}, {"discriminator"}),
        (VAEGAN, lambda value: {"gamma": value}, {"decoder"}),
    ],
)
def test_a_loss_has_the_value_of_its_step(kind, settings, depend):
    changing = made(kind, **settings(CHANGING))
    found = losses_at(STEP, changing)
    assert found == pytest.approx(losses_at(STEP, made(kind, **settings(CHANGING.at(STEP)))), rel=1e-6)
    earlier = losses_at(0, changing)
    assert {name for name, value in found.items() if abs(value - earlier[name]) > 1e-5} == depend


@dataclass(frozen=True)
class Noted(Minimax):
    """Notes for which steps it is asked."""

    steps: list[int] = field(default_factory=list)

    def at(self, step):
        self.steps.append(step)
        return super().at(step)


def test_the_lookahead_meets_the_objectives_of_the_steps_that_would_follow():
    """And the generator's loss is that of its own step."""
    model = made(UnrolledGAN, objective=Noted(), lookahead=3)
    model.step = STEP
    model.generator_loss(X, Y, BatchNoise("cpu", 0))
    assert model.objective.steps == [STEP + 1, STEP + 2, STEP + 3, STEP]


class Steps(Callback):
    """Notes at which step each loss and each constraint is computed."""

    def on_fit_start(self, trainer, pl_module):
        self.seen = []
        for name in ("discriminator_loss", "generator_loss", "after_update"):
            method = getattr(pl_module, name)
            setattr(pl_module, name, partial(self.noted, pl_module, name, method))

    def noted(self, model, name, method, *arguments):
        self.seen.append((name, model.step))
        return method(*arguments)


@pytest.mark.parametrize("accumulated", [1, 2])
def test_all_players_read_their_settings_at_one_step(accumulated, trainer):
    data, steps = RandomImages(number=64, validation_fraction=0.0), Steps()
    model = GAN(data_spec=data.spec, networks=MLP, discriminator_steps=2)
    trainer(callbacks=[steps], accumulate_grad_batches=accumulated, limit_val_batches=0).fit(model, datamodule=data)
    first = [("discriminator_loss", 0)] * accumulated + [("after_update", 0)]
    second = [("discriminator_loss", 1)] * accumulated + [("after_update", 1)]
    answer = [("generator_loss", 1)] * accumulated + [("after_update", 1)]
    assert steps.seen[: len(first + second + answer)] == first + second + answer


def test_the_count_of_steps_goes_on_with_a_run_and_begins_anew_with_another(trainer, tmp_path):
    data, steps = RandomImages(number=64, validation_fraction=0.0), Steps()
    model = GAN(data_spec=data.spec, networks=MLP)
    runner = trainer(max_steps=3, limit_val_batches=0)
    runner.fit(model, datamodule=data)
    runner.save_checkpoint(tmp_path / "kept.ckpt")
    for path, expected in ((tmp_path / "kept.ckpt", 3), (None, 0)):
        fresh = GAN(data_spec=data.spec, networks=MLP)
        trainer(max_steps=4, max_epochs=2, limit_val_batches=0, callbacks=[steps]).fit(
            fresh, datamodule=data, ckpt_path=path
        )
        assert steps.seen[0] == ("discriminator_loss", expected)
