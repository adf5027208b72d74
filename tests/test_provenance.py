import json
import subprocess
import sys

import torch

from genzoo import __version__
from genzoo.cli import main
from genzoo.provenance import (
    PROVENANCE,
    add_provenance,
    code_state,
    command,
    in_command,
    provenance,
    read_provenance,
    versions,
)


def git(folder, *arguments):
    who = ["-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_versions_are_those_that_are_installed():
    assert versions()["torch"].partition("+")[0] == torch.__version__.partition("+")[0]
    assert versions()["genzoo"] == __version__
    assert {"python", "torchmetrics", "numpy"} <= set(versions())


def test_the_state_of_the_code_is_that_of_git(tmp_path):
    assert code_state(tmp_path) == {}
    git(tmp_path, "init", "-q")
    assert code_state(tmp_path) == {}
    (tmp_path / "model.py").write_text("a = 1\n")
    git(tmp_path, "add", "model.py")
    git(tmp_path, "commit", "-qm", "begin")
    commit = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "last.ckpt").write_text("not tracked")
    assert code_state(tmp_path / "runs") == {"git_commit": commit, "git_dirty": False}
    (tmp_path / "model.py").write_text("a = 2\n")
    assert code_state(tmp_path) == {"git_commit": commit, "git_dirty": True}


def test_a_machine_without_git_says_nothing_of_it(tmp_path, monkeypatch):
    git(tmp_path, "init", "-q")
    monkeypatch.setenv("PATH", "")
    assert code_state(tmp_path) == {}


def test_the_command_is_what_was_given_not_the_program_around_it(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["genzoo", "fit", "--run.name", "with space"])
    assert command() == "genzoo fit --run.name 'with space'"
    with in_command(["test", "runs/a/b"]):
        assert command() == provenance()["command"] == "genzoo test runs/a/b"
    assert command().startswith("genzoo fit")


def test_entries_stand_behind_each_other(tmp_path):
    assert read_provenance(tmp_path) == []
    for step in (0, 7):
        add_provenance(tmp_path, {"first_step": step, "versions": versions()})
    assert [entry["first_step"] for entry in read_provenance(tmp_path)] == [0, 7]
    assert json.loads((tmp_path / PROVENANCE).read_text()) == read_provenance(tmp_path)


def test_a_run_that_goes_on_keeps_both_commands(working_folder):
    settings = [
        "--model",
        "VAE",
        "--model.networks.hidden_features",
        "[4]",
        "--data",
        "Digits",
        "--data.image_size",
        "8",
    ]
    settings += ["--data.subset", "64", "--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false"]
    settings += ["--trainer.logger", "false", "--trainer.limit_val_batches", "0", "--data.batch_size", "16"]
    assert main(["fit", *settings, "--trainer.max_epochs", "1", "--run.name", "run"]) == 0
    assert main(["fit", "runs/vae/run", "--trainer.max_epochs", "2"]) == 0
    first, second = read_provenance(working_folder / "runs" / "vae" / "run")
    assert first["command"].endswith("--run.name run")
    assert second["command"] == "genzoo fit runs/vae/run --trainer.max_epochs 2"
    assert (first["first_step"], second["first_step"]) == (0, 4)
    assert first["data_identity"] == second["data_identity"]
