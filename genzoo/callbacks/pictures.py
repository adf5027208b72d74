"""Pictures of what a model makes, the same way for every model and every logger."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from genzoo.callbacks.picture_kinds.interpolation import InterpolationPicture
from genzoo.callbacks.picture_kinds.kind import PictureKind, PictureName
from genzoo.callbacks.picture_kinds.latent import LatentPicture
from genzoo.callbacks.picture_kinds.neighbours import NeighboursPicture
from genzoo.callbacks.picture_kinds.reconstructions import ReconstructionsPicture
from genzoo.callbacks.picture_kinds.samples import SamplesPicture
from genzoo.callbacks.picture_kinds.scene import Scene, SeenItems
from genzoo.callbacks.picture_kinds.traversals import TraversalsPicture
from genzoo.data.arrays import Batch
from genzoo.data.splits import ArrayDataModule
from genzoo.drawing import Picture, save_picture
from genzoo.hyperparameters import whole_number
from genzoo.loggers import log_picture
from genzoo.report.pictures import IMAGES
from genzoo.spec import is_image
from genzoo.training.model import GenerativeModel

KINDS: dict[PictureName, PictureKind] = {
    kind.name: kind
    for kind in (
        SamplesPicture(),
        ReconstructionsPicture(),
        InterpolationPicture(),
        TraversalsPicture(),
        LatentPicture(),
        NeighboursPicture(),
    )
}


class Pictures(Callback):
    """Draws pictures as training goes on, of each kind that fits the model and its data.

    | kind | of models that | shows |
    |---|---|---|
    | ``samples`` | can draw samples | these, from fixed noise |
    | ``reconstructions`` | encode | items, held-out ones if there are any, and what comes back |
    | ``interpolation`` | draw samples or encode | ways between fixed codes |
    | ``traversals`` | draw samples or encode | what some latent variables change |
    | ``latent`` | encode | where the codes of up to about 2,000 held-out items lie, in colours of their classes |
    | ``neighbours`` | draw samples | samples beside the training items that are nearest in pixels |

    A conditional model gets one row per class. Points of the plane are drawn as points. Pictures go to ``images/`` in
    the run folder and to every logger that takes images, uint8, exactly as seen. Drawing does not disturb training.

    Args:
        every_n_epochs: How often samples and reconstructions are drawn; the last epoch's always are.
        columns: Images in a row of samples and reconstructions.
        rows: Rows of samples of an unconditional model.
        seed: Of the fixed noise.
        kinds: Which kinds are drawn, if they fit.
        others_every_n_epochs: How often all other kinds are drawn. Left out, after 1, 2, 4, 8 epochs and so on, so that
            they take little time however long the training is. The last epoch's always are.
    """

    def __init__(
        self,
        every_n_epochs: int = 1,
        columns: int = 8,
        rows: int = 8,
        seed: int = 0,
        kinds: Sequence[PictureName] = (*KINDS,),
        others_every_n_epochs: int | None = None,
    ) -> None:
        self.every_n_epochs = whole_number("every_n_epochs of Pictures", every_n_epochs, 1)
        self.columns = whole_number("columns of Pictures", columns, 1)
        self.rows = whole_number("rows of Pictures", rows, 1)
        self.seed = whole_number("seed of Pictures", seed)
        if unknown := [kind for kind in kinds if kind not in KINDS]:
            raise ValueError(f"kinds of Pictures are {', '.join(KINDS)}, got {unknown[0]!r}; choose some of these")
        self.kinds = tuple(name for name in KINDS if name in kinds)
        self.others_every_n_epochs = (
            None
            if others_every_n_epochs is None
            else whole_number("others_every_n_epochs of Pictures", others_every_n_epochs, 1)
        )
        self._data: ArrayDataModule | None = None
        self._begin_anew()

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Forgets an earlier fit and its data."""
        if stage == "fit":
            self._begin_anew()
            data: Any = trainer.datamodule  # type: ignore[attr-defined]
            self._data = data if isinstance(data, ArrayDataModule) else None

    def _begin_anew(self) -> None:
        self._seen = SeenItems()
        self._epochs_drawn: dict[PictureName, int] = {}

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keeps some held-out items."""
        if dataloader_idx == 0:
            self._see(batch, True, batch_idx, trainer.num_val_batches[0])

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Keeps the first training items where none are held out."""
        self._see(batch, False, batch_idx, 1)

    def _see(self, batch: Batch, is_held_out: bool, place: int, batches: float) -> None:
        is_of_images = is_image(batch[0].shape[1:])
        number_of_first = self.columns * max(1, self.rows // 2) if is_of_images else len(batch[0])
        self._seen.see(batch, is_held_out, place, batches, number_of_first)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draws the pictures that are due."""
        epoch = trainer.current_epoch + 1
        self._draw(trainer, pl_module, epoch, [name for name in self.kinds if self._is_due(name, epoch)])

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draws the pictures of the last epoch that are not drawn."""
        # Lightning has counted the last epoch by now.
        self._draw(trainer, pl_module, trainer.current_epoch, self.kinds)

    def _is_due(self, name: PictureName, epoch: int) -> bool:
        every = self.every_n_epochs if KINDS[name].is_drawn_often else self.others_every_n_epochs
        # Without its lowest bit nothing is left of a power of two.
        return epoch & (epoch - 1) == 0 if every is None else epoch % every == 0

    def _draw(self, trainer: Trainer, pl_module: LightningModule, epoch: int, names: Sequence[PictureName]) -> None:
        assert isinstance(pl_module, GenerativeModel)
        due = [name for name in names if self._epochs_drawn.get(name) != epoch]
        if trainer.fast_dev_run or not (trainer.is_global_zero or pl_module.is_divided):  # type: ignore[attr-defined]
            return
        self._epochs_drawn |= dict.fromkeys(due, epoch)
        pictures = self.grids(pl_module, due)
        if not trainer.is_global_zero:
            return
        for name, picture in pictures.items():
            save_picture(Path(trainer.default_root_dir) / IMAGES / f"{name}_epoch_{epoch:04d}.png", picture)
            # The scalars of the last step carry its number counted from 0.
            for logger in trainer.loggers:
                log_picture(logger, f"pictures/{name}", picture, trainer.global_step - 1)

    def grids(self, model: GenerativeModel, names: Iterable[PictureName] | None = None) -> dict[str, Picture]:
        """The pictures of a model by name, each uint8, ``(height, width, 3)``.

        Args:
            model: What is drawn.
            names: Which kinds, as far as they fit; all that this callback draws if left out.
        """
        scene = Scene(model, self._seen, self._data, self.columns, self.rows, self.seed)
        kinds = [KINDS[name] for name in (self.kinds if names is None else names)]
        return {kind.name: kind.draw(scene) for kind in kinds if kind.fits(scene)}
