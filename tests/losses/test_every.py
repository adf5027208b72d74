import pytest
import torch

from genzoo.hyperparameters import as_plain, from_plain
from genzoo.losses.constraints import WeightClipping
from genzoo.losses.every import Every
from genzoo.losses.penalties import R1
from genzoo.noise import BatchNoise
from genzoo.schedules import Linear

ITEMS = torch.arange(12.0).view(3, 1, 2, 2)


def score(x):
    return x.flatten(1).square().sum(1)


def value(penalty):
    return penalty(score, ITEMS, ITEMS, BatchNoise("cpu", 0)).item()


def test_it_acts_at_every_nth_step_and_n_times_as_heavily():
    lazy = Every(R1(0.5), steps=4)
    due = [lazy.at(step) for step in range(9)]
    assert [step for step, penalty in enumerate(due) if penalty is not None] == [0, 4, 8]
    assert value(due[4]) == pytest.approx(4 * value(R1(0.5)))
    # Over the steps its weight is that of the penalty.
    assert sum(value(penalty) for penalty in due[:8] if penalty is not None) == pytest.approx(8 * value(R1(0.5)))


def test_the_penalty_follows_its_schedule():
    lazy = Every(R1(Linear(8.0, 0.0, 8)), steps=4)
    assert [lazy.at(step) for step in (0, 4, 8)] == [Every(R1(gamma), steps=4) for gamma in (8.0, 4.0, 0.0)]


def test_it_is_known_as_what_it_wraps():
    lazy = Every(R1())
    assert (lazy.name, lazy.limits_slope, lazy.steps) == ("R1", True, 16)
    assert from_plain(as_plain(lazy)) == lazy
    assert as_plain(lazy)["init_args"]["penalty"]["init_args"] == {"gamma": 10.0}


@pytest.mark.parametrize("wrong", [Every(R1()), WeightClipping()], ids=str)
def test_what_does_not_act_at_each_step_is_refused(wrong):
    with pytest.raises(ValueError, match=f"acts at each step, such as R1, but got a {type(wrong).__name__};"):
        Every(wrong)
    with pytest.raises(ValueError, match="steps of Every must be at least 1, got 0"):
        Every(R1(), steps=0)
