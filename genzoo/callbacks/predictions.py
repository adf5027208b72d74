"""Writing what `predict` gives into one file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import BasePredictionWriter
from lightning_utilities.core.rank_zero import rank_zero_info
from torch import Tensor

from genzoo.files import whole_file
from genzoo.precision import at_least_float32
from genzoo.spec import is_image, to_native, to_uint8
from genzoo.training.model import GenerativeModel
from genzoo.training.split_means import images_in


class Predictions(BasePredictionWriter):
    """Writes ``predictions.npz`` into the run folder: one array per name, rows in the order of the data set.

    Arrays of images are uint8 in native size; all others stay as the model gave them, but for half
    precision, which becomes float32.
    """

    def __init__(self) -> None:
        # Once at the end, since an .npz file cannot be appended to.
        super().__init__(write_interval="epoch")

    def write_on_epoch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        predictions: Sequence[Mapping[str, Tensor]],
        batch_indices: Sequence[Any],
    ) -> None:
        """Gathers all predictions and writes them, on rank zero."""
        assert isinstance(pl_module, GenerativeModel)
        arrays = {name: torch.cat([batch[name].cpu() for batch in predictions]) for name in predictions[0]}
        for name, values in arrays.items():
            if is_image(pl_module.data_shape) and tuple(values.shape[1:]) == pl_module.data_shape:
                arrays[name] = to_uint8(to_native(values, pl_module.data_spec))
            elif values.is_floating_point():
                # NumPy has no bfloat16.
                arrays[name] = at_least_float32(values)
        number = images_in(trainer)
        arrays = {name: _interleaved(values, trainer.world_size)[:number] for name, values in arrays.items()}
        if trainer.is_global_zero:
            path = Path(trainer.default_root_dir) / "predictions.npz"
            with whole_file(path) as unfinished, unfinished.open("wb") as file:
                np.savez_compressed(file, **{name: values.numpy() for name, values in arrays.items()})  # type: ignore[arg-type]
            rank_zero_info(f"Wrote {', '.join(arrays)} of {len(next(iter(arrays.values())))} images to {path}")


def _interleaved(values: Tensor, world_size: int) -> Tensor:
    """Puts the rows of all ranks in order: rank r holds rows r, r + world_size, ..."""
    if world_size == 1:
        return values
    # As objects, since the ranks of a data module of one's own may hold different numbers of rows.
    parts: list[Tensor] = [values] * world_size
    torch.distributed.all_gather_object(parts, values)
    rows = torch.empty(sum(len(part) for part in parts), *values.shape[1:], dtype=values.dtype)
    for rank, part in enumerate(parts):
        rows[rank::world_size] = part
    return rows
