"""Evaluation: means of per-image statistics over a whole split, the same for every batch size and number of devices."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, TypeVar

import torch
from lightning.pytorch import Trainer
from torch import Tensor

from genzoo.data.arrays import Batch
from genzoo.metrics.means import ImageMean
from genzoo.models.averaging import AveragedModule, Weights
from genzoo.models.feasible import divides_weights
from genzoo.noise import ImageNoise, Noise, Stream, run_seed

Result = TypeVar("Result")


class EvaluatedModule(AveragedModule, ABC):
    """A module that is validated and tested by what it measures of each image.

    Attributes:
        progress_metrics: Names of the logged quantities that the progress bar shows.
        shown: Their latest values, as plain numbers: what Lightning's own ``prog_bar=True`` keeps on the device
            is read back at every step.

    Args:
        **kwargs: Arguments of `AveragedModule`.
    """

    progress_metrics: ClassVar[tuple[str, ...]] = ()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._means: dict[tuple[int, str], ImageMean] = {}
        self._images_evaluated: dict[int, int] = {}
        self.shown: dict[str, float] = {}
        self._is_together = False

    @property
    def is_divided(self) -> bool:
        """Whether a strategy divides the weights among devices; what is computed is then computed on all at once."""
        return self._trainer is not None and divides_weights(self.trainer)

    def together(self, compute: Callable[[], Result]) -> Result:
        """Computes what needs the networks outside of a step; where weights are divided, on all devices at once.

        Args:
            compute: Does it, with the same calls of the networks on each device.
        """
        if not self.is_divided or self._is_together or self.trainer.strategy.model in (None, self):
            return compute()
        self._is_together = True
        try:
            # As a step of training does: by way of what gathers the weights.
            strategy: Any = self.trainer.strategy
            result: Result = strategy._forward_redirection(strategy.model, self, "_call", compute)
            return result
        finally:
            self._is_together = False

    def _call(self, compute: Callable[[], Result]) -> Result:
        return compute()

    @abstractmethod
    def statistics(self, x: Tensor, y: Tensor, noise: Noise) -> dict[str, Tensor]:
        """What is measured of each image in evaluation.

        Args:
            x: ``(N, *data_shape)``, images in [-1, 1].
            y: Labels ``(N,)``, int64.
            noise: Where the randomness comes from.

        Returns:
            For each name a tensor ``(N, ...)``.
        """

    def summary(self, means: dict[str, Tensor]) -> dict[str, Tensor]:
        """The scalars to report, from the means of `statistics` over a batch or a whole split."""
        return means

    def validation_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Takes in held-out images (loader 0) or training images (loader 1, to measure overfitting)."""
        self._take_in(batch, dataloader_idx)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Takes in test images."""
        self._take_in(batch, 0)

    def on_validation_epoch_start(self) -> None:
        """Forgets what was measured before, and measures the same network on all devices."""
        self._means, self._images_evaluated = {}, {}
        if self.trainer.world_size > 1:
            # Running averages of batch norm are a device's own; checkpoints have those of the first.
            for buffer in self.buffers():
                torch.distributed.broadcast(buffer, 0)

    def on_test_epoch_start(self) -> None:
        """Forgets what was measured before."""
        self._means, self._images_evaluated = {}, {}

    def on_validation_epoch_end(self) -> None:
        """Reports held-out images under ``val/`` and training images under ``val/training/``."""
        self._report("val", 0)
        self._report("val/training", 1)

    def on_test_epoch_end(self) -> None:
        """Reports under ``test/``."""
        self._report("test", 0)

    def _take_in(self, batch: Batch, loader: int) -> None:
        x, y = batch
        seen = self._images_evaluated.get(loader, 0)
        self._images_evaluated[loader] = seen + len(x)
        indices = (seen + torch.arange(len(x))) * self.trainer.world_size + self.global_rank
        noise = ImageNoise(indices, self.device, run_seed(), Stream.EVALUATION)
        with self.using():
            statistics = self.statistics(x, y, noise)
        # Several devices have equally many images each, if need be by repeating the last ones.
        count = int((indices < images_in(self.trainer, loader)).sum())
        for name, repeated in statistics.items():
            values = repeated[:count]
            if (loader, name) not in self._means:
                self._means[loader, name] = ImageMean(tuple(values.shape[1:]), values.device)
            self._means[loader, name].update(values)

    def _report(self, prefix: str, loader: int) -> None:
        means = {name: mean.compute() for (index, name), mean in self._means.items() if index == loader}
        if means:
            summary = {f"{prefix}/{name}": value for name, value in self.summary(means).items()}
            self.log_dict(summary, sync_dist=True)
            self.show(summary)

    def show(self, values: Mapping[str, Tensor | float]) -> None:
        """Gives the progress bar its share of some numbers."""
        self.shown |= {name: float(values[name]) for name in self.progress_metrics if name in values}


@contextmanager
def evaluating(model: AveragedModule, weights: Weights | None = None) -> Iterator[None]:
    """Eval mode without gradient, with averaged weights where there are any; all is put back afterwards.

    Args:
        model: What is evaluated.
        weights: As for `AveragedModule.using`.
    """
    modes = {part: part.training for part in model.modules()}
    model.eval()
    try:
        with torch.no_grad(), model.using(weights):
            yield
    finally:
        for part, mode in modes.items():
            part.training = mode


def images_in(trainer: Trainer, loader: int = 0) -> int:
    """How many images the data set has that a trainer is evaluating.

    Args:
        trainer: While it validates, tests or predicts.
        loader: Which of its loaders is meant.
    """
    loaders: Any = next(
        found
        for is_running, found in (
            (trainer.validating or trainer.sanity_checking, trainer.val_dataloaders),
            (trainer.testing, trainer.test_dataloaders),
            (trainer.predicting, trainer.predict_dataloaders),
        )
        if is_running
    )
    return len((loaders[loader] if isinstance(loaders, list) else loaders).dataset)
