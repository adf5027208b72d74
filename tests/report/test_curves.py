"""Numbers of a run as curves: whole, cut off, late, thinned."""

import csv
import math

import numpy as np
import pytest

from genzoo.report.curves import Curve, aligned, read_curves, thinned


def test_curves_are_the_columns_of_the_file(tmp_path):
    values = np.random.default_rng(0).normal(size=(5, 2))
    with (tmp_path / "metrics.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", "step", "a", "b"])
        writer.writerows([[0, step, *pair] for step, pair in enumerate(values)])
    curves = read_curves(tmp_path / "metrics.csv")
    for column, name in enumerate("ab"):
        assert curves[name] == Curve([0, 1, 2, 3, 4], values[:, column].tolist())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("epoch,a\n0,1\n", {}),
        ("step,a\n", {}),
        ("step,a\n0,1\n1,2.5", {"a": Curve([0], [1.0])}),
        ("step,a,b\n0,1,\n1,,2\n", {"a": Curve([0], [1.0]), "b": Curve([1], [2.0])}),
        ("step,a,b\n0,1\n1,2,3,4\n", {"a": Curve([0, 1], [1.0, 2.0]), "b": Curve([1], [3.0])}),
        ("step,a\nx,1\n1.5,1\nnan,1\n2,x\n3,4\n", {"a": Curve([3], [4.0])}),
        ("step,a\n5,1\n2,7\n2,8\n", {"a": Curve([2, 5], [8.0, 1.0])}),
        ("step,a\n0,\0\n1,2\n", {"a": Curve([1], [2.0])}),
        ("step,a\n0,-inf\n", {"a": Curve([0], [-math.inf])}),
    ],
)
def test_what_is_no_number_is_left_out(tmp_path, text, expected):
    (tmp_path / "metrics.csv").write_text(text)
    assert read_curves(tmp_path / "metrics.csv") == expected


def test_there_need_be_no_file(tmp_path):
    assert read_curves(tmp_path / "metrics.csv") == {}


def test_curves_on_common_steps_have_gaps_where_there_is_no_number():
    curves = [Curve([0, 2], [1 / 3, math.nan]), Curve([1, 2], [-math.inf, 12345678.0])]
    assert aligned(curves) == ([0, 1, 2], [[0.333333, None, None], [None, None, 12345700.0]])


@pytest.mark.parametrize("most", [4, 50, 51])
def test_a_long_curve_is_thinned_to_its_extremes(most):
    values = np.random.default_rng(0).normal(size=1000)
    values[[123, 777, 500]] = 50.0, -50.0, math.nan
    thin = thinned(Curve([*range(0, 2000, 2)], values.tolist()), most)
    assert 2 <= len(thin.steps) <= most
    assert (thin.steps[0], thin.steps[-1]) == (0, 1998)
    assert {246: 50.0, 1554: -50.0}.items() <= dict(zip(thin.steps, thin.values, strict=True)).items()
    assert [values[step // 2] for step in thin.steps] == thin.values
    assert sorted({*thin.steps}) == thin.steps


def test_a_short_curve_is_left_as_it_is():
    curve = Curve([0, 1, 2], [1.0, 2.0, 3.0])
    assert thinned(curve, 3) is curve
