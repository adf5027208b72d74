"""Means of per-image statistics over a whole split, the same for every batch size and number of devices."""

from collections.abc import Mapping
from typing import Any

import torch
from lightning.pytorch import Trainer
from torch import Tensor

from genzoo.metrics.means import ImageMean


class SplitMeans:
    """The means of what is measured of each image, one set for each loader.

    Not a module: what it holds would enter the checkpoint.
    """

    def __init__(self) -> None:
        self._means: dict[tuple[int, str], ImageMean] = {}
        self._images_seen: dict[int, int] = {}

    def places(self, number: int, loader: int, trainer: Trainer) -> Tensor:
        """The places of the next images of a loader in their data set, ``(number,)``, int64.

        Each of several devices sees every so-many-th image. All see equally many, if need be by repeating the last
        ones, whose places are then beyond the end.

        Args:
            number: How many images the batch has.
            loader: Which loader it is of.
            trainer: While it validates or tests.
        """
        seen = self._images_seen.get(loader, 0)
        self._images_seen[loader] = seen + number
        return (seen + torch.arange(number)) * trainer.world_size + trainer.global_rank

    def take_in(self, statistics: Mapping[str, Tensor], loader: int, count: int) -> None:
        """Takes in what was measured of the first ``count`` images of a batch, each entry ``(N, ...)``."""
        for name, repeated in statistics.items():
            values = repeated[:count]
            if (loader, name) not in self._means:
                self._means[loader, name] = ImageMean(tuple(values.shape[1:]), values.device)
            self._means[loader, name].update(values)

    def of(self, loader: int) -> dict[str, Tensor]:
        """The means over all images of a loader, on all devices at once; empty if there was none."""
        # torchmetrics returns what has one entry, such as the divergence of one latent variable, without its shape.
        return {
            name: mean.compute().view(mean.total.shape)
            for (index, name), mean in self._means.items()
            if index == loader
        }


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
