import numpy as np
import pytest

from genzoo.subsets import (
    Purpose,
    choose_balanced,
    choose_by_draw,
    choose_proportional,
    choose_some,
    count_of,
    draws_of,
    require_fraction,
    shuffled,
)


def labels_of(*sizes):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return labels[shuffled(len(labels), 7)]


def test_a_shuffle_is_a_permutation_that_is_a_function_of_its_counters():
    assert sorted(shuffled(100, 3, 1)) == list(range(100))
    assert shuffled(100, 3, 1).tolist() == shuffled(100, 3, 1).tolist()
    assert shuffled(100, 3, 1).tolist() != shuffled(100, 3, 2).tolist()
    assert shuffled(0, 3).tolist() == []


@pytest.mark.parametrize("labels", [np.arange(1000) // 100, np.arange(1000) % 10, np.arange(1000) % 2])
@pytest.mark.parametrize("count", [100, 101, 201, 500])
def test_a_choice_has_all_classes_whatever_their_order(labels, count):
    chosen = choose_some(1000, count)
    assert len(set(chosen)) == count
    assert chosen.tolist() == sorted(chosen)
    counts, expected = np.bincount(labels[chosen]), count / (labels.max() + 1)
    assert abs(counts - expected).max() < 4 * expected**0.5
    assert set(chosen) <= set(choose_some(1000, 600))


def test_no_more_are_chosen_than_there_are():
    assert choose_some(5, 9).tolist() == [0, 1, 2, 3, 4]
    assert choose_some(5, 0).tolist() == choose_some(0, 5).tolist() == []


def test_a_shuffle_never_changes():
    assert shuffled(10, 0, 1).tolist() == [1, 9, 4, 8, 5, 7, 2, 0, 6, 3]


@pytest.mark.parametrize(
    ("sizes", "count", "chosen"),
    [
        ((50, 50, 50), 30, [10, 10, 10]),
        ((50, 50, 50), 32, [11, 11, 10]),
        ((50, 3, 50), 43, [20, 3, 20]),
        ((50, 3, 50), 103, [50, 3, 50]),
        ((5,), 2, [2]),
    ],
)
def test_a_balanced_choice_takes_equally_many_of_each_class(sizes, count, chosen):
    labels = labels_of(*sizes)
    assert np.bincount(labels[choose_balanced(labels, count, 0)]).tolist() == chosen


@pytest.mark.parametrize(
    ("sizes", "count", "chosen"),
    [
        ((100, 100), 20, [10, 10]),
        ((100, 100), 21, [11, 10]),
        ((100, 300), 40, [10, 30]),
        ((10, 90, 200), 30, [1, 9, 20]),
    ],
)
def test_a_proportional_choice_keeps_the_shares_of_the_classes(sizes, count, chosen):
    labels = labels_of(*sizes)
    assert np.bincount(labels[choose_proportional(labels, count, 0)]).tolist() == chosen


@pytest.mark.parametrize("choose", [choose_balanced, choose_proportional])
def test_choices_are_ascending_seeded_and_nested(choose):
    labels = labels_of(40, 40, 40)
    chosen = choose(labels, 60, 0)
    assert len(chosen) == 60
    assert (np.diff(chosen) > 0).all()
    assert chosen.tolist() == choose(labels, 60, 0).tolist()
    assert chosen.tolist() != choose(labels, 60, 1).tolist()
    assert set(choose(labels, 20, 0)) < set(chosen)


def test_a_choice_is_spread_over_the_data():
    labels = np.zeros(10_000, np.int64)
    assert abs(choose_balanced(labels, 1000, 0).mean() - 5000) < 300


def test_draws_never_change_and_differ_by_purpose():
    assert draws_of(["a/1.png"], Purpose.TEST)[0] == pytest.approx(0.486543153348926, abs=1e-12)
    names = [f"{number}.png" for number in range(10_000)]
    test, validation = draws_of(names, Purpose.TEST), draws_of(names, Purpose.VALIDATION)
    assert abs(np.corrcoef(test, validation)[0, 1]) < 0.05
    assert np.histogram(test, 10, (0, 1))[0].min() > 900


def test_a_choice_by_draw_depends_on_no_other_image():
    labels, draws = labels_of(50, 30), draws_of(map(str, range(80)), Purpose.TEST)
    chosen = choose_by_draw(labels, draws, 0.2)
    assert chosen.tolist() == np.flatnonzero(draws < 0.2).tolist()
    for gone in range(80):
        others = np.delete(np.arange(80), gone)
        assert others[choose_by_draw(labels[others], draws[others], 0.2)].tolist() == [n for n in chosen if n != gone]


@pytest.mark.parametrize(
    ("sizes", "draws", "fraction", "chosen"),
    [
        ((10, 2), [0.9] * 9 + [0.8, 0.05, 0.7], 0.1, [9, 10]),  # the lowest of a class that is large enough
        ((2, 2), [0.9, 0.8, 0.7, 0.6], 0.1, [3]),  # at least one of all
        ((2, 1), [0.05, 0.01, 0.02], 0.1, [1]),  # never all of a class
        ((1,), [0.01], 0.1, []),
        ((3,), [0.0, 0.5, 0.9], 0.0, []),
        ((), [], 0.5, []),
    ],
)
def test_no_class_gives_nothing_or_all(sizes, draws, fraction, chosen):
    labels = np.repeat(np.arange(len(sizes)), np.array(sizes, int))
    assert choose_by_draw(labels, np.array(draws, float), fraction).tolist() == chosen


def test_a_fraction_of_something_is_at_least_one():
    assert [count_of(0.0, 10), count_of(0.01, 10), count_of(0.5, 10), count_of(0.5, 0)] == [0, 1, 5, 0]


@pytest.mark.parametrize("value", [-0.1, 1.0, 1.5, float("nan")])
def test_a_fraction_out_of_range_is_refused_by_name(value):
    with pytest.raises(ValueError, match=r"test_fraction is .*at least 0 and less than 1"):
        require_fraction("test_fraction", value)
