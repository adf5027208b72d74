"""Two simulated machines with a process each, started with the environment that torchrun gives."""

import json
import os
import subprocess
import sys

import pytest
import torch

from genzoo.cli import main
from tests.training.test_multi_device import free_port, rank_environment


def test_two_nodes_make_one_run(working_folder):
    arguments = [
        *("fit", "--model", "GAN", "--data", "FashionMNISTMini", "--data.batch_size", "16", "--run.name", "nodes"),
        *("--trainer.accelerator", "cpu", "--trainer.devices", "1", "--trainer.num_nodes", "2"),
        *("--trainer.strategy", "ddp", "--trainer.max_epochs", "1", "--trainer.limit_train_batches", "4"),
        *("--trainer.limit_val_batches", "2", "--trainer.log_every_n_steps", "1"),
        *("--trainer.enable_progress_bar", "false", "--model.discriminator_steps", "2"),
    ]
    port = free_port()
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "genzoo", *arguments],
            env=rank_environment(rank, port),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    said = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said[0][-3000:] + said[1][-3000:]
    (run,) = working_folder.glob("runs/gan/*")
    assert run.name == "nodes"
    assert torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] == 4
    assert len(list(run.glob("wandb/offline-run-*"))) == 1
    assert len((run / "metrics.csv").read_text().splitlines()) == 6
    assert [path.name for path in working_folder.iterdir()] == ["runs"]


def test_two_devices_share_one_folder_and_score_as_one(working_folder):
    """The game under data-parallel training, whatever is said of the strategy.

    The first device scores alone, while torchmetrics would wait for the other.
    """
    model = ["--model", "GAN", "--model.networks.generator_features", "[8]", "--model.discriminator_steps", "2"]
    data = ["--data", "Digits", "--data.image_size", "8"]
    quick = ["--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false"]
    limits = ["--trainer.max_epochs", "1", "--trainer.limit_train_batches", "4", "--trainer.log_every_n_steps", "1"]
    scores = ["--trainer.callbacks", "SampleScores", "--trainer.callbacks.budget", "1"]
    devices = ["--trainer.devices", "2", "--trainer.strategy", "auto"]
    for arguments in (
        ["fit", *model, *data, *quick, *limits, *scores, *devices, "--run.name", "run"],
        ["test", "runs/gan/run", *devices, "--run.name", "two"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "genzoo", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        assert done.returncode == 0, done.stderr[-3000:]
    runs = working_folder / "runs" / "gan"
    assert sorted(folder.name for folder in runs.iterdir()) == ["run", "two_test"]
    assert torch.load(runs / "run" / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] == 4
    assert len(list((runs / "run").glob("wandb/offline-run-*"))) == 1
    log = (runs / "run" / "metrics.csv").read_text().splitlines()
    assert [line.split(",")[1] for line in log[1:5]] == ["0", "1", "2", "3"]
    assert len(log) == 6
    assert "val/fd/digits" in log[0]

    assert main(["test", "runs/gan/run", "--trainer.devices", "1", "--run.name", "one"]) == 0
    one, two = (
        {entry["name"]: entry["value"] for entry in json.loads((runs / f"{name}_test" / "scores.json").read_text())}
        for name in ("one", "two")
    )
    assert len(one) > 5
    assert two == pytest.approx(one)
