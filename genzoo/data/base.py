"""The data module that all image data sets share: splits, order, resuming, and the way to [-1, 1]."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from lightning import LightningDataModule, Trainer
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Subset

from genzoo.data.arrays import Batch, EpochSampler, ImageArray, keep_batch
from genzoo.data.selection import (
    Purpose,
    choose_balanced,
    choose_proportional,
    count_of,
    require_fraction,
)
from genzoo.noise import BatchNoise, Stream, run_seed
from genzoo.spec import DataSpec, image_spec, to_float, to_size

Split = Literal["train", "test"]
Part = Literal["training", "validation", "seen", "test"]


class ImageDataModule(LightningDataModule, ABC):
    """Images as batches ``(x, y)``: x float32 ``(B, C, H, W)`` in [-1, 1], y int64 ``(B,)``.

    A data set is a subclass with three class attributes and `load`; those that need a download or other
    preparations override ``prepare_data`` too.

    Which images are held out or make up a subset depends on the data alone. The order of training is a
    function of the run's seed and the epoch; a run that resumes, also within an epoch, continues it.

    Args:
        image_size: Height and width in pixels that the model sees. 28 become 32 with a black margin, other
            sizes are resized.
        batch_size: Images per batch and device. In training an incomplete last batch is dropped.
        num_workers: Worker processes for loading. The images are in memory, where 0 is fastest.
        subset: Train on so many images only, equally many of each class. None: all of them. Validation
            images stay the same.
        validation_fraction: Share of the training images that is held out for validation, the same share of
            each class. 0.0: no validation.
        horizontal_flip: Mirror each training image with probability 1/2, anew each time it is seen.

    Attributes:
        channels: 1 for grey, 3 for colour.
        native_size: Height and width in pixels of the images that `load` returns.
        class_names: One name per class; empty without labels.
        parts: What `setup` has loaded: ``training``, ``validation`` (held out of the training file), ``seen``
            (as many training images as there are validation images) and ``test``.
    """

    channels: int
    native_size: int
    class_names: Sequence[str] = ()

    def __init__(
        self,
        image_size: int = 32,
        batch_size: int = 128,
        num_workers: int = 0,
        subset: int | None = None,
        validation_fraction: float = 0.1,
        horizontal_flip: bool = False,
    ) -> None:
        super().__init__()
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}, but a batch holds at least 1 image")
        if subset is not None and subset < 1:
            raise ValueError(f"subset is {subset}, but training needs at least 1 image; leave it out for all")
        require_fraction("validation_fraction", validation_fraction)
        self.image_size = image_size
        self.batch_size = batch_size
        self.num_workers = num_workers
        self.subset = subset
        self.validation_fraction = validation_fraction
        self.horizontal_flip = horizontal_flip
        self.parts: dict[Part, ImageArray | Subset[Batch]] = {}

    @abstractmethod
    def load(self, split: Split) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Reads one of the two official splits.

        Returns:
            Images ``(N, channels, native_size, native_size)`` and labels ``(N,)``, zeros where there are
            none. Both may be read-only.
        """

    @property
    def spec(self) -> DataSpec:
        """What a model must know of this data; known before any of it is loaded."""
        return image_spec(self.channels, self.image_size, self.native_size, self.class_names)

    def setup(self, stage: str) -> None:
        """Loads what the stage needs, unless it is there already.

        Args:
            stage: ``fit`` or ``validate`` for the training file, ``test`` or ``predict`` for the test file.

        Raises:
            ValueError: If the subset is larger than what remains for training.
        """
        if stage in ("fit", "validate") and "training" not in self.parts:
            self._divide(self._array("train"))
        if stage in ("test", "predict") and "test" not in self.parts:
            self.parts["test"] = self._array("test")

    def train_dataloader(self) -> DataLoader[Batch]:
        """Batches in the order of (seed, epoch), from where the run stands.

        Raises:
            ValueError: If not a single batch can be filled.
        """
        sampler = self._sampler("training", shuffle=True, seed=run_seed(), drop_last=True)
        if len(sampler) < self.batch_size:
            raise ValueError(
                f"batch_size is {self.batch_size}, but each of {sampler.num_replicas} device(s) has only "
                f"{len(sampler)} training images, and incomplete batches are dropped; lower the batch_size"
            )
        if self.trainer is not None:
            # Lightning sets the epoch too, but only after workers have asked the sampler for its order.
            epoch, batches_done = _position(self.trainer)
            sampler.set_epoch(epoch)
            sampler.skip = batches_done * self.batch_size
        return self._loader("training", sampler, drop_last=True)

    def val_dataloader(self) -> list[DataLoader[Batch]]:
        """Two loaders, held-out images and as many training images, neither of them flipped.

        Models log the first as validation (``dataloader_idx`` 0); the distance of the second (1) from it is
        how much they overfit. Empty if ``validation_fraction`` is 0.0.
        """
        if "validation" not in self.parts:
            return []
        return [
            self._loader("validation", self._sampler("validation")),
            self._loader("seen", self._sampler("seen")),
        ]

    def test_dataloader(self) -> DataLoader[Batch]:
        """The official test split, in order."""
        return self._loader("test", self._sampler("test"))

    def predict_dataloader(self) -> DataLoader[Batch]:
        """The official test split, in order."""
        return self.test_dataloader()

    def on_after_batch_transfer(self, batch: tuple[Tensor, Any], dataloader_idx: int) -> tuple[Tensor, Any]:
        """Brings bytes to floats in [-1, 1], on the device, and flips in training; floats are left alone."""
        images, labels = batch
        if images.dtype != torch.uint8:
            return images, labels
        if self.horizontal_flip and self.trainer is not None and self.trainer.training:
            images = _flip_some(images, self.trainer)
        return to_float(images), labels

    def _array(self, split: Split) -> ImageArray:
        images, labels = self.load(split)
        return ImageArray(_resized(images, self.image_size), labels)

    def _divide(self, whole: ImageArray) -> None:
        """Divides the training file into parts."""
        labels = whole.labels
        everything = np.arange(len(whole))
        held_out = choose_proportional(labels, count_of(self.validation_fraction, len(whole)), Purpose.VALIDATION)
        training = np.setdiff1d(everything, held_out, assume_unique=True)
        if self.subset is not None:
            if self.subset > len(training):
                raise ValueError(
                    f"subset is {self.subset}, but only {len(training)} training images remain beside "
                    f"{len(held_out)} held out for validation; choose a smaller subset or validation_fraction"
                )
            training = training[choose_balanced(labels[training], self.subset, Purpose.SUBSET)]
        seen = training[choose_proportional(labels[training], min(len(held_out), len(training)), Purpose.SEEN)]
        self.parts["training"] = Subset(whole, training.tolist())
        if len(held_out):
            self.parts["validation"] = Subset(whole, held_out.tolist())
            self.parts["seen"] = Subset(whole, seen.tolist())

    def _sampler(self, part: Part, shuffle: bool = False, seed: int = 0, drop_last: bool = False) -> EpochSampler:
        ranks, rank = (self.trainer.world_size, self.trainer.global_rank) if self.trainer else (1, 0)
        return EpochSampler(self.parts[part], ranks, rank, shuffle, seed, drop_last)

    def _loader(self, part: Part, sampler: EpochSampler, drop_last: bool = False) -> DataLoader[Batch]:
        return DataLoader(
            self.parts[part],
            batch_size=self.batch_size,
            sampler=sampler,
            num_workers=self.num_workers,
            collate_fn=keep_batch,
            pin_memory=torch.cuda.is_available(),
            drop_last=drop_last,
            persistent_workers=self.num_workers > 0,
        )


def _position(trainer: Trainer) -> tuple[int, int]:
    """Where the training stands: the current epoch, and how many of its batches are done."""
    epochs: Any = trainer.fit_loop.epoch_progress.current
    batches: Any = trainer.fit_loop.epoch_loop.batch_progress.current
    if epochs.started == epochs.processed:
        return epochs.processed, 0
    if trainer.fit_loop.epoch_loop.batch_progress.is_last_batch and batches.processed == batches.ready:
        # Interrupted between its last batch and its end, an epoch has nothing left to fetch.
        return epochs.processed + 1, 0
    return epochs.processed, batches.processed


def _flip_some(images: Tensor, trainer: Trainer) -> Tensor:
    """Mirrors each of the images with probability 1/2, as a function of (seed, rank, batch)."""
    # A batch is counted only after its transfer, so the count is one behind.
    batch_index = trainer.fit_loop.total_batch_idx + 1
    noise = BatchNoise(images.device, run_seed(), Stream.AUGMENTATION, trainer.global_rank, batch_index)
    heads = noise.uniform(len(images), 1, 1, 1) < 0.5
    return torch.where(heads, images.flip(-1), images)


def _resized(images: NDArray[np.uint8], size: int, images_at_once: int = 4096) -> NDArray[np.uint8]:
    """Brings ``(N, C, H, W)`` to ``(N, C, size, size)``; images that fit stay untouched, and on disk."""
    native_size = images.shape[-1]
    if native_size == size:
        return images
    resized = np.empty((*images.shape[:2], size, size), np.uint8)
    for start in range(0, len(images), images_at_once):
        chunk = slice(start, start + images_at_once)
        resized[chunk] = to_size(torch.from_numpy(images[chunk].copy()), native_size, size).numpy()
    return resized
