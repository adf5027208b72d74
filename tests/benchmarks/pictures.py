"""What share of training goes into pictures.

    python -m tests.benchmarks.pictures [--epochs 2]

The shipped configs of DCGAN and of the VAE are trained by the command line, a few epochs of them, with metrics.csv but
without a progress bar and W&B. Afterwards each picture is drawn some times more and timed. From both follows what all
pictures of the config's whole training take, beside all else, which validation is part of.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
import yaml
from lightning.pytorch import Callback, Trainer

from genzoo.callbacks.pictures import Pictures
from genzoo.cli import main as genzoo
from genzoo.drawing import png

CONFIGS = ("vae", "dcgan")
REPEATS = 5


class Shares(Callback):
    """Times epochs and, at the end of training, pictures.

    Args:
        config: Whose training it is.
    """

    def __init__(self, config: str) -> None:
        self.epochs = yaml.safe_load(Path(f"configs/{config}.yaml").read_text())["trainer"]["max_epochs"]
        self.config = config
        self.seconds: list[float] = []

    def on_train_epoch_start(self, trainer: Trainer, pl_module: Any) -> None:
        """An epoch begins."""
        self.began = time.perf_counter()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: Any) -> None:
        """An epoch is over, and so is its validation."""
        self.seconds.append(time.perf_counter() - self.began)

    def on_train_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Draws, and prints what came out."""
        (pictures,) = (callback for callback in trainer.callbacks if isinstance(callback, Pictures))  # type: ignore[attr-defined]
        # Some of the pictures of an epoch stand in its time, which makes little difference.
        epoch, total = statistics.median(self.seconds), 0.0
        print(f"{self.config}.yaml: an epoch takes {epoch:.2f} s")
        for name in pictures.kinds:
            taken = []
            for _ in range(REPEATS):
                began = time.perf_counter()
                drawn = pictures.grids(pl_module, [name])
                for picture in drawn.values():
                    png(picture)
                taken.append(time.perf_counter() - began)
            if not drawn:
                continue
            # As often as it is due, and after the last epoch.
            times = sum(pictures._is_due(name, number) for number in range(1, self.epochs)) + 1
            seconds = statistics.median(taken)
            total += seconds * times
            share = seconds * times / (epoch * self.epochs)
            print(f"  {name:16} {1000 * seconds:6.0f} ms, {times:3} times in {self.epochs} epochs: {share:.2%}")
        print(f"  {'all':16} {total:6.1f} s of {epoch * self.epochs:.0f} s: {total / (epoch * self.epochs):.2%}")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--epochs", type=int, default=2, help="how many are timed")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for config in CONFIGS:
        with tempfile.TemporaryDirectory() as folder:
            genzoo(
                [
                    *("fit", "--config", f"configs/{config}.yaml", "--run.root", folder),
                    *("--trainer.max_epochs", str(arguments.epochs), "--trainer.accelerator", "cpu"),
                    *("--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"),
                    *("--trainer.logger", "genzoo.loggers.CSVLogger"),
                    *("--trainer.callbacks", "tests.benchmarks.pictures.Shares"),
                    *("--trainer.callbacks.config", config),
                ]
            )


if __name__ == "__main__":
    main()
