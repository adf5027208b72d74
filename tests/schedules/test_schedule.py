"""Schedules against closed forms, and settings that follow them."""

import math
from dataclasses import dataclass
from functools import partial

import pytest

from genzoo.augmentations.diff_augment import DiffAugment
from genzoo.augmentations.in_turn import InTurn
from genzoo.hyperparameters import as_plain, from_plain
from genzoo.losses.penalties import R1, R2, GradientPenalty
from genzoo.schedules.schedule import (
    Cosine,
    HalfLife,
    Linear,
    at_step,
    extremes_of,
    schedules_within,
    value_at,
)


@pytest.mark.parametrize(("start", "end"), [(2.0, 10.0), (10.0, 2.0), (3.0, 3.0)])
def test_both_ramps_have_the_values_of_their_formulas(start, end):
    linear, cosine = Linear(start, end, 8), Cosine(start, end, 8)
    for step in range(9):
        assert linear.at(step) == pytest.approx(start + (end - start) * step / 8)
        assert cosine.at(step) == pytest.approx(end + (start - end) * (1 + math.cos(math.pi * step / 8)) / 2)
    for schedule in (linear, cosine):
        assert schedule.at(0) == start
        assert schedule.at(8) == schedule.at(9) == schedule.at(10**9) == pytest.approx(end, abs=1e-12)
        assert extremes_of(schedule) == (min(start, end), max(start, end))


def test_a_number_is_the_same_at_every_step():
    assert value_at(0.3, 0) == value_at(0.3, 1000) == 0.3
    assert extremes_of(0.3) == (0.3, 0.3)


def test_settings_take_the_values_of_a_step():
    penalty = R1(Linear(4.0, 0.0, 100))
    assert at_step(penalty, 0) == R1(4.0)
    assert at_step(penalty, 25) == R1(3.0)
    assert at_step(penalty, 200) == R1(0.0)
    assert schedules_within("R1", penalty) == {"R1.gamma": Linear(4.0, 0.0, 100)}


@dataclass(frozen=True)
class Settled:
    weight: float = 1.0


@pytest.mark.parametrize("settings", [R1(2.0), Settled(), 3.0, None], ids=str)
def test_settings_without_schedules_stay_the_same_object(settings):
    assert at_step(settings, 5) is settings
    assert schedules_within("settings", settings) == {}


def test_they_are_plain_data_in_checkpoints():
    penalty = GradientPenalty(Cosine(10.0, 1.0, 500))
    assert from_plain(as_plain(penalty)) == penalty


@pytest.mark.parametrize("steps", [0, -1, 2.5, True])
def test_a_ramp_takes_a_whole_number_of_steps(steps):
    with pytest.raises(ValueError, match=r"steps of Linear must be .*got"):
        Linear(0.0, 1.0, steps)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_its_ends_are_finite(value):
    with pytest.raises(ValueError, match="end of Cosine must be finite, got"):
        Cosine(0.0, value, 10)


def test_a_weight_that_would_become_negative_is_refused():
    with pytest.raises(ValueError, match="gamma of R1 must be finite and not negative"):
        R1(Linear(1.0, -1.0, 10))


@pytest.mark.parametrize("half_life", [0.5, 1.0, 1000.0])
def test_a_value_of_a_half_life_ago_counts_half_as_much(half_life):
    decay = HalfLife(half_life).at(7)
    assert decay**half_life == pytest.approx(0.5)
    assert extremes_of(HalfLife(half_life)) == (decay, decay)


def test_a_half_life_may_grow():
    growing = HalfLife(Linear(1.0, 9.0, 4))
    for step in range(6):
        assert growing.at(step) ** min(1.0 + 2.0 * step, 9.0) == pytest.approx(0.5)
    assert extremes_of(growing) == (0.5, growing.at(4))
    assert from_plain(as_plain(growing)) == growing


@pytest.mark.parametrize("steps", [0.0, -1.0, math.inf, Linear(1.0, 0.0, 5)])
def test_a_half_life_that_is_none_is_refused(steps):
    with pytest.raises(ValueError, match="steps of HalfLife must be finite and more than 0, got"):
        HalfLife(steps)


def test_schedules_are_found_however_deep_they_lie():
    first, second = Linear(0.0, 1.0, 5), HalfLife(Linear(1.0, 2.0, 5))
    settings = [R1(first), R2(), InTurn([DiffAugment(probability=second)]), R1(second), 3]
    assert schedules_within("a", settings) == {
        "a.R1.gamma": first,
        "a.InTurn.augmentations.DiffAugment.probability": second,
        "a.R1_2.gamma": second,
    }
    assert schedules_within("b", second) == {"b": second}
    assert schedules_within("c", partial(R1, gamma=first)) == {"c.gamma": first}
    for nothing in (0.5, None, "x", R1, {"start": 1.0}):
        assert schedules_within("d", nothing) == {}


@pytest.mark.parametrize("ramp", [Linear, Cosine])
def test_a_ramp_ends_at_its_end_to_the_last_bit(ramp):
    schedule = ramp(start=0.1, end=1e-20, steps=2)
    assert (schedule.at(0), schedule.at(2), schedule.at(5)) == (0.1, 1e-20, 1e-20)
