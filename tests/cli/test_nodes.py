"""Two simulated machines with a process each, started with the environment that torchrun gives, and two devices."""

import json
import subprocess
import sys

import pytest
import torch

from genzoo.cli import main
from tests.training.test_multi_device import free_port, rank_environment

QUICK = ["--trainer.accelerator", "cpu", "--trainer.strategy", "auto", "--trainer.enable_progress_bar", "false"]
FEW = ["--evaluation.number", "200"]


def test_two_nodes_make_one_run_and_two_devices_score_as_one(working_folder):
    """The game under data-parallel training, whatever is said of the strategy.

    The first device scores alone, while torchmetrics would wait for the other.
    """
    arguments = [
        *("fit", "--model", "GAN", "--model.networks.generator_features", "[8]", "--model.discriminator_steps", "2"),
        *("--data", "Digits", "--data.image_size", "8", "--data.batch_size", "16", "--run.name", "nodes", *QUICK),
        *("--trainer.devices", "1", "--trainer.num_nodes", "2", "--trainer.max_epochs", "1"),
        *("--trainer.limit_train_batches", "4", "--trainer.limit_val_batches", "2"),
        *("--trainer.callbacks", "SampleScores", "--trainer.callbacks.budget", "1"),
        *("--trainer.log_every_n_steps", "1"),
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
    runs = working_folder / "runs" / "gan"
    (run,) = runs.iterdir()
    assert run.name == "nodes"
    assert torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] == 4
    assert len(list(run.glob("wandb/offline-run-*"))) == 1
    log = (run / "metrics.csv").read_text().splitlines()
    assert [line.split(",")[1] for line in log[1:5]] == ["0", "1", "2", "3"]
    assert len(log) == 6
    assert "val/fd/digits" in log[0]
    assert [path.name for path in working_folder.iterdir()] == ["runs"]

    two_devices = ["--trainer.num_nodes", "1", "--trainer.devices", "2", "--run.name", "two"]
    done = subprocess.run(
        [sys.executable, "-m", "genzoo", "test", "runs/gan/nodes", *two_devices, *FEW],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    one_device = ["--trainer.num_nodes", "1", "--trainer.devices", "1", "--run.name", "one"]
    assert main(["test", "runs/gan/nodes", *one_device, *FEW]) == 0
    assert sorted(folder.name for folder in runs.iterdir()) == ["nodes", "one_test", "two_test"]
    one, two = (
        {entry["name"]: entry["value"] for entry in json.loads((runs / f"{name}_test" / "scores.json").read_text())}
        for name in ("one", "two")
    )
    assert len(one) > 5
    assert two == pytest.approx(one)
