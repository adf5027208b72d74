"""Runs that version 0.1.0 has made, with averaged weights (VAE) and after a resume (DCGAN): they stay of use.

Each was trained with torch 2.6 on 64 images, logged at every step; its folder is as the run left it, but for some
pictures.
"""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genzoo.cli import main
from genzoo.drawing import grid
from genzoo.training.model import GenerativeModel

FIXTURES = Path(__file__).parent / "fixtures" / "runs_of_0_1"
RUNS = ["vae", "dcgan"]


@pytest.fixture
def runs(working_folder):
    """A copy of the runs in the working folder."""
    return Path(shutil.copytree(FIXTURES, working_folder / "runs"))


def steps_of(run):
    with (run / "metrics.csv").open() as file:
        return [int(row["step"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize("name", RUNS)
def test_a_model_draws_the_samples_that_its_run_has_drawn(runs, name):
    run = runs / name / "earlier"
    model = GenerativeModel.load_from_checkpoint(run / "checkpoints" / "last.ckpt")
    drawn = grid(model.sample(8, seed=0), model.data_spec, columns=4).astype(int)
    last = sorted((run / "images").glob("samples_epoch_*.png"))[-1]
    # Another version of torch may round a value to the next grey level.
    assert np.abs(drawn - np.asarray(Image.open(last))).max() <= 1


@pytest.mark.parametrize("name", RUNS)
def test_a_run_goes_on_and_is_tested(runs, name):
    run = runs / name / "earlier"
    before = steps_of(run)
    assert main(["fit", str(run), "--trainer.max_epochs", "4", "--trainer.enable_progress_bar", "false"]) == 0
    assert steps_of(run)[: len(before)] == before
    assert max(steps_of(run)) == 15
    assert (run / "images" / "samples_epoch_0004.png").is_file()
    groups = "[]" if name == "dcgan" else "[reconstruction]"
    few = ["--data.subset", "64", "--trainer.enable_progress_bar", "false", "--evaluation.groups", groups]
    assert main(["test", str(run), *few]) == 0


def test_the_config_of_a_resumed_run_begins_a_new_one(runs):
    config = runs / "dcgan" / "earlier" / "config.yaml"
    assert "last.ckpt" in config.read_text()
    assert main(["fit", "--config", str(config), "--run.name", "again", "--trainer.enable_progress_bar", "false"]) == 0
    assert steps_of(runs / "dcgan" / "again")[:2] == [0, 1]
