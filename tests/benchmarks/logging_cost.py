"""What share of a step's time goes into logging.

    python -m tests.benchmarks.logging_cost [--rounds 20]

The shipped configs of the VAE and of DCGAN are trained by the command line with the loggers and the interval that they
have, W&B offline. Within one run stretches of as many steps as there are between two log steps alternate: in one of
them a step is logged, in the next none. What counts is the ratio of the medians of their times. Validation, pictures
and checkpoints, which log too but belong to an epoch and not to a step, are left out.
"""

import argparse
import os
import statistics
import tempfile
import time
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer

from genzoo.cli import main as genzoo

CONFIGS = ("vae", "dcgan")


class Stretches(Callback):
    """Switches logging on and off in turns, times both, and ends the fit with a line on them.

    Args:
        rounds: How often each is timed.
    """

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        self.seconds: dict[bool, list[float]] = {True: [], False: []}

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Takes over the interval."""
        self.interval: int = trainer.log_every_n_steps  # type: ignore[attr-defined]
        self.logs, self.latest_step = True, 0

    def on_train_batch_start(self, trainer: Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Ends a stretch behind its log step and begins the next; the first, in which all begins, does not count.

        Not at the end of the step, after which Lightning hands the numbers to the loggers.
        """
        if trainer.global_step % self.interval or trainer.global_step == self.latest_step:
            return
        self.latest_step = trainer.global_step
        now = time.perf_counter()
        if trainer.global_step > 2 * self.interval:
            self.seconds[self.logs].append(now - self.began)
        trainer.should_stop = min(map(len, self.seconds.values())) >= self.rounds
        self.logs = not self.logs
        trainer.log_every_n_steps = self.interval if self.logs else 0  # type: ignore[attr-defined]
        self.began = time.perf_counter()

    def on_train_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Prints what came out."""
        with_it, without = (statistics.median(self.seconds[logs]) for logs in (True, False))
        print(
            f"{type(pl_module).__name__:6} {self.interval} steps with one that is logged take {with_it / without:.3f} "
            f"times as long as those without ({self.rounds} of each, in turns)"
        )


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="how often stretches with and without are timed")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    os.environ["WANDB_MODE"] = "offline"
    for config in CONFIGS:
        with tempfile.TemporaryDirectory() as folder:
            genzoo(
                [
                    *("fit", "--config", f"configs/{config}.yaml", "--run.root", folder),
                    *("--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false"),
                    *("--trainer.max_epochs", "1000", "--trainer.limit_val_batches", "0"),
                    *("--pictures.every_n_epochs", "1000", "--pictures.others_every_n_epochs", "1000"),
                    *("--checkpoint.save_last", "false", "--trainer.min_epochs", "0"),
                    *("--trainer.callbacks", "tests.benchmarks.logging_cost.Stretches"),
                    *("--trainer.callbacks.rounds", str(arguments.rounds)),
                ]
            )


if __name__ == "__main__":
    main()
