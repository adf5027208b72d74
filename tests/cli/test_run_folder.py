"""The folder of a run: who may write into it, when the first thing is written, and what is taken away again."""

import os
import shutil
import signal
from pathlib import Path

import pytest
import yaml
from filelock import FileLock
from lightning_utilities.core.rank_zero import rank_zero_only

from genzoo.cli import main
from genzoo.cli.run_folder import LOCK, SaveConfig, create_run_folder, held, release_run_folder

pytestmark = pytest.mark.usefixtures("working_folder")

EARLIER = Path(__file__).parents[1] / "fixtures" / "runs_of_0_1" / "dcgan"
RUN = "runs/dcgan/earlier"
LONGER = ["--trainer.max_epochs", "4", "--trainer.enable_progress_bar", "false"]
WANDB = ["--trainer.logger+=genzoo.loggers.WandbLogger"]
NEW = [
    *("fit", "--model", "VAE", "--model.networks.hidden_features", "[8]", "--data", "FashionMNISTMini"),
    *("--data.subset", "64", "--data.batch_size", "16", "--trainer.accelerator", "cpu"),
    *("--trainer.max_epochs", "1", "--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"),
    *("--pictures.kinds", "[]"),
]
OWN = """
import os
import signal
from lightning.pytorch import Callback
from genzoo import FashionMNISTMini

class FailsAtFirst(Callback):
    def on_train_batch_start(self, *_):
        raise ValueError("not with me")

class Dies(Callback):
    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        if batch_idx == 1:
            os.kill(os.getpid(), signal.SIGKILL)

class StopsAtFirst(Callback):
    def on_train_start(self, *_):
        raise SystemExit(9)

class Interrupts(FashionMNISTMini):
    def prepare_data(self):
        signal.raise_signal(signal.SIGTERM)
"""


@pytest.fixture
def run(working_folder):
    """A run that can go on, and classes of one's own beside it."""
    (working_folder / "mine.py").write_text(OWN)
    return Path(shutil.copytree(EARLIER, working_folder / "runs" / "dcgan")) / "earlier"


def contents(folder):
    return {path: path.read_bytes() if path.is_file() else None for path in Path(folder).rglob("*")}


def code_of(arguments):
    try:
        return main(arguments)
    except SystemExit as stop:
        return stop.code


REFUSED = {
    "other networks": (["--model.networks.width", "4"], 2),
    "another model": (["--model", "VAE"], 2),
    "batches that are too large": (["--data.batch_size", "100000"], 2),
    "a failure in the first step": (["--trainer.callbacks+=mine.FailsAtFirst", *WANDB], 2),
    "an end before the first step": (["--trainer.callbacks+=mine.StopsAtFirst"], 9),
    "a signal while data are prepared": (["--data", "mine.Interrupts"], 143),
    "no login": ([*WANDB, "--trainer.logger.mode=online"], 2),
    "no checkpoints": (["--trainer.enable_checkpointing", "false"], 2),
    "a trial": (["--trainer.fast_dev_run", "true"], 2),
    "bare bones": (["--trainer.barebones", "true"], 2),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_go_on_changes_nothing_in_the_run(name, run, capsys):
    before = contents(run)
    arguments, code = REFUSED[name]
    assert code_of(["fit", RUN, *LONGER, "--model.average_decay", "0.9", *arguments]) == code
    assert contents(run) == before
    assert list(run.parent.iterdir()) == [run]


def test_after_any_number_of_refusals_the_run_goes_on_as_it_was(run):
    for _ in range(2):
        assert code_of(["fit", RUN, *LONGER, "--model.networks.width", "4"]) == 2
    assert main(["fit", RUN, *LONGER]) == 0
    settings = yaml.safe_load((run / "config.yaml").read_text())
    assert settings["model"]["init_args"]["networks"]["init_args"]["width"] == 2
    assert settings["trainer"]["max_epochs"] == 4
    until = yaml.safe_load((run / "config_until_step_0000012.yaml").read_text())
    assert until["trainer"]["max_epochs"] == 3
    assert not (run / LOCK).exists()


def test_a_config_from_before_is_never_overwritten(run, trainer):
    config, until = run / "config.yaml", run / "config_until_step_0000012.yaml"
    texts = [config.read_text()]
    for text in ("a: 1\n", "a: 2\n"):
        SaveConfig(text, first_step=12).on_save_checkpoint(trainer(default_root_dir=run), None, {})
        texts.append(text)
    again = run / "config_until_step_0000012_2.yaml"
    assert [path.read_text() for path in (until, again, config)] == texts


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
@pytest.mark.parametrize("name", ["config.yaml", "config_until_step_0000012.yaml"])
def test_a_full_disk_leaves_the_config(name, run, capsys):
    before = (run / "config.yaml").read_bytes()
    (run / f"{name}.unfinished").symlink_to("/dev/full")
    assert main(["fit", RUN, *LONGER]) == 1
    assert f"genzoo: {run / name} cannot be written (No space left on device); " in capsys.readouterr().err
    assert (run / "config.yaml").read_bytes() == before
    assert main(["fit", RUN, *LONGER]) == 0


def test_a_run_that_is_killed_before_its_first_checkpoint_goes_on(run):
    if (child := os.fork()) == 0:
        main(["fit", RUN, *LONGER, "--trainer.callbacks+=mine.Dies"])
        os._exit(1)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert "mine.Dies" in (run / "config.yaml").read_text()
    assert (run / LOCK).exists()
    assert main(["fit", RUN, *LONGER, "--trainer.callbacks", "null"]) == 0
    assert not (run / LOCK).exists()


# One process at a time


def test_a_run_that_is_being_trained_is_left_to_its_process(run, capsys):
    with held(run):
        before = contents(run)
        with pytest.raises(SystemExit) as stop:
            main(["fit", RUN, *LONGER])
        assert stop.value.code == 2
        assert contents(run) == before
    said = capsys.readouterr().err
    assert f"genzoo: {run} is being trained by process {os.getpid()} on {os.uname().nodename}; wait for its" in said
    assert not (run / LOCK).exists()


def test_a_run_that_is_being_trained_can_be_measured_and_begun_from(run):
    with held(run):
        few = ["--data.subset", "64", "--trainer.limit_test_batches", "1", "--evaluation.groups", "[]"]
        assert main(["test", RUN, *few]) == 0
        assert main(["fit", RUN, *LONGER, "--run.name", "other"]) == 0


def test_a_run_is_free_again_when_its_process_is_killed(run):
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        with held(run):
            os.write(writer, b"x")
            signal.pause()
    os.read(reader, 1)
    with pytest.raises(ValueError, match=f"by process {child} on"), held(run):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with held(run):
        assert (run / LOCK).read_text().startswith(f"{os.getpid()}\n")


def test_a_holder_that_has_not_said_who_it_is_is_a_holder(run):
    with (
        FileLock(run / LOCK),
        pytest.raises(ValueError, match="is being trained by another process; wait"),
        held(run),
    ):
        pass


def test_where_there_are_no_locks_one_is_told(run, monkeypatch):
    def refuse(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.warns(UserWarning, match="has no locks: see to it"), held(run):
        pass


def test_what_another_process_has_trained_meanwhile_is_not_gone_on_from_as_if_it_had_not(run, monkeypatch, capsys):
    def later(folder):
        os.utime(run / "checkpoints" / "last.ckpt", (2**31, 2**31))
        return held(folder)

    monkeypatch.setattr("genzoo.cli.verbs.held", later)
    log = (run / "metrics.csv").read_bytes()
    with pytest.raises(SystemExit):
        main(["fit", RUN, *LONGER])
    assert f"another process has gone on with {run} meanwhile; give the command again" in capsys.readouterr().err
    assert (run / "metrics.csv").read_bytes() == log


# What is taken away


@pytest.mark.parametrize("arguments", [["--data.batch_size", "100000"], ["--trainer.callbacks", "mine.FailsAtFirst"]])
def test_a_run_that_could_not_begin_leaves_nothing_whatever_its_loggers(arguments, run):
    with pytest.raises(SystemExit, match="2"):
        main([*NEW, *arguments])
    assert not Path("runs/vae").exists()


def test_a_failing_command_takes_nothing_away_that_it_has_not_made(working_folder, monkeypatch):
    for content in ("nothing", "config.yaml"):
        folder = working_folder / content
        folder.mkdir()
        if content == "config.yaml":
            (folder / content).touch()
        monkeypatch.setenv("GENZOO_RUN_FOLDER", str(folder))
        with pytest.raises(SystemExit, match="2"):
            main([*NEW, "--data.batch_size", "100000"])
        with pytest.raises(SystemExit):
            main([*NEW, "--model.latent_dim", "none"])
    assert sorted(path.name for path in working_folder.iterdir()) == ["config.yaml", "nothing"]


def test_a_folder_that_is_in_use_is_not_taken_away(tmp_path):
    folder = create_run_folder(str(tmp_path), "VAE", "mine", "fit")
    (folder / "note").touch()
    release_run_folder(has_begun=True)
    assert (folder / "note").exists()


@pytest.mark.parametrize("resumed", [False, True])
def test_a_single_process_that_takes_itself_for_another_writes_nothing(resumed, run, monkeypatch, capsys):
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    monkeypatch.setenv("GENZOO_RUN_FOLDER", str(run))
    before = contents("runs")
    with pytest.raises(SystemExit) as stop:
        main(["fit", RUN, *LONGER] if resumed else NEW)
    assert stop.value.code == 2
    assert "genzoo: RANK, LOCAL_RANK or SLURM_PROCID says that this is not the first" in capsys.readouterr().err
    assert contents("runs") == before
