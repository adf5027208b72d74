import csv
import json
import subprocess
import sys

import pytest
import wandb

from genzoo.loggers import CSVLogger, WandbLogger
from tests.conftest import read_wandb_run, wandb_config


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
        return object()

    unreachable = []
    monkeypatch.setattr(wandb, "init", init)
    monkeypatch.setattr(wandb, "run", None)
    return calls, unreachable


def modes(calls):
    return [call["mode"] for call in calls]


def test_without_a_login_the_run_is_kept_offline_without_a_prompt(choosing, tmp_path, monkeypatch):
    calls, _ = choosing
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("prompted"))
    logger = WandbLogger()
    logger.place(tmp_path / "name")
    _ = logger.experiment
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
    program = f"""
import numpy as np, pathlib
from genzoo.loggers import WandbLogger
logger = WandbLogger()
logger.place(pathlib.Path({str(tmp_path)!r}))
logger.log_config({{"model": {{"class_path": "VAE"}}, "trainer": {{"max_epochs": 3}}}})
logger.log_hyperparams({{"latent_dim": 5}})
logger.log_metrics({{"train/loss": 1.5}}, 4)
picture = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
logger.log_image(key="pictures/samples", images=[picture], step=4)
np.save({str(tmp_path / "picture.npy")!r}, picture)
logger.experiment.finish()
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert result.returncode == 0, result.stderr
    import numpy as np
    from PIL import Image

    (png,) = tmp_path.glob("wandb/offline-run-*/files/media/images/pictures/*.png")
    assert np.array_equal(np.asarray(Image.open(png)), np.load(tmp_path / "picture.npy"))
    records = read_wandb_run(next(tmp_path.glob("wandb/offline-run-*/run-*.wandb")))
    config, history = wandb_config(records), {}
    for record in records:
        for item in record.history.item:
            history.setdefault(item.key or "/".join(item.nested_key), json.loads(item.value_json))
    assert config["model"] == {"class_path": "VAE"}
    assert config["trainer"] == {"max_epochs": 3}
    assert "latent_dim" not in config
    assert history["train/loss"] == 1.5
    assert history["trainer/global_step"] == 4
