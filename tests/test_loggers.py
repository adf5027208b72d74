import csv
import json
import logging
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import wandb
from lightning.pytorch.loggers import TensorBoardLogger
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from genzoo.loggers import CSVLogger, WandbLogger, log_histogram, log_table
from tests.conftest import read_wandb_run, wandb_config, wandb_values


def test_csv_goes_to_the_run_folder_alone(tmp_path):
    folder = tmp_path / "run"
    logger = CSVLogger()
    logger.place(folder)
    logger.log_hyperparams({"a": 1})
    logger.log_metrics({"x": 1.0}, 0)
    logger.log_metrics({"y": 2.0}, 1)
    logger.save()
    assert [path.name for path in folder.iterdir()] == ["metrics.csv"]
    with (folder / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["step"], row["x"], row["y"]) for row in rows] == [("0", "1.0", ""), ("1", "", "2.0")]


@pytest.fixture
def choosing(monkeypatch):
    """A logger whose wandb.init only tells what it was called with."""
    calls = []

    def init(**settings):
        calls.append(settings)
        if unreachable and settings["mode"] == "online":
            raise wandb.errors.CommError("no route to host")
        return SimpleNamespace(
            id="id", project=settings["project"], entity="", name=settings["name"], url="https://wandb.ai/x"
        )

    unreachable = []
    monkeypatch.setattr(wandb, "init", init)
    monkeypatch.setattr(wandb, "run", None)
    monkeypatch.setattr(wandb, "setup", lambda settings: None)
    return calls, unreachable


def modes(calls):
    return [call["mode"] for call in calls]


def test_without_a_login_the_run_is_kept_offline_without_a_prompt(choosing, tmp_path, monkeypatch):
    calls, _ = choosing
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("prompted"))
    logger = WandbLogger()
    logger.place(tmp_path / "name")
    _ = logger.experiment
    assert modes(calls) == []
    assert logger.experiment.name == "name"
    assert modes(calls) == ["offline"]
    assert (calls[0]["dir"], calls[0]["name"], calls[0]["project"]) == (str(tmp_path / "name"), "name", "genzoo")


def test_with_a_login_the_run_is_uploaded(choosing, monkeypatch):
    calls, _ = choosing
    monkeypatch.setattr(wandb, "login", lambda prompt, verify: True)
    _ = WandbLogger().experiment
    assert modes(calls) == ["online"]


def test_a_server_out_of_reach_does_not_stop_the_run(choosing, monkeypatch):
    calls, unreachable = choosing
    unreachable.append(True)
    monkeypatch.setattr(wandb, "login", lambda prompt, verify: True)
    with pytest.warns(UserWarning, match="could not be reached"):
        _ = WandbLogger().experiment
    assert modes(calls) == ["online", "offline"]


def test_a_broken_key_does_not_stop_the_run(choosing, monkeypatch):
    calls, _ = choosing
    monkeypatch.setenv("WANDB_API_KEY", "short")
    with pytest.warns(UserWarning, match="refuses its credentials"):
        _ = WandbLogger().experiment
    assert modes(calls) == ["offline"]


def test_a_chosen_mode_is_kept_and_the_environment_decides_for_auto(choosing, monkeypatch):
    calls, _ = choosing
    monkeypatch.setenv("WANDB_MODE", "disabled")
    _ = WandbLogger(mode="offline").experiment
    _ = WandbLogger().experiment
    assert modes(calls) == ["offline", "disabled"]


def test_an_offline_run_holds_config_scalars_and_pictures_exactly_as_given(tmp_path):
    logger = WandbLogger()
    logger.place(tmp_path)
    logger.log_config({"model": {"class_path": "VAE"}, "trainer": {"max_epochs": 3}})
    logger.log_hyperparams({"latent_dim": 5})
    for step, bound in enumerate((-3.0, -1.0, -2.0), 2):
        logger.log_metrics({"val/elbo": bound, "val/fd/digits": -bound, "val/kl": -bound}, step)
    logger.log_metrics({"train/loss": 1.5}, 4)
    log_histogram(logger, "val/divergences", np.array([0.0, 0.1, 2.0], np.float32), 4)
    picture = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    logger.log_image(key="pictures/samples", images=[picture], step=4)
    logger.experiment.finish()

    (png,) = tmp_path.glob("wandb/offline-run-*/files/media/images/pictures/*.png")
    assert np.array_equal(np.asarray(Image.open(png)), picture)
    records = read_wandb_run(next(tmp_path.glob("wandb/offline-run-*/run-*.wandb")))
    config, history, summary = wandb_config(records), {}, {}
    for record in records:
        history = wandb_values(record.history.item) | history
        summary |= wandb_values(record.summary.update)
    assert config["model"] == {"class_path": "VAE"}
    assert config["trainer"] == {"max_epochs": 3}
    assert "latent_dim" not in config
    assert history["train/loss"] == 1.5
    assert history["trainer/global_step"] == 2
    assert history["val/divergences"]["_type"] == "histogram"
    assert sum(history["val/divergences"]["values"]) == 3
    assert (history["val/divergences"]["bins"][0], history["val/divergences"]["bins"][-1]) == (0.0, 2.0)
    assert summary["val/elbo"] == {"max": -1.0, "last": -2.0}
    assert summary["val/fd/digits"] == {"min": 1.0, "last": 2.0}
    assert summary["val/kl"] == 2.0


def test_uploaded_checkpoints_are_called_last_and_best_and_say_what_data_they_come_from(tmp_path):
    logger = WandbLogger(log_model=True, mode="offline")
    logger.place(tmp_path)
    logger.log_data("Digits", {"identity": "abc"})
    log_table(logger, "scores", {"score": ["nll", "fd"], "value": [2.5, 1.0], "real data": [None, 0.5]}, 7)
    (tmp_path / "last.ckpt").write_bytes(b"last")
    (tmp_path / "best.ckpt").write_bytes(b"best")
    checkpoints = SimpleNamespace(
        last_model_path=str(tmp_path / "last.ckpt"),
        best_model_path=str(tmp_path / "best.ckpt"),
        best_k_models={},
        current_score=None,
        best_model_score=torch.tensor(3.0),
        monitor="val/nll",
        save_top_k=1,
    )
    for _ in range(2):
        logger.after_save_checkpoint(checkpoints)
    logger.finalize("success")
    logger.finalize("success")
    logger.experiment.finish()
    records = read_wandb_run(next(tmp_path.glob("wandb/offline-run-*/run-*.wandb")))
    logged = [record.request.log_artifact.artifact for record in records if record.request.HasField("log_artifact")]
    logged += [record.artifact for record in records if record.HasField("artifact")]
    # W&B adds one alias of its own, in any order.
    artifacts = {alias: artifact for artifact in logged for alias in {*artifact.aliases} - {"latest"}}
    models = {alias: artifact for alias, artifact in artifacts.items() if artifact.type == "model"}
    assert set(models) == {"last", "best"}
    described = {alias: json.loads(artifact.metadata) for alias, artifact in models.items()}
    assert described["last"] == {"file": "last.ckpt", "data": "Digits", "identity": "abc"}
    assert described["best"] == {"file": "best.ckpt", "data": "Digits", "identity": "abc", "score": {"val/nll": 3.0}}
    assert len({artifact.name for artifact in models.values()}) == 1
    (table,) = tmp_path.glob("wandb/offline-run-*/files/media/table/scores_*.json")
    assert json.loads(table.read_text())["columns"] == ["score", "value", "real data"]
    assert json.loads(table.read_text())["data"] == [["nll", 2.5, None], ["fd", 1.0, 0.5]]


def test_tensorboard_shows_a_table_as_text(tmp_path):
    logger = TensorBoardLogger(str(tmp_path), name="", version="")
    log_table(logger, "scores", {"score": ["nll"], "value": [2.5], "real data": [None]}, 7)
    logger.finalize("success")
    (event,) = EventAccumulator(str(tmp_path)).Reload().Tensors("scores/text_summary")
    assert event.step == 7
    assert event.tensor_proto.string_val == [b"| score | value | real data |\n| --- | --- | --- |\n| nll | 2.5 |  |"]


def test_data_are_an_input_of_runs_that_upload_checkpoints(tmp_path, monkeypatch):
    used = []
    run = SimpleNamespace(offline=False, disabled=False, use_artifact=used.append)
    for log_model in (False, True):
        logger = WandbLogger(log_model=log_model)
        monkeypatch.setattr(logger, "_experiment", run)
        logger.log_data("Digits", {"identity": "abc"})
    (artifact,) = used
    assert (artifact.name, artifact.type) == ("Digits", "dataset")
    assert artifact.metadata == {"data": "Digits", "identity": "abc"}
    assert list(artifact.manifest.entries) == ["data.json"]


def test_a_run_of_a_sweep_is_the_agents_and_says_the_number_that_is_optimised(tmp_path):
    program = f"""
import pathlib
from genzoo.loggers import WandbLogger
logger = WandbLogger(project="other")
logger.place(pathlib.Path({str(tmp_path)!r}))
for step, bound in enumerate((-3.0, -1.0, -2.0)):
    logger.log_metrics({{"val/elbo": bound}}, step)
logger.experiment.finish()
"""
    agent = {"WANDB_SWEEP_ID": "swept", "WANDB_RUN_ID": "ofagent", "WANDB_PROJECT": "project", "WANDB_SILENT": "false"}
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=os.environ | agent,
    )
    assert result.returncode == 0, result.stderr
    assert "WARNING" not in result.stderr
    records = read_wandb_run(next(tmp_path.glob("wandb/offline-run-*-ofagent/run-ofagent.wandb")))
    (run,) = (record.run for record in records if record.run.run_id)
    assert (run.run_id, run.sweep_id, run.project) == ("ofagent", "swept", "project")
    updates = [update for record in records for update in record.summary.update]
    summary = {update.key or "/".join(update.nested_key): json.loads(update.value_json) for update in updates}
    # Not below it, as {"max": -1.0, "last": -2.0}, where a sweep does not look.
    assert summary["val/elbo"] == -2.0
    history = [
        json.loads(item.value_json)
        for record in records
        for item in record.history.item
        if item.nested_key == ["val/elbo"] or item.key == "val/elbo"
    ]
    assert history == [-3.0, -1.0, -2.0]
    assert json.loads((tmp_path / "wandb" / "run.json").read_text())["id"] == "ofagent"


@pytest.mark.parametrize(
    ("mode", "said"),
    [("online", "shows this run at https://wandb.ai/x"), ("offline", "the run is kept in"), ("disabled", "")],
)
def test_one_line_says_where_the_run_is_and_none_of_wandbs(mode, said, choosing, monkeypatch, caplog):
    shown = []
    monkeypatch.setattr(wandb, "setup", lambda settings: shown.append(settings.show_info))
    monkeypatch.setattr(wandb, "login", lambda prompt, verify: True)
    with caplog.at_level(logging.INFO):
        _ = WandbLogger(mode=mode).experiment
    messages = [record.getMessage() for record in caplog.records if "W&B" in record.getMessage()]
    assert len(messages) == bool(said)
    assert said in "".join(messages)
    assert shown == [False]


def test_wandbs_own_lines_can_be_asked_for(choosing, monkeypatch):
    monkeypatch.setenv("WANDB_SHOW_INFO", "true")
    monkeypatch.setattr(wandb, "setup", lambda settings: pytest.fail("silenced"))
    _ = WandbLogger(mode="offline").experiment


def test_what_a_run_belongs_to_is_said_unless_it_was_given(choosing, monkeypatch):
    calls, _ = choosing
    monkeypatch.setenv("WANDB_JOB_TYPE", "sweep")
    logger = WandbLogger(mode="offline", tags=["mine"])
    logger.describe("vae/first", "fit", ["VAE", "Digits"])
    _ = logger.experiment
    assert calls[0]["group"] == "vae/first"
    assert calls[0]["tags"] == ["mine"]
    assert "job_type" not in calls[0]


# What is given beats the environment, which beats the defaults


def test_the_environment_beats_our_defaults_and_is_beaten_by_what_is_given(choosing, tmp_path, monkeypatch):
    calls, _ = choosing
    environment = {"PROJECT": "of the environment", "NAME": "of the environment", "DIR": str(tmp_path / "environment")}
    given = {"project": "given", "name": "given", "save_dir": str(tmp_path / "given")}

    def chosen(folder, **arguments):
        logger = WandbLogger(**arguments)
        logger.place(tmp_path / folder)
        logger.begun_run()
        return tuple(calls[-1][setting] for setting in ("project", "name", "dir"))

    assert chosen("run") == ("genzoo", "run", str(tmp_path / "run"))
    for variable, value in environment.items():
        monkeypatch.setenv(f"WANDB_{variable}", value)
    assert chosen("another") == tuple(environment.values())
    assert chosen("a third", **given) == tuple(given.values())


def test_how_a_new_run_is_resumed_is_left_to_the_environment(choosing, tmp_path, monkeypatch):
    calls, _ = choosing
    monkeypatch.setenv("WANDB_RESUME", "never")
    WandbLogger().begun_run()
    assert calls[0]["resume"] is None


def test_what_has_no_default_of_ours_is_left_to_wandb(choosing, tmp_path):
    calls, _ = choosing
    logger = WandbLogger()
    logger.place(tmp_path / "run")
    logger.begun_run()
    assert {calls[0][name] for name in ("entity", "group", "tags", "notes", "id")} == {None}
    assert "job_type" not in calls[0]


def test_a_resumed_run_stays_where_it_was_begun(choosing, tmp_path, monkeypatch):
    calls, _ = choosing
    monkeypatch.setenv("WANDB_PROJECT", "begun")
    monkeypatch.setenv("WANDB_NAME", "first")
    for project in (None, None, "given"):
        logger = WandbLogger(project=project)
        logger.place(tmp_path)
        logger.begun_run()
        monkeypatch.setenv("WANDB_PROJECT", "other")
        monkeypatch.setenv("WANDB_RESUME", "never")
        monkeypatch.setenv("WANDB_RUN_ID", "other")
        monkeypatch.delenv("WANDB_NAME", raising=False)
    begun, resumed, moved = calls
    assert begun["project"] == "begun"
    assert (resumed["id"], resumed["project"], resumed["name"], resumed["resume"]) == ("id", "begun", "first", "allow")
    assert (moved["id"], moved["project"], moved["name"]) == ("id", "given", "first")


def test_a_run_of_an_earlier_version_goes_on_under_the_id_in_the_names_of_its_files(choosing, tmp_path):
    calls, _ = choosing
    (tmp_path / "wandb" / "offline-run-20261122_201503-ab12cd34").mkdir(parents=True)
    logger = WandbLogger()
    logger.place(tmp_path)
    logger.begun_run()
    assert (calls[0]["id"], calls[0]["resume"]) == ("ab12cd34", "allow")


@pytest.mark.parametrize("mode", ["online", "run"])
def test_a_mode_that_needs_a_login_is_refused_without_one(mode, choosing, monkeypatch):
    calls, _ = choosing
    monkeypatch.setenv("WANDB_MODE", mode)
    for attempt in (WandbLogger().require_usable, WandbLogger().begun_run):
        with pytest.raises(ValueError, match=f"the W&B mode {mode} needs a login; run wandb login or set WANDB_API"):
            attempt()
    assert calls == []


def test_a_broken_key_is_refused_where_a_login_is_needed(choosing, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "short")
    with pytest.raises(ValueError, match="W&B refuses its credentials"):
        WandbLogger(mode="online").require_usable()


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [("MODE", "nonsense", "'online', 'offline'"), ("MODE", "", "'online', 'offline'"), ("RESUME", "x", "'allow'")],
)
def test_an_environment_that_wandb_does_not_understand_is_refused(variable, value, expected, monkeypatch):
    monkeypatch.setenv(f"WANDB_{variable}", value)
    said = rf"the environment variable WANDB_{variable}: Input should be .*{expected}.*; correct or unset it$"
    with pytest.raises(ValueError, match=said):
        WandbLogger().require_usable()


@pytest.mark.parametrize("is_given", [True, False])
def test_a_project_that_cannot_be_is_refused(is_given, monkeypatch):
    monkeypatch.setenv("WANDB_PROJECT", "genzoo" if is_given else "a/b")
    with pytest.raises(
        ValueError, match=r"W&B does not take a setting: Invalid project name 'a/b': .*; choose another"
    ):
        WandbLogger(project="a/b" if is_given else None).require_usable()
