"""The page that a run writes when it ends: also when it was stopped, and never at its cost."""

import json

import pytest
import torch

from genzoo.callbacks import report as module
from genzoo.callbacks.interruption import RunInterruptedError
from genzoo.callbacks.report import Report
from genzoo.cli import main
from genzoo.models import AutoEncoder
from genzoo.networks.mlp import MLPEncoderDecoder
from tests.conftest import RandomImages
from tests.report.made import Page

SMALL = [
    *("--model", "AutoEncoder", "--model.networks.hidden_features", "[8]"),
    *("--data", "FashionMNISTMini", "--data.subset", "200", "--data.batch_size", "32"),
    *("--trainer.limit_train_batches", "2", "--trainer.limit_val_batches", "1", "--trainer.log_every_n_steps", "1"),
    *("--trainer.logger", "CSVLogger", "--trainer.enable_progress_bar", "false", "--trainer.accelerator", "cpu"),
]


@pytest.mark.usefixtures("working_folder")
def test_training_and_its_test_write_pages(working_folder):
    assert main(["fit", *SMALL, "--trainer.max_epochs", "2", "--run.name", "first"]) == 0
    run = working_folder / "runs" / "autoencoder" / "first"
    page = Page((run / "report.html").read_text())
    assert page.row("epochs") == ["2 of 2"]
    assert page.row("steps") == ["4"]
    assert page.row("device") == ["1 x CPU"]
    assert "time taken" in page.shown
    kept = json.loads((run / "training.json").read_text())
    assert (kept["steps"], kept["epochs"]) == (4, 2)
    assert kept["seconds"] > 0.0
    assert torch.__version__.partition("+")[0] in page.row("versions")[0]
    assert "None was raised." in page.shown

    assert main(["test", str(run), "--evaluation.groups", "[reconstruction]", "--trainer.limit_test_batches", "1"]) == 0
    tested = Page((run.with_name("first_test") / "report.html").read_text())
    refreshed = Page((run / "report.html").read_text())
    (name, *_) = (score["name"] for score in json.loads((run.with_name("first_test") / "scores.json").read_text()))
    assert tested.row(name) == refreshed.row(name)
    assert "time taken" in refreshed.shown


@pytest.fixture
def folder(tmp_path):
    """What looks like the folder of a run."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.yaml").write_text("seed_everything: 3\n")
    (folder / "metrics.csv").write_text("step,train/loss\n0,1\n")
    return folder


@pytest.fixture
def train(trainer, folder):
    """Trains a few steps in the folder."""

    def run(*callbacks, **settings):
        data = RandomImages()
        model = AutoEncoder(data_spec=data.spec, networks=MLPEncoderDecoder((8,)))
        own = {"callbacks": [Report(), *callbacks], "limit_train_batches": 1, "default_root_dir": folder}
        trainer(**own, **settings).fit(model, datamodule=data)

    return run


class Stops(module.Callback):
    """Ends training as Ctrl-C does."""

    def on_train_batch_end(self, *_):
        raise RunInterruptedError(2, 1, "")


def test_a_run_that_was_stopped_has_its_page(train, folder):
    with pytest.raises(RunInterruptedError):
        train(Stops())
    assert Page((folder / "report.html").read_text()).row("seed") == ["3"]
    assert json.loads((folder / "training.json").read_text())["epochs"] == 0


def test_a_page_that_fails_costs_one_line(train, folder, monkeypatch):
    (folder / "report.html").mkdir()
    with pytest.warns(UserWarning, match="the page of the run could not be written") as caught:
        train()
    assert sum("the page of the run" in str(warning.message) for warning in caught) == 1


def test_a_run_that_keeps_nothing_has_no_page(train, folder):
    (folder / "metrics.csv").unlink()
    train()
    (folder / "metrics.csv").touch()
    train(fast_dev_run=True)
    assert not (folder / "report.html").exists()
    assert not (folder / "training.json").exists()
