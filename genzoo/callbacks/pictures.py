"""Pictures of what a model makes, the same way for every model and every logger."""

from pathlib import Path
from typing import Any

import numpy as np
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from genzoo.data.arrays import Batch
from genzoo.drawing import grid, in_pairs, save_picture, scatter
from genzoo.hyperparameters import whole_number
from genzoo.loggers import log_picture
from genzoo.sampling.capabilities import Encodes
from genzoo.spec import is_image
from genzoo.training.model import GenerativeModel, evaluating

# As many as are scored (Lin et al. 2018): what the picture shows is what the score counts.
POINTS = 2500


class Pictures(Callback):
    """Draws grids as training goes on: samples from fixed noise, and reconstructions where there is an encoder.

    A conditional model gets one row per class. Reconstructions stand below their originals, and samples below the
    condition images that they are made of: those of held-out items where there are any. Points of the plane are drawn
    as points. Grids go to ``images/`` in the run folder and to every logger that takes images, uint8 in native size,
    exactly as seen. Drawing does not disturb training.

    Args:
        every_n_epochs: How often grids are drawn; the last epoch's always are.
        columns: Images in a row.
        rows: Rows of an unconditional grid.
        seed: Of the fixed noise.
    """

    def __init__(self, every_n_epochs: int = 1, columns: int = 8, rows: int = 8, seed: int = 0) -> None:
        self.every_n_epochs = whole_number("every_n_epochs of Pictures", every_n_epochs, 1)
        self.columns = whole_number("columns of Pictures", columns, 1)
        self.rows = whole_number("rows of Pictures", rows, 1)
        self.seed = whole_number("seed of Pictures", seed)
        self._begin_anew()

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Forgets an earlier fit and its data."""
        if stage == "fit":
            self._begin_anew()

    def _begin_anew(self) -> None:
        self._examples: Batch | None = None
        self._examples_held_out = False
        self._epoch_drawn: int | None = None

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keeps the first held-out images."""
        if not self._examples_held_out and dataloader_idx == 0:
            self._keep(batch)
            self._examples_held_out = True

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Keeps the first training images where none are held out."""
        if self._examples is None:
            self._keep(batch)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draws the grids if they are due."""
        if (trainer.current_epoch + 1) % self.every_n_epochs == 0:
            self._draw(trainer, pl_module, trainer.current_epoch + 1)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draws the grids of the last epoch, unless they are drawn."""
        # Lightning has counted the last epoch by now.
        self._draw(trainer, pl_module, trainer.current_epoch)

    def _draw(self, trainer: Trainer, pl_module: LightningModule, epoch: int) -> None:
        assert isinstance(pl_module, GenerativeModel)
        is_due = not trainer.fast_dev_run and epoch != self._epoch_drawn  # type: ignore[attr-defined]
        if is_due and (trainer.is_global_zero or pl_module.is_divided):
            self._epoch_drawn = epoch
            pictures = self.grids(pl_module)
            if not trainer.is_global_zero:
                return
            for name, picture in pictures.items():
                save_picture(Path(trainer.default_root_dir) / "images" / f"{name}_epoch_{epoch:04d}.png", picture)
                # The scalars of the last step carry its number counted from 0.
                for logger in trainer.loggers:
                    log_picture(logger, f"pictures/{name}", picture, trainer.global_step - 1)

    def grids(self, model: GenerativeModel) -> dict[str, np.ndarray]:
        """The grids of a model by name, each uint8, ``(height, width, 3)``."""
        pictures, images = {}, is_image(model.data_shape)
        if model.can_sample:
            y = model.condition.grid(self.columns, None if self._examples is None else self._examples[1])
            number = len(y) if y is not None else self.columns * self.rows if images else POINTS
            samples = model.sample(number, y, self.seed)
            if not images:
                pictures["samples"] = self._scatter(samples)
            elif y is not None and is_image(model.condition.shape):
                pictures["samples"] = in_pairs(y, samples, model.data_spec, self.columns)
            else:
                pictures["samples"] = grid(samples, model.data_spec, self.columns)
        if isinstance(model, Encodes) and self._examples is not None:
            pictures["reconstructions"] = self._reconstructions(model, *self._examples)
        return pictures

    def _reconstructions(self, model: GenerativeModel, x: Tensor, y: Tensor) -> np.ndarray:
        assert isinstance(model, Encodes)
        with evaluating(model):
            reconstructed = model.together(lambda: model.reconstruct(x.to(model.device), y))
        if not is_image(model.data_shape):
            return self._scatter(reconstructed)
        return in_pairs(x, reconstructed, model.data_spec, self.columns)

    def _scatter(self, points: Tensor) -> np.ndarray:
        shown = points if self._examples is None else self._examples[0]
        # With a margin beyond the farthest real point, in which samples show that went astray.
        return scatter(points, 1.25 * float(shown.abs().max()))

    def _keep(self, batch: Batch) -> None:
        x, y = batch
        number = self.columns * max(1, self.rows // 2) if is_image(x.shape[1:]) else len(x)
        self._examples = (x[:number].detach().cpu(), y[:number].detach().cpu())
