"""How fast training is, and what it waits for."""

import sys
import time
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from genzoo.data.arrays import Batch
from genzoo.training.model import GenerativeModel

GIB = 2**30


class Speed(Callback):
    """Adds to the numbers of a log step how many images a second were trained on since the one before, and why.

    ``speed/images_per_second``, on all devices together; ``speed/data`` and ``speed/NAME``, the shares of that time
    that went into waiting for data and into the turns of each player; ``memory/gib``, the most that was in use so far,
    on the GPU where there is one, else of this process. Validation, pictures and checkpoints at the end of an epoch do
    not count. The step that is logged, which is still under way, counts in the next numbers, but for its turns.
    """

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Forgets an earlier fit."""
        self._images = 0
        self._in_steps = self._waiting = 0.0
        self._began = 0.0
        self._ended: float | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Joins the log."""
        assert isinstance(pl_module, GenerativeModel)
        model = pl_module
        model.laps.collect()
        model.step_log.sources["speed"] = lambda: self._measured(trainer, model)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """The data are there."""
        self._began = time.perf_counter()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """The step is over, and what follows is waiting for data, unless something else comes in between."""
        before, self._ended = self._ended, time.perf_counter()
        self._in_steps += self._ended - self._began
        self._waiting += 0.0 if before is None else self._began - before
        self._images += len(batch[0]) * trainer.world_size

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """What comes now is no waiting for data."""
        self._ended = None

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """What comes now is no waiting for data."""
        self._ended = None

    def _measured(self, trainer: Trainer, model: GenerativeModel) -> dict[str, float]:
        total, parts = self._in_steps + self._waiting, model.laps.collect()
        if self._images == 0:
            return {}
        shares = {"data": self._waiting} | parts
        measured = {"speed/images_per_second": self._images / total}
        measured |= {f"speed/{name}": seconds / total for name, seconds in shares.items()}
        self._images, self._in_steps, self._waiting = 0, 0.0, 0.0
        memory = _memory(model.device)
        return measured | ({} if memory is None else {"memory/gib": memory})


def _memory(device: torch.device) -> float | None:
    """The most memory that was in use so far, in GiB; None where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / GIB
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / GIB if sys.platform == "darwin" else most * 1024 / GIB
