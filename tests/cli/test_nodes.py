"""Two simulated machines with a process each, started with the environment that torchrun gives."""

import subprocess
import sys

import torch

from tests.models.test_multi_device import free_port, rank_environment


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
