"""What is said at the end of a training: how long it took, how good it got, where it lies, and what to try next."""

import shlex
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from genzoo.callbacks.report import seconds_of_training
from genzoo.checkpoint_files import LAST
from genzoo.loggers import summary_of
from genzoo.report.pictures import IMAGES
from genzoo.report.story import CHECKPOINTS
from genzoo.report.writing import PAGE
from genzoo.sampling.capabilities import Encodes
from genzoo.training.model import GenerativeModel

SPEED = "train/speed/images_per_second"
# What the run folder shows people; in this order.
SHOWN = {"pictures": IMAGES, "report": PAGE}


class Closing(Callback):
    """Ends a training with a few lines: the values of what matters for the model, time, places, commands to try.

    What the progress bar shows, and the quantity by which the best checkpoint is chosen, are given as they were at
    last; where W&B's table shows a smallest or largest value of a quantity, that is given too, with its epoch.
    """

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Forgets an earlier fit."""
        self._last: dict[str, float] = {}
        self._best: dict[str, tuple[float, int]] = {}

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Notes what was measured of the held-out images."""
        if not trainer.sanity_checking:
            self._note(trainer.callback_metrics, trainer.current_epoch + 1)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Notes what other callbacks have measured."""
        self._note(trainer.callback_metrics, trainer.current_epoch + 1)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Says all of it, on the first device, once other callbacks have written their last."""
        assert isinstance(pl_module, GenerativeModel)
        if trainer.is_global_zero and not trainer.fast_dev_run:  # type: ignore[attr-defined]
            self._last |= pl_module.step_log.latest
            sys.stdout.write("\n" + self.text(trainer, pl_module) + "\n")

    def text(self, trainer: Trainer, model: GenerativeModel) -> str:
        """The lines, without one that is empty."""
        name, epochs, steps = type(model).__name__, trainer.current_epoch, trainer.global_step
        lines = [f"{name}: {_counted(epochs, 'epoch')}, {_counted(steps, 'step')}"]
        if (took := seconds_of_training(trainer)) is not None:
            lines[0] += f" in {timedelta(seconds=round(took))}"
        if SPEED in self._last:
            lines[0] += f", at last {self._last[SPEED]:,.0f} images a second"
        lines += [f"  {quantity}: {value}" for quantity, value in self._values(model).items()]
        folder = Path(trainer.default_root_dir)
        lines += [f"{what}: {folder / place}" for what, place in SHOWN.items() if (folder / place).exists()]
        if (folder / CHECKPOINTS / LAST).is_file():
            lines += ["next:", *(f"  genzoo {command}" for command in self._commands(folder, model))]
        return "\n".join(lines)

    def _note(self, metrics: Mapping[str, Tensor], epoch: int) -> None:
        for name, measured in metrics.items():
            value = float(measured)
            self._last[name] = value
            direction = summary_of(name)
            if direction in ("min", "max"):
                best, _ = self._best.get(name, (value, epoch))
                if name not in self._best or (value < best if direction == "min" else value > best):
                    self._best[name] = value, epoch

    def _values(self, model: GenerativeModel) -> dict[str, str]:
        """Of the quantities that matter for a model, in words."""
        monitored = () if model.monitor is None else (model.monitor[0],)
        matter = dict.fromkeys((*model.progress_metrics, *monitored, *self._best))
        return {name: self._in_words(name) for name in matter if name in self._last}

    def _in_words(self, name: str) -> str:
        words = f"{self._last[name]:.4g}"
        if name in self._best and self._best[name][0] != self._last[name]:
            value, epoch = self._best[name]
            words += f" (best {value:.4g}, in epoch {epoch})"
        return words

    def _commands(self, folder: Path, model: GenerativeModel) -> list[str]:
        """Three that the model can be asked for."""
        run = shlex.quote(str(folder))
        walk = f"latent traverse {run}" if isinstance(model, Encodes) else f"latent interpolate {run}"
        made = f"sample {run}" if model.can_sample else f"predict {run}"
        return [made, walk, f"test {run}"]


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
