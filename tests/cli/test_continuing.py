"""Going on from a run: whose settings hold, where the files go, and what a kill costs."""

import csv
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings

import pytest
import torch
import yaml
from PIL import Image

from genzoo.cli import main
from genzoo.training.model import GenerativeModel
from tests.conftest import read_wandb_run, wandb_records, wandb_values
from tests.report.made import Page
from tests.test_earlier_runs import FIXTURES

pytestmark = pytest.mark.usefixtures("working_folder")

QUICK = [
    *("--data", "FashionMNISTMini", "--data.batch_size", "32", "--trainer.accelerator", "cpu"),
    *("--trainer.limit_train_batches", "3", "--trainer.limit_val_batches", "1"),
    *("--trainer.enable_progress_bar", "false", "--trainer.log_every_n_steps", "1", "--pictures.kinds", "[]"),
]
VAE = ["--model", "VAE", "--model.networks.hidden_features", "[8]", "--model.latent_dim", "4"]
GAN = [*("--model", "GAN", "--model.discriminator_steps", "3", "--model.average_decay", "0.9")]
SMALL_PLAYERS = ["--model.networks.generator_features", "[8]", "--model.networks.discriminator_features", "[8]"]
PAIRS = [
    *(*GAN, *SMALL_PLAYERS, "--model.objective", "RelativisticPairing", "--model.augmentation", "DiffAugment"),
    *("--model.penalties", "[{class_path: R1, init_args: {gamma: 0.1}}, {class_path: R2}]"),
]
NO_LOGGER = ["--trainer.logger", "false"]
UNSCORED = ["--evaluation.groups", "[]"]


def fit(*arguments):
    return main(["fit", *arguments])


def rows(folder):
    """The numbers of a run, but for those of the machine."""
    machine = ("train/speed/", "train/memory/")
    with (folder / "metrics.csv").open() as file:
        return [{k: v for k, v in row.items() if not k.startswith(machine)} for row in csv.DictReader(file)]


def same_weights(first, second):
    states = [torch.load(path / "checkpoints" / "last.ckpt", weights_only=True) for path in (first, second)]
    assert states[0]["global_step"] == states[1]["global_step"]
    assert states[0]["state_dict"].keys() == states[1]["state_dict"].keys()
    for name, value in states[0]["state_dict"].items():
        assert (
            value == states[1]["state_dict"][name]
            if isinstance(value, int)
            else torch.equal(value, states[1]["state_dict"][name])
        ), name


@pytest.mark.parametrize("model", [VAE, [*GAN, *SMALL_PLAYERS], PAIRS], ids=["VAE", "GAN", "pairs"])
def test_a_run_that_goes_on_is_the_run_that_did_not_stop(model, working_folder, monkeypatch, capsys):
    name = model[1].lower()
    straight, stopped = working_folder / "runs" / name / "straight", working_folder / "runs" / name / "stopped"
    assert fit(*model, *QUICK, "--trainer.max_epochs", "4", "--run.name", "straight") == 0
    monkeypatch.setenv("WANDB_PROJECT", "of-the-first-part")
    assert fit(*model, *QUICK, "--trainer.max_epochs", "2", "--run.name", "stopped") == 0
    monkeypatch.delenv("WANDB_PROJECT")
    capsys.readouterr()
    assert fit(f"runs/{name}/stopped", "--trainer.max_epochs", "4") == 0
    assert "trainer.max_epochs is 4 (the run had 2)" in capsys.readouterr().err

    same_weights(straight, stopped)
    assert [folder.name for folder in sorted((working_folder / "runs" / name).iterdir())] == ["stopped", "straight"]
    assert [{**row} for row in rows(stopped)] == [{**row} for row in rows(straight)]
    assert yaml.safe_load((stopped / "config.yaml").read_text())["trainer"]["max_epochs"] == 4
    assert yaml.safe_load((stopped / "config_until_step_0000006.yaml").read_text())["trainer"]["max_epochs"] == 2
    # Not from the folders' names: W&B numbers those of the same second.
    names = [path.stem.removeprefix("run-") for path in (stopped / "wandb").glob("offline-run-*/run-*.wandb")]
    assert len(names) == 2
    assert len(set(names)) == 1
    for path in (stopped / "wandb").glob("offline-run-*/run-*.wandb"):
        runs = [record.run for record in read_wandb_run(path) if record.HasField("run")]
        assert {run.run_id for run in runs} == set(names)
        assert {(run.project, run.display_name) for run in runs} == {("of-the-first-part", "stopped")}


def test_what_a_killed_run_has_logged_since_its_checkpoint_is_logged_once(working_folder):
    folder = working_folder / "runs" / "vae" / "run"
    fit(*VAE, *QUICK, "--trainer.max_epochs", "1", "--run.name", "run", "--trainer.logger", "genzoo.loggers.CSVLogger")
    before = rows(folder)
    columns = list(before[0])
    with (folder / "metrics.csv").open("a") as file:
        writer = csv.DictWriter(file, columns)
        writer.writerow({"step": 3, "epoch": 1, "train/loss": 99.0})
        file.write("4,1,")
    fit("runs/vae/run", "--trainer.max_epochs", "2")
    after = rows(folder)
    assert after[: len(before)] == before
    assert [row["step"] for row in after if row["train/loss"]] == ["0", "1", "2", "3", "4", "5"]
    assert "99.0" not in {row["train/loss"] for row in after}


def test_the_command_line_beats_configs_and_configs_beat_the_run(working_folder, capsys):
    fit(*VAE, *QUICK, *NO_LOGGER, "--trainer.max_epochs", "1", "--run.name", "run", "--model.beta", "2.0")
    (working_folder / "other.yaml").write_text(
        "model:\n  class_path: VAE\n  init_args:\n    beta: 3.0\n    free_bits: 0.25\n"
    )
    capsys.readouterr()
    arguments = ["--model.free_bits", "0.5", "--config", "other.yaml", "--trainer.max_epochs", "2"]
    assert fit("runs/vae/run", *arguments) == 0
    said = capsys.readouterr().err
    assert "model.init_args.beta is 3.0 (the run had 2.0)" in said
    assert "model.init_args.free_bits is 0.5 (the run had 0.0)" in said
    assert "latent_dim is" not in said
    model = GenerativeModel.load_from_checkpoint(working_folder / "runs" / "vae" / "run" / "checkpoints" / "last.ckpt")
    assert (model.beta, model.free_bits, model.latent_dim) == (3.0, 0.5, 4)


def test_an_overridden_learning_rate_stands_in_optimiser_and_schedule(working_folder):
    schedule = ["--model.scheduler", "torch.optim.lr_scheduler.StepLR", "--model.scheduler.step_size", "1"]
    fit(*VAE, *QUICK, *NO_LOGGER, *schedule, "--trainer.max_epochs", "2", "--run.name", "run")
    checkpoint = working_folder / "runs" / "vae" / "run" / "checkpoints" / "last.ckpt"
    (before,) = torch.load(checkpoint, weights_only=True)["optimizer_states"]
    assert before["param_groups"][0]["lr"] == pytest.approx(1e-5)
    fit("runs/vae/run", "--model.optimizer.lr", "0.5", "--trainer.max_epochs", "3")
    state = torch.load(checkpoint, weights_only=True)
    (group,) = state["optimizer_states"][0]["param_groups"]
    assert group["lr"] == pytest.approx(0.5 * 0.1**3)
    assert group["initial_lr"] == 0.5
    assert state["lr_schedulers"][0]["base_lrs"] == [0.5]
    assert state["lr_schedulers"][0]["last_epoch"] == 3
    assert int(state["optimizer_states"][0]["state"][0]["step"]) == 9


def test_measuring_a_run_needs_nothing_but_its_folder(working_folder):
    fit(*VAE, *QUICK, *NO_LOGGER, "--trainer.max_epochs", "1", "--run.name", "run")
    csv_logger = ["--trainer.logger", "genzoo.loggers.CSVLogger"]
    quick = ["--trainer.limit_test_batches", "1", "--evaluation.groups", "[likelihood]"]
    assert main(["test", "runs/vae/run", *quick, "--evaluation.likelihood_samples", "1", *csv_logger]) == 0
    folder = working_folder / "runs" / "vae" / "run_test"
    assert yaml.safe_load((folder / "config.yaml").read_text())["ckpt_path"] == "runs/vae/run/checkpoints/best.ckpt"
    measured, scored = rows(folder)
    assert float(measured["test/elbo"]) < 0
    assert float(scored["test/nll"]) > 0
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert main(["validate", "runs/vae/run"]) == 0
        assert main(["predict", "runs/vae/run", "--trainer.limit_predict_batches", "1"]) == 0
    # All that a run is trained with is there when it is measured.
    assert not [str(each.message) for each in warned if "callbacks used to create the checkpoint" in str(each.message)]
    assert (working_folder / "runs" / "vae" / "run_predict" / "predictions.npz").is_file()


def test_last_is_the_newest_run_of_the_model(working_folder):
    for name in ("b", "a"):
        fit(*VAE, *QUICK, *NO_LOGGER, "--trainer.max_epochs", "1", "--run.name", name)
    fit(*VAE, *QUICK, *NO_LOGGER, "--trainer.max_epochs", "1", "--run.name", "c")
    os.utime(working_folder / "runs" / "vae" / "c" / "checkpoints" / "last.ckpt", (0, 0))
    assert fit("--model", "VAE", "--ckpt_path", "last", "--trainer.max_epochs", "2") == 0
    states = {
        name: torch.load(working_folder / "runs" / "vae" / name / "checkpoints" / "last.ckpt", weights_only=True)
        for name in "abc"
    }
    assert {name: state["global_step"] for name, state in states.items()} == {"a": 6, "b": 3, "c": 3}


def test_a_new_name_leaves_the_old_run_as_it_is(working_folder):
    fit(*VAE, *QUICK, *NO_LOGGER, "--trainer.max_epochs", "1", "--run.name", "old")
    old = {path: path.read_bytes() for path in (working_folder / "runs/vae/old").rglob("*") if path.is_file()}
    assert fit("runs/vae/old", "--trainer.max_epochs", "2", "--run.name", "new") == 0
    assert old == {path: path.read_bytes() for path in (working_folder / "runs/vae/old").rglob("*") if path.is_file()}
    assert torch.load(working_folder / "runs/vae/new/checkpoints/last.ckpt", weights_only=True)["global_step"] == 6


def test_a_checkpoint_away_from_its_run_brings_its_models_settings(working_folder):
    fit(*VAE, *QUICK, *NO_LOGGER, "--trainer.max_epochs", "1", "--run.name", "run")
    (working_folder / "runs/vae/run/checkpoints/last.ckpt").rename(working_folder / "moved.ckpt")
    assert main(["test", "--ckpt_path", "moved.ckpt", "--data", "FashionMNISTMini", *NO_LOGGER, *UNSCORED]) == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--model", "VAE", "--ckpt_path", "last"], "there is no run of VAE in runs/vae to go on from; leave"),
        (["--ckpt_path", "last"], "--ckpt_path last is the newest run of a model; name the model by --model"),
        (["--ckpt_path", "nowhere.ckpt"], "there is no checkpoint nowhere.ckpt; give one that a run has written"),
        (["runs/vae/nowhere"], "there is no run runs/vae/nowhere; give the folder of one, runs/MODEL/NAME"),
        (["runs/vae/run"], "runs/vae/run/checkpoints/last.ckpt has had all 1 epochs; ask for more with --trainer.max"),
    ],
)
def test_what_cannot_go_on_is_misuse(arguments, expected, working_folder, capsys):
    if arguments == ["runs/vae/run"]:
        fit(*VAE, *QUICK, *NO_LOGGER, "--trainer.max_epochs", "1", "--run.name", "run")
    before = sorted(working_folder.rglob("*"))
    with pytest.raises(SystemExit) as stop:
        fit(*arguments)
    assert stop.value.code == 2
    assert f"genzoo: {expected}" in capsys.readouterr().err
    assert sorted(working_folder.rglob("*")) == before


def test_an_earlier_state_is_not_gone_on_from_over_a_later_one(working_folder, capsys):
    fit(*VAE, *QUICK, *NO_LOGGER, "--trainer.max_epochs", "2", "--run.name", "run")
    folder = working_folder / "runs" / "vae" / "run"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    best = ["--ckpt_path", "runs/vae/run/checkpoints/best.ckpt", "--trainer.max_epochs", "3"]
    with pytest.raises(SystemExit, match="2"):
        fit(*best)
    assert "there is a run in runs/vae/run already and it is not overwritten" in capsys.readouterr().err
    assert fit(*best, "--run.name", "other") == 0
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_model_of_the_newest_run_can_stand_in_a_config(working_folder):
    (working_folder / "vae.yaml").write_text("model: VAE\n")
    fit(*VAE, *QUICK, *NO_LOGGER, "--trainer.max_epochs", "1", "--run.name", "run")
    assert fit("--ckpt_path=last", "--config=vae.yaml", "--trainer.max_epochs", "2") == 0


def test_weights_that_do_not_fit_are_named_with_the_setting(working_folder, capsys):
    csv_logger = ["--trainer.logger", "genzoo.loggers.CSVLogger"]
    fit(*VAE, *QUICK, *csv_logger, "--trainer.max_epochs", "1", "--run.name", "run")
    log = working_folder / "runs" / "vae" / "run" / "metrics.csv"
    log.write_text(log.read_text() + log.read_text().splitlines()[-1].replace(",2,", ",9,") + "\n")
    before = log.read_text()
    with pytest.raises(SystemExit, match="2"):
        fit("runs/vae/run", "--model.latent_dim", "5", "--trainer.max_epochs", "2")
    said = capsys.readouterr().err
    assert "the weights of the checkpoint do not fit this VAE: sampler.encoder." in said
    assert "latent_dim was 4 and is 5" in said
    assert log.read_text() == before


@pytest.fixture
def earlier(working_folder):
    """The place for copies of runs of an earlier version, which have been made elsewhere."""
    return shutil.copytree(FIXTURES, working_folder / "runs")


LONGER = ["--trainer.max_epochs", "3", "--trainer.enable_progress_bar", "false"]
# The objective falls by about a thousand nats.
WORSE = ["--model.free_bits", "1000"]


def named(run, way, patch):
    """A name of a run."""
    if way == "from within":
        patch.chdir(run)
    if way == "through a link":
        (run.parents[2] / "link").symlink_to(run)
    names = {
        "relative": "runs/vae/earlier",
        "with a slash": "runs/vae/earlier/",
        "absolute": str(run),
        "from within": ".",
        "by a detour": "runs/vae/../vae/earlier",
        "through a link": "link",
    }
    return names[way]


def remembered(run):
    """The paths of the best checkpoints that the last one remembers."""
    (state,) = [
        state
        for key, state in torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["callbacks"].items()
        if key.startswith("Checkpoints")
    ]
    return {state["best_model_path"], *state["best_k_models"]}


@pytest.mark.parametrize(
    "way", ["relative", "with a slash", "absolute", "from within", "by a detour", "through a link"]
)
def test_it_does_not_matter_from_where_a_run_is_named(way, earlier, monkeypatch):
    run = earlier / "vae" / "earlier"
    before = {path.name for path in run.iterdir()}
    assert fit(named(run, way, monkeypatch), *LONGER) == 0
    assert {path.name for path in (run / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    assert remembered(run) == {str(run / "checkpoints" / "best.ckpt")}
    # The objective has risen with every epoch.
    assert torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)["global_step"] == 12
    assert {path.name for path in run.iterdir()} - before == {
        "config_until_step_0000008.yaml",
        "provenance.json",
        "report.html",
        "training.json",
    }
    assert yaml.safe_load((run / "config.yaml").read_text())["run"] == {"root": "runs", "name": "earlier"}
    assert [path.name for path in run.parent.iterdir()] == ["earlier"]


def test_a_run_that_was_moved_remembers_its_best_checkpoint(earlier, tmp_path):
    run = tmp_path / "elsewhere" / "moved"
    shutil.copytree(earlier / "vae" / "earlier", run)
    best = (run / "checkpoints" / "best.ckpt").read_bytes()
    assert fit(str(run), *LONGER, *WORSE) == 0
    assert (run / "checkpoints" / "best.ckpt").read_bytes() == best
    assert remembered(run) == {str(run / "checkpoints" / "best.ckpt")}
    assert main(["validate", str(run), "--trainer.enable_progress_bar", "false"]) == 0
    measured = yaml.safe_load((tmp_path / "elsewhere" / "vae" / "moved_validate" / "config.yaml").read_text())
    assert measured["ckpt_path"] == str(run / "checkpoints" / "best.ckpt")


def test_a_run_remembers_its_best_checkpoint_at_another_interval(earlier):
    run = earlier / "vae" / "earlier"
    best = (run / "checkpoints" / "best.ckpt").read_bytes()
    assert fit("runs/vae/earlier", *LONGER, *WORSE, "--checkpoint.every_n_epochs", "1") == 0
    assert (run / "checkpoints" / "best.ckpt").read_bytes() == best
    assert {path.name for path in (run / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}


def test_another_measure_of_the_best_replaces_it(earlier):
    checkpoints = earlier / "vae" / "earlier" / "checkpoints"
    other = ["--checkpoint.monitor", "val/reconstruction", "--checkpoint.mode", "max"]
    assert fit("runs/vae/earlier", *LONGER, *other) == 0
    assert {path.name for path in checkpoints.iterdir()} == {"best.ckpt", "last.ckpt"}
    assert torch.load(checkpoints / "best.ckpt", weights_only=True)["global_step"] == 12


def test_checkpoints_of_ones_own_are_found_where_the_run_lies(earlier, working_folder):
    own = [
        *("--trainer.callbacks", "lightning.pytorch.callbacks.ModelCheckpoint"),
        *("--trainer.callbacks.monitor", "val/elbo", "--trainer.callbacks.mode", "max"),
        *("--trainer.callbacks.filename", "own", "--run.name", "new"),
    ]
    assert fit("runs/vae/earlier", *LONGER, *own) == 0
    (earlier / "vae" / "new").rename(working_folder / "moved")
    assert fit("moved", "--trainer.max_epochs", "4") == 0
    assert {path.name for path in (working_folder / "moved" / "checkpoints").iterdir()} == {
        *("best.ckpt", "last.ckpt", "own.ckpt")
    }


def test_a_new_run_from_an_earlier_state_has_a_best_checkpoint_of_its_own(earlier):
    assert fit("runs/vae/earlier", *LONGER, *WORSE, "--run.name", "new") == 0
    new = earlier / "vae" / "new"
    assert {path.name for path in (new / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    assert len(remembered(new)) == 1


def test_a_run_is_repeated_from_its_config(earlier, capsys):
    assert fit("runs/vae/earlier", *LONGER) == 0
    config = yaml.safe_load((earlier / "vae" / "earlier" / "config.yaml").read_text())
    assert config["ckpt_path"] is config["weights_only"] is None
    assert fit("--config", "runs/vae/earlier/config.yaml", "--run.name", "again") == 0
    again = earlier / "vae" / "again"
    assert [row["step"] for row in rows(again) if row["train/loss"]] == [str(step) for step in range(12)]
    assert torch.load(again / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] == 12


@pytest.mark.parametrize("name", ["config.yaml", "config_until_step_0000008.yaml"])
def test_what_an_earlier_version_has_noted_in_a_config_is_no_wish(name, earlier, capsys):
    config = earlier / "dcgan" / "earlier" / name
    noted = "runs/dcgan/earlier/checkpoints/last.ckpt"
    config.write_text(config.read_text().replace("ckpt_path: null", f"ckpt_path: {noted}"))
    assert fit("--config", str(config), "--run.name", "again") == 0
    assert f"{noted}, which the run of {config} went on from, is left out" in capsys.readouterr().err
    steps = [int(row["step"]) for row in rows(earlier / "dcgan" / "again")]
    assert min(steps) == 0


def draw(folder, *greys):
    folder.mkdir(parents=True, exist_ok=True)
    for grey in greys:
        Image.new("L", (8, 8), grey).save(folder / f"{grey:03d}.png")


FOLDER = [
    *("--data", "ImageFolder", "--data.image_size", "8", "--data.channels", "1", "--data.batch_size", "8"),
    *("--trainer.enable_progress_bar", "false", "--trainer.accelerator", "cpu"),
]


@pytest.fixture
def run_of_a_folder(working_folder):
    """A run whose data are the images in the folder ``images``."""
    draw(working_folder / "images", *range(0, 250, 5))
    data = [*FOLDER, "--data.root", "images", "--data.cache_dir", "cache"]
    assert fit(*VAE, *data, *NO_LOGGER, "--trainer.max_epochs", "1", "--run.name", "run") == 0
    return working_folder / "runs" / "vae" / "run"


def test_a_run_does_not_go_on_with_other_data(run_of_a_folder, working_folder, capsys, caplog):
    draw(working_folder / "images", 1)
    before = {path: path.read_bytes() for path in (run_of_a_folder / "checkpoints").iterdir()}
    with pytest.raises(SystemExit) as stop:
        fit("runs/vae/run", "--trainer.max_epochs", "2")
    assert stop.value.code == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("genzoo: the training data")]
    assert len(said) == 1
    assert "are other than those of runs/vae/run/checkpoints/last.ckpt (now " in said[0]
    assert "bring those back, or begin a new run from it with --run.name" in said[0]
    assert before == {path: path.read_bytes() for path in (run_of_a_folder / "checkpoints").iterdir()}
    with caplog.at_level(logging.INFO):
        assert fit("runs/vae/run", "--trainer.max_epochs", "2", "--run.name", "new") == 0
    assert "the training data are other than those of runs/vae/run/checkpoints/last.ckpt (now 47-" in caplog.text
    # The new run is one of the new data.
    assert fit("runs/vae/new", "--trainer.max_epochs", "3") == 0


def test_the_same_data_elsewhere_and_of_a_later_date_are_the_same(run_of_a_folder, working_folder, caplog):
    (working_folder / "images").rename(working_folder / "moved")
    for path in (working_folder / "moved").iterdir():
        os.utime(path, (1, 1))
    with caplog.at_level(logging.INFO):
        assert fit("runs/vae/run", "--trainer.max_epochs", "2", "--data.root", "moved") == 0
    assert "the training data" not in caplog.text


def started(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "genzoo", "fit", *arguments],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


def wait_for(condition, process, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.02)


LONG = [
    *("--model", "GAN", "--model.discriminator_steps", "2", *SMALL_PLAYERS, "--data", "FashionMNISTMini"),
    *("--data.batch_size", "8", "--trainer.accelerator", "cpu", "--trainer.log_every_n_steps", "1"),
    *("--trainer.enable_progress_bar", "false", "--trainer.max_epochs", "1", "--trainer.limit_val_batches", "1"),
    *("--trainer.limit_train_batches", "150"),
]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert fit(*LONG, "--run.name", "run", "--trainer.logger", "genzoo.loggers.CSVLogger") == 0
    return folder / "runs" / "gan" / "run"


@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGKILL],
    ids=lambda number: number.name,
)
def test_a_run_that_was_stopped_in_mid_epoch_goes_on_exactly(number, uninterrupted, working_folder):
    folder = working_folder / "runs" / "gan" / "run"
    minutes = "0.001" if number == signal.SIGKILL else "60"
    process = started(*LONG, "--run.name", "run", "--checkpoint.minutes_between", minutes)
    log, checkpoint = folder / "metrics.csv", folder / "checkpoints" / "last.ckpt"
    wait_for(lambda: log.is_file() and log.read_text().count("\n") > 20, process)
    if number == signal.SIGKILL:
        wait_for(checkpoint.is_file, process)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)

    stopped = torch.load(checkpoint, weights_only=True)
    assert 0 < stopped["global_step"] < 150
    assert [path.name for path in checkpoint.parent.iterdir() if path.suffix == ".ckpt"] == ["last.ckpt"]
    if number != signal.SIGKILL:
        assert process.returncode == 128 + number
        step = stopped["global_step"]
        assert f"genzoo: stopped by {number.name} after step {step}; all of it is kept. Go on with: genzoo fit" in said
        assert said.strip().endswith("runs/gan/run")
        assert "Traceback" not in said

    assert fit("runs/gan/run") == 0
    same_weights(folder, uninterrupted)
    assert [{**row} for row in rows(folder)] == [{**row} for row in rows(uninterrupted)]
    expected, told = (Page((run / "report.html").read_text()).data for run in (uninterrupted, folder))
    # The first figure is of the losses; those of speed and memory differ from run to run.
    assert told["plots"][0] == expected["plots"][0]
    assert told["frames"] == expected["frames"]
    assert [len(plot["series"]) for plot in told["plots"]] == [len(plot["series"]) for plot in expected["plots"]]

    # One run of W&B in two parts.
    parts = sorted((folder / "wandb").glob("offline-run-*/run-*.wandb"), key=lambda path: path.stat().st_mtime)
    assert len(parts) == 2
    assert len({path.stem for path in parts}) == 1
    # A part that was killed has no end to wait for.
    read = wandb_records(parts[0].read_bytes()), read_wandb_run(parts[1])
    histories = [[record.history for record in records if record.HasField("history")] for records in read]
    steps = [[wandb_values(entry.item)["trainer/global_step"] for entry in entries] for entries in histories]
    assert steps == [sorted(part) for part in steps]
    # What came after the checkpoint is made, and logged, again.
    assert {*steps[1]} == {step for row in rows(folder) if (step := int(row["step"])) >= stopped["global_step"]}

    if number == signal.SIGKILL:
        assert main(["validate", "runs/gan/run"]) == 0
        assert main(["test", "runs/gan/run", *UNSCORED]) == 0
    logs = [path.read_text() for path in working_folder.glob("runs/gan/*/wandb/offline-run-*/logs/debug-internal.log")]
    assert len(logs) == (4 if number == signal.SIGKILL else 2)
    # What W&B says of a step that comes after a later one, whose numbers it drops.
    assert not [log for log in logs if "ignoring partial history record" in log]
