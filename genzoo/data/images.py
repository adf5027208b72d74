"""The data module that all image data sets share: splits, order, resuming, and the way to [-1, 1]."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from lightning import Trainer
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Subset

from genzoo.data.arrays import Batch, ImageArray, joined
from genzoo.data.splits import ArrayDataModule, Arrays, Part, Split
from genzoo.hyperparameters import whole_number
from genzoo.noise import BatchNoise, Stream, run_seed
from genzoo.spec import DataSpec, image_spec, to_float, to_size


class ImageDataModule(ArrayDataModule):
    """Images as batches ``(x, y)``: x float32 ``(B, C, H, W)`` in [-1, 1], y int64 ``(B,)``, or a condition image.

    A data set is a subclass with three class attributes and `load`; those that need a download or other
    preparations override ``prepare_data`` too. A condition image is resized and mirrored with its image.

    Args:
        image_size: Height and width in pixels that the model sees. 28 become 32 with a black margin, other
            sizes are resized.
        horizontal_flip: Mirror each training image with probability 1/2, anew each time it is seen.
        **kwargs: As for `ArrayDataModule`.

    Attributes:
        channels: 1 for grey, 3 for colour.
        native_size: Height and width in pixels of the images that `load` returns.
        class_names: One name per class; empty without labels.
        condition_channels: Of the image that comes with each image in place of a label; 0 where there is none.
    """

    channels: int
    native_size: int
    condition_channels: int = 0

    def __init__(self, image_size: int = 32, horizontal_flip: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.image_size = whole_number("image_size", image_size, 1)
        self.horizontal_flip = horizontal_flip

    @abstractmethod
    def load(self, split: Split) -> Arrays:
        """Reads one of the official splits.

        Args:
            split: ``train`` or ``test``; ``validation`` only if ``has_validation_split``.

        Returns:
            Images ``(N, channels, native_size, native_size)``, uint8, and labels: int64 ``(N,)``, zeros where
            there are none; or vectors ``(N, K)``, float32; or tokens ``(N, L)``, int64, as the spec announces them; or
            images ``(N, condition_channels, native_size, native_size)``, uint8. Both may be read-only.
        """

    @property
    def spec(self) -> DataSpec:
        """What a model must know of this data; known before any of it is loaded."""
        spec = image_spec(self.channels, self.image_size, self.native_size, self.class_names)
        if self.condition_channels:
            spec["condition_image"] = [self.condition_channels, self.image_size, self.image_size]
        return spec

    def on_after_batch_transfer(self, batch: tuple[Tensor, Any], dataloader_idx: int) -> tuple[Tensor, Any]:
        """Brings bytes to floats in [-1, 1], on the device, and flips in training; floats are left alone."""
        images, labels = batch
        if images.dtype != torch.uint8:
            return images, labels
        heads = None
        if self.horizontal_flip and self.trainer is not None and self.trainer.training:
            heads = _coins(images, self.trainer)
        return _as_seen(images, heads), _as_seen(labels, heads) if self.condition_channels else labels

    def training_batches(self, number: int) -> Iterator[Batch]:
        """Training images in [-1, 1] and their labels as evaluation shows them: in the order of the file, not flipped.

        Args:
            number: How many at most; fewer than there are, are a fixed choice.

        Yields:
            Images ``(B, C, H, W)``, float32, and their labels.
        """
        for images, labels in super().training_batches(number):
            yield _as_seen(images, None), _as_seen(labels, None) if self.condition_channels else labels

    def native_array(self, part: Part) -> ImageArray:
        """A part that is loaded, as one array, in its order and in native size, whatever size the model sees.

        Args:
            part: Its name.
        """
        return self.array(part) if self.native_size == self.image_size else joined(self._native(part))

    def _native(self, part: Part) -> Subset[Batch]:
        """A part that is loaded, in native size; its file is read anew."""
        whole = self._as_in_file(self._split_of(part))
        return Subset(whole, self._places.get(part, np.arange(len(whole))).tolist())

    def _array(self, split: Split) -> ImageArray:
        whole = self._as_in_file(split)
        labels = _resized(whole.labels, self.image_size) if self.condition_channels else whole.labels
        return ImageArray(_resized(whole.images, self.image_size), labels)

    def _as_in_file(self, split: Split) -> ImageArray:
        whole = super()._array(split)
        self._require_images("images", whole.images, "channels", self.channels)
        if self.condition_channels:
            self._require_images("condition images", whole.labels, "condition_channels", self.condition_channels)
        return whole

    def _require_images(self, kind: str, found: NDArray[Any], attribute: str, channels: int) -> None:
        expected = (channels, self.native_size, self.native_size)
        if found.shape[1:] != expected or found.dtype != np.uint8:
            raise ValueError(
                f"{type(self).__name__}.load gave {found.dtype} {kind} of shape {found.shape[1:]}; "
                f"expected uint8 of shape {expected}, from its {attribute} and native_size"
            )


def batch_noise(device: torch.device, trainer: Trainer, *counters: int) -> BatchNoise:
    """Noise for the training batch that has just been transferred: a function of (seed, rank, batch, counters).

    Args:
        device: Where the batch is.
        trainer: Knows which batch it is.
        *counters: Tell one use of noise from another.
    """
    # Batches that are done: one that was interrupted, and is repeated after a resume, counts once.
    batch_index = int(trainer.fit_loop.epoch_loop.batch_progress.total.processed)  # type: ignore[attr-defined]
    return BatchNoise(device, run_seed(), Stream.AUGMENTATION, trainer.global_rank, batch_index, *counters)


def _coins(images: Tensor, trainer: Trainer) -> Tensor:
    """One fair coin per image, ``(B, 1, 1, 1)``, as a function of (seed, rank, batch)."""
    return batch_noise(images.device, trainer).uniform(len(images), 1, 1, 1) < 0.5


def _as_seen(images: Tensor, heads: Tensor | None) -> Tensor:
    """Bytes as floats in [-1, 1]; those images whose coin shows heads are mirrored."""
    return to_float(images if heads is None else torch.where(heads, images.flip(-1), images))


def _resized(images: NDArray[np.uint8], size: int, images_at_once: int = 4096) -> NDArray[np.uint8]:
    """Brings ``(N, C, H, W)`` to ``(N, C, size, size)``; images that fit stay untouched, and on disk."""
    native_size = images.shape[-1]
    if native_size == size:
        return images
    resized = np.empty((*images.shape[:2], size, size), np.uint8)
    for start in range(0, len(images), images_at_once):
        chunk = slice(start, start + images_at_once)
        # A copy, since images may be mapped read-only, which tensors cannot be.
        resized[chunk] = to_size(torch.from_numpy(images[chunk].copy()), native_size, size).numpy()
    return resized
