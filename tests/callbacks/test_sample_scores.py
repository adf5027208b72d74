"""Scores while training goes on: logged, monitored, within their budget, and skipped where there are too few."""

import time

import pytest
import torch

from genzoo.callbacks.checkpoints import Checkpoints
from genzoo.callbacks.sample_scores import SampleScores
from genzoo.cli import main
from genzoo.data.digits import Digits
from genzoo.data.points import GaussianMixture2D
from genzoo.models.gan import GAN
from genzoo.networks.mlp import MLPPlayers
from tests.conftest import RandomImages

PLAYERS = MLPPlayers((8,), (8,))


def fit(trainer, scores, epochs=3, data=None, **settings):
    data = data or Digits(image_size=8, validation_fraction=0.2)
    torch.manual_seed(0)
    model = GAN(data_spec=data.spec, networks=PLAYERS)
    runner = trainer(max_epochs=epochs, callbacks=[scores, *settings.pop("callbacks", [])], **settings)
    runner.fit(model, datamodule=data)
    return runner, model


def test_the_best_checkpoint_can_be_chosen_by_them(trainer, tmp_path):
    name = "val/fd/digits"
    best = Checkpoints(dirpath=tmp_path / "best", monitor=name, filename="best", save_on_train_epoch_end=True)
    runner, _ = fit(trainer, SampleScores(budget=1.0), callbacks=[best], enable_checkpointing=True)
    assert {name, "val/precision/digits", "val/coverage/digits"} <= runner.callback_metrics.keys()
    assert (tmp_path / "best" / "best.ckpt").is_file()
    assert best.best_model_score <= runner.callback_metrics[name] + 1e-6


def test_they_do_not_disturb_training(trainer):
    _, scored = fit(trainer, SampleScores(budget=1.0))
    _, alone = fit(trainer, SampleScores(budget=1e-9), limit_val_batches=0)
    assert all(torch.equal(a, b) for a, b in zip(scored.parameters(), alone.parameters(), strict=True))


def test_a_budget_that_is_used_up_keeps_the_scores_of_before(trainer, monkeypatch):
    calls = []

    def slow(self, model, extractor, real):
        calls.append(model.trainer.current_epoch)
        time.sleep(0.3)
        return {"fd/digits": float(len(calls))}

    monkeypatch.setattr(SampleScores, "_scores", slow)
    scores = SampleScores(budget=0.01)
    runner, _ = fit(trainer, scores, epochs=4)
    assert calls == [0]
    assert float(runner.callback_metrics["val/fd/digits"]) == 1.0
    calls.clear()
    fit(trainer, SampleScores(budget=1.0), epochs=4)
    assert calls == [0, 1, 2, 3]


def test_another_fit_is_scored_anew(trainer):
    scores = SampleScores(budget=1e-9)
    for _ in range(2):
        runner, _ = fit(trainer, scores, epochs=1)
        assert scores.times_scored == 1
        assert "val/fd/digits" in runner.callback_metrics
    points = GaussianMixture2D(training_points=200, test_points=10, validation_fraction=0.2)
    runner, _ = fit(trainer, scores, epochs=1, data=points)
    assert "val/fd/digits" not in runner.callback_metrics


def test_too_few_images_skip_the_score_with_one_line(trainer, caplog):
    with caplog.at_level("INFO"):
        runner, _ = fit(trainer, SampleScores(number=10, budget=1.0))
    lines = [record.getMessage() for record in caplog.records if "samples are not scored" in record.getMessage()]
    assert len(lines) == 1
    assert "10 generated samples, but needs at least 64" in lines[0]
    assert "val/fd/digits" not in runner.callback_metrics
    assert "val/precision/digits" in runner.callback_metrics


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (RandomImages(), "no extractor is embedded for RandomImages; give SampleScores one"),
        (Digits(image_size=8, validation_fraction=0.0), "there are none; set validation_fraction"),
    ],
)
def test_what_cannot_be_scored_is_refused_before_training(data, message, trainer):
    with pytest.raises(ValueError, match=message):
        fit(trainer, SampleScores(), data=data)


def test_the_command_line_takes_them_as_a_callback(working_folder):
    model = [
        "--model",
        "GAN",
        "--model.networks.generator_features",
        "[8]",
        "--data",
        "Digits",
        "--data.image_size",
        "8",
    ]
    quick = ["--trainer.max_epochs", "1", "--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false"]
    monitor = ["--checkpoint.monitor", "val/fd/digits", "--checkpoint.save_top_k", "1", "--checkpoint.filename", "best"]
    scores = ["--trainer.callbacks", "SampleScores", "--trainer.logger", "genzoo.loggers.CSVLogger"]
    assert main(["fit", *model, *quick, *scores, *monitor, "--run.name", "run"]) == 0
    folder = working_folder / "runs" / "gan" / "run"
    assert (folder / "checkpoints" / "best.ckpt").is_file()
    assert "val/fd/digits" in (folder / "metrics.csv").read_text()


@pytest.mark.parametrize("settings", [{"number": 0}, {"budget": 0.0}, {"budget": 1.5}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ValueError, match=r"of SampleScores (must|should) be"):
        SampleScores(**settings)
