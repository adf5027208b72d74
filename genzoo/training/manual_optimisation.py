"""What Lightning does under automatic optimisation alone, done for models that move their optimisers themselves."""

from collections.abc import Sequence
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.cli import ReduceLROnPlateau
from torch.optim import Optimizer

from genzoo.training.optimizers import Interval


class OwnDuties(Callback):
    """Keeps two settings of a trainer from Lightning, and gives them back: in `setup`, or when a run fails before.

    Args:
        trainer: Whose accumulation and clipping of gradients a model takes over.
    """

    def __init__(self, trainer: Any) -> None:
        self.settings = {name: getattr(trainer, name) for name in ("accumulate_grad_batches", "gradient_clip_val")}
        trainer.accumulate_grad_batches, trainer.gradient_clip_val = 1, None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Gives the settings back to the trainer, which has looked for them by now."""
        self._give_back(trainer)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Gives the settings back to a trainer that may be used again."""
        self._give_back(trainer)

    def _give_back(self, trainer: Trainer) -> None:
        for name, value in self.settings.items():
            setattr(trainer, name, value)
        self.settings = {}


def step_schedules(trainer: Trainer, interval: Interval, optimizers: Sequence[Optimizer]) -> None:
    """Moves on the learning-rate schedules of some optimisers; those that watch a metric wait for it.

    As under automatic optimisation, before the batch ends: a run that stops right after it has lost nothing.

    Args:
        trainer: That trains.
        interval: What has ended.
        optimizers: Whose schedules move.
    """
    for config in trainer.lr_scheduler_configs:
        by_metric = isinstance(config.scheduler, ReduceLROnPlateau)
        if config.interval == interval and config.scheduler.optimizer in optimizers and not by_metric:
            config.scheduler.step()  # type: ignore[call-arg]


def step_plateaus(trainer: Trainer) -> None:
    """Moves on the learning-rate schedules that watch a metric, where it has been reported.

    Args:
        trainer: That trains, at the end of an epoch.
    """
    for config in trainer.lr_scheduler_configs:
        if isinstance(config.scheduler, ReduceLROnPlateau):
            metric = trainer.callback_metrics.get(config.scheduler.monitor)
            if metric is not None:
                config.scheduler.step(metric)
