"""Scores while training goes on: logged, monitored, within their budget, and skipped where there are too few."""

import time

import pytest
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping
from lightning.pytorch.strategies import SingleDeviceStrategy

from genzoo.callbacks.checkpoints import Checkpoints
from genzoo.callbacks.sample_scores import SampleScores
from genzoo.cli import main
from genzoo.data.digits import Digits
from genzoo.data.points import GaussianMixture2D
from genzoo.models.gan import GAN
from genzoo.networks.mlp import MLPPlayers
from tests.conftest import RandomImages

PLAYERS = MLPPlayers((8,), (8,))


def fit(trainer, scores, epochs=3, data=None, model_class=GAN, **settings):
    data = data or Digits(image_size=8, validation_fraction=0.2)
    torch.manual_seed(0)
    model = model_class(data_spec=data.spec, networks=PLAYERS)
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


class Slow(GAN):
    """Takes two milliseconds for each sample, and counts them."""

    drawn = 0

    def sample(self, number, y=None, seed=None, weights=None):
        time.sleep(0.002 * number)
        self.drawn += number
        return super().sample(number, y, seed, weights)


class Waits(Callback):
    """Makes each epoch of training longer."""

    def __init__(self, seconds):
        self.seconds = seconds

    def on_train_epoch_end(self, trainer, pl_module):
        time.sleep(self.seconds)


def scored_epochs(name="val/fd/digits"):
    """Notes the score that is logged after each epoch."""

    class Notes(Callback):
        def __init__(self):
            self.logged = []

        def on_train_epoch_end(self, trainer, pl_module):
            self.logged.append(None if name not in trainer.callback_metrics else float(trainer.callback_metrics[name]))

    return Notes()


def test_a_first_score_that_a_short_run_cannot_afford_is_not_computed(trainer, tmp_path, caplog):
    best = Checkpoints(dirpath=tmp_path / "run", monitor="val/fd/digits", filename="best", save_top_k=1)
    scores, notes = SampleScores(), scored_epochs()
    with caplog.at_level("INFO"):
        _, model = fit(trainer, scores, callbacks=[best, notes], enable_checkpointing=True, model_class=Slow)
    assert scores.times_scored == 0
    # A score takes 288.
    assert model.drawn <= 32
    assert notes.logged == [None] * 3
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["last.ckpt"]
    said = [record.getMessage() for record in caplog.records if "samples were" in record.getMessage()]
    assert len(said) == 1
    assert "genzoo: samples were not scored, since that takes about" in said[0]
    assert "no checkpoint is known to be the best by val/fd/digits; train longer, or give SampleScores" in said[0]


def test_who_keeps_all_checkpoints_has_those_from_before_the_first_score_too(trainer, tmp_path):
    every = Checkpoints(dirpath=tmp_path / "run", monitor="val/fd/digits", filename="{epoch}", save_top_k=-1)
    fit(trainer, SampleScores(budget=1e-9), callbacks=[every], enable_checkpointing=True)
    kept = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert kept == ["epoch=0.ckpt", "epoch=1.ckpt", "epoch=2.ckpt", "last.ckpt"]


def test_scores_are_computed_once_their_share_of_the_time_is_their_own(trainer, tmp_path, caplog):
    best = Checkpoints(dirpath=tmp_path / "run", monitor="val/fd/digits", filename="best", save_top_k=1)
    scores, notes = SampleScores(budget=0.3, number=100), scored_epochs()
    with caplog.at_level("INFO"):
        fit(trainer, scores, 8, callbacks=[best, notes, Waits(0.3)], enable_checkpointing=True, model_class=Slow)
    assert 1 <= scores.times_scored < 8
    assert notes.logged[0] is None
    assert notes.logged[-1] is not None
    assert (tmp_path / "run" / "best.ckpt").is_file()
    said = next(record.getMessage() for record in caplog.records if "samples were scored" in record.getMessage())
    assert float(said.split(" in ")[1].split("%")[0]) < 40.0


def test_callbacks_that_cannot_wait_get_the_first_score_at_once_and_later_epochs_keep_it(trainer):
    scores, notes = SampleScores(budget=1e-9), scored_epochs()
    stopping = EarlyStopping(monitor="val/fd/digits", patience=2)
    fit(trainer, scores, epochs=5, callbacks=[stopping, notes])
    assert scores.times_scored == 1
    # The score of before is no improvement.
    assert len(notes.logged) == 3
    assert len(set(notes.logged)) == 1


def test_a_score_in_other_features_is_not_monitored(trainer, tmp_path):
    best = Checkpoints(dirpath=tmp_path, monitor="val/fd/digit", filename="best", save_top_k=1)
    with pytest.raises(ValueError, match="val/fd/digit is monitored, but SampleScores has val/coverage/digits, "):
        fit(trainer, SampleScores(), callbacks=[best], enable_checkpointing=True)


def test_devices_score_together_or_not_at_all(trainer, monkeypatch):
    asked = []

    def another_device_has_no_time(self, decision, all=True):
        asked.append(decision)
        return False

    monkeypatch.setattr(SingleDeviceStrategy, "reduce_boolean_decision", another_device_has_no_time)
    scores = SampleScores(budget=1.0)
    fit(trainer, scores)
    assert asked == [True] * 3
    assert scores.times_scored == 0


def test_a_distance_that_can_never_be_told_is_not_monitored(trainer, tmp_path):
    best = Checkpoints(dirpath=tmp_path, monitor="val/fd/digits", filename="best", save_top_k=1)
    message = (
        "val/fd/digits is monitored, but needs 64 samples and as many held-out images, where there are 10 and 288; "
        "raise these numbers, or monitor val/coverage/digits"
    )
    with pytest.raises(ValueError, match=message):
        fit(trainer, SampleScores(number=10), callbacks=[best], enable_checkpointing=True)


def test_another_fit_is_scored_anew(trainer):
    scores = SampleScores(budget=1.0)
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
    scores = ["--trainer.callbacks", "SampleScores", "--trainer.callbacks.budget", "1"]
    scores += ["--trainer.logger", "genzoo.loggers.CSVLogger"]
    assert main(["fit", *model, *quick, *scores, *monitor, "--run.name", "run"]) == 0
    folder = working_folder / "runs" / "gan" / "run"
    assert (folder / "checkpoints" / "best.ckpt").is_file()
    assert "val/fd/digits" in (folder / "metrics.csv").read_text()


@pytest.mark.parametrize("settings", [{"number": 0}, {"budget": 0.0}, {"budget": 1.5}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ValueError, match=r"of SampleScores (must|should) be"):
        SampleScores(**settings)
