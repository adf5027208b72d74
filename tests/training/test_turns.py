"""The order of moves against its definition."""

import pytest
import torch

from genzoo.hyperparameters import from_plain
from genzoo.models.gan import GAN
from genzoo.networks.mlp import MLPPlayers
from genzoo.schedules.schedule import Cosine, Linear
from genzoo.training.model import GenerativeModel
from genzoo.training.turns import Turns
from tests.conftest import RandomImages

LAST = 60


def answers(k):
    """t_0 = 0, t_(i + 1) = t_i + k(t_i)."""
    found, step = [], 0
    while step < LAST:
        step += k(step)
        found.append(step)
    return found


@pytest.mark.parametrize("steps", [1, 4, Linear(1.0, 9.0, 40), Cosine(6.0, 1.0, 20), Linear(0.6, 2.5, 7)])
def test_answers_are_k_updates_apart(steps):
    turns = Turns(steps)
    expected = answers(lambda step: steps if isinstance(steps, int) else round(steps.at(step)))
    assert [step for step in range(1, LAST) if turns.answers_after(step)] == [t for t in expected if t < LAST]
    # Asked in any order, as by runs that go on or begin anew, it says the same.
    for step in torch.randperm(LAST, generator=torch.Generator().manual_seed(0)).tolist():
        assert Turns(steps).answers_after(step + 1) == turns.answers_after(step + 1) == (step + 1 in expected)


@pytest.mark.parametrize("steps", [0, Linear(3.0, 0.4, 10)])
def test_less_than_one_is_refused(steps):
    with pytest.raises(ValueError, match="discriminator_steps must be at least 1"):
        Turns(steps)


def test_a_schedule_is_kept_in_checkpoints(trainer, tmp_path):
    data = RandomImages(number=36, batch_size=16)
    schedule = Linear(start=3.0, end=1.0, steps=5)
    model = GAN(data_spec=data.spec, networks=MLPPlayers((8,), (8,)), discriminator_steps=schedule)
    runner = trainer()
    runner.fit(model, datamodule=data)
    runner.save_checkpoint(tmp_path / "a.ckpt")
    loaded = GenerativeModel.load_from_checkpoint(tmp_path / "a.ckpt")
    assert loaded.turns.steps == from_plain(model.hparams["discriminator_steps"]) == schedule
