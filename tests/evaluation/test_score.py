import doctest
import json
import math

import pytest

from genzoo.evaluation import Score, score
from genzoo.evaluation.score import score_table


def test_it_survives_json():
    score = Score("fd/mine", 3.25, 0.5, False, {"seed": 1, "split": "test", "weights": "averaged", "resize": None})
    assert Score.from_json(score.to_json()) == score


def test_what_is_no_number_is_null_in_json():
    text = Score("psnr", math.inf, math.nan).to_json()
    assert json.loads(text)["value"] is None
    assert math.isnan(Score.from_json(text).value)
    with pytest.raises(ValueError, match="expected the JSON of a score, got 'nonsense'"):
        Score.from_json("nonsense")


def test_the_table_has_floors_and_what_protocols_share():
    scores = [
        Score("fd/mine", 3.254321, 0.5, False, {"seed": 1, "samples": 10}),
        Score("precision", 0.9, None, True, {"seed": 1, "samples": 20}),
    ]
    table = score_table(scores)
    assert "| fd/mine | 3.254 | 0.5 | low |" in table
    assert "| precision | 0.9 |  | high |" in table
    assert "seed: 1" in table
    assert "samples" not in table


def test_examples_run():
    found = doctest.testmod(score)
    assert (found.failed, found.attempted > 3) == (0, True)
