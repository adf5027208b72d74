"""Binarised Fashion-MNIST, on which log-likelihoods are compared (Norouzi et al. 2020)."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Subset

from genzoo.data.arrays import Batch, ImageArray
from genzoo.data.fashion_mnist import FashionMNIST, FashionMNISTMini
from genzoo.data.images import ImageDataModule, batch_noise
from genzoo.data.splits import Part
from genzoo.hyperparameters import whole_number
from genzoo.noise import ImageNoise, Stream
from genzoo.spec import DataSpec
from genzoo.subsets import Purpose, count_of, shuffled

# Tells the noise of binarisation from that of flips.
BINARISATION = 1


class BinarisedImages(ImageDataModule):
    """Turns a data set into pixels of -1 and 1, 1 with the probability x / 255 of a pixel's value x.

    Training pixels are drawn anew at every step, on the device. Those of all other images are drawn once: bits
    of an image depend on ``bits_seed`` and its place in its file, not on batches or the run. Validation images
    are chosen at random from the training file.

    Args:
        image_size: Height and width in pixels that the model sees.
        validation_fraction: Share of the training images that is held out for validation.
        bits_seed: Of the bits of validation and test images.
        **kwargs: As for the data set that is binarised.
    """

    def __init__(
        self, image_size: int = 28, validation_fraction: float = 1 / 6, bits_seed: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(image_size=image_size, validation_fraction=validation_fraction, **kwargs)
        self.bits_seed = whole_number("bits_seed", bits_seed)

    @property
    def spec(self) -> DataSpec:
        """What a model must know of this data; known before any of it is loaded."""
        return DataSpec(**super().spec, binarised=True)

    def setup(self, stage: str) -> None:
        """Loads what the stage needs, and draws the bits of all but the training images."""
        loaded = set(self.parts)
        super().setup(stage)
        # Parts of an earlier stage have had their bits drawn.
        for name, part in self.parts.items():
            if name not in loaded and name != "train":
                self.parts[name] = self._binarised(part, is_test=name == "test")

    def on_after_batch_transfer(self, batch: tuple[Tensor, Any], dataloader_idx: int) -> tuple[Tensor, Any]:
        """Draws the bits of training images; those of others have been drawn, and 0 and 255 stay as they are."""
        images, labels = batch
        if images.dtype == torch.uint8 and self.trainer is not None and self.trainer.training:
            noise = batch_noise(images.device, self.trainer, BINARISATION)
            images = _bits(images, noise.uniform(*images.shape))
        return super().on_after_batch_transfer((images, labels), dataloader_idx)

    def array(self, part: Part) -> ImageArray:
        """A part that is loaded, as one array of bits; those of training images are drawn once, for evaluation."""
        return self._binarised(self.parts[part], is_test=False) if part == "train" else super().array(part)

    def native_array(self, part: Part) -> ImageArray:
        """A part that is loaded, as one array of the bits that it has in native size, drawn once."""
        if self.native_size == self.image_size:
            return self.array(part)
        return self._binarised(self._native(part), is_test=part == "test")

    def _excerpt(self, number: int) -> ImageArray:
        return self._binarised(super()._excerpt(number), is_test=False)

    def _held_out(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        count = count_of(self.validation_fraction, len(labels))
        return np.sort(shuffled(len(labels), Purpose.VALIDATION)[:count])

    def _binarised(self, part: ImageArray | Subset[Batch], is_test: bool) -> ImageArray:
        """A copy of a part with fixed bits, keyed by the images' places in their file."""
        places = np.arange(len(part))
        whole: Any = part
        while isinstance(whole, Subset):
            places, whole = np.asarray(whole.indices)[places], whole.dataset
        images, labels = whole.__getitems__(places.tolist())
        counters = (self.bits_seed, Stream.AUGMENTATION, BINARISATION, int(is_test))
        noise = ImageNoise(torch.from_numpy(places), "cpu", *counters)
        return ImageArray(_bits(images, noise.uniform(*images.shape)).numpy(), labels.numpy())


class BinarizedFashionMNIST(BinarisedImages, FashionMNIST):
    """Binarised Fashion-MNIST: 50,000 training, 10,000 validation and 10,000 test images of 784 bits."""


class BinarizedFashionMNISTMini(BinarisedImages, FashionMNISTMini):
    """The same protocol on the part of Fashion-MNIST that comes with the package; its scores are its own."""


def _bits(images: Tensor, uniform: Tensor) -> Tensor:
    """255 with the probability x / 255 of each pixel x, else 0; 0 and 255 stay what they are. All uint8."""
    # Strictly below: uniform numbers lie in [0, 1), so that 0 never becomes white and 255 always does.
    return (uniform * 255 < images).to(torch.uint8) * 255
