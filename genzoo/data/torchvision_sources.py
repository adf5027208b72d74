"""Colour images that torchvision downloads, checks and reads: CIFAR, street numbers."""

from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torchvision import datasets

from genzoo.data.images import ImageDataModule
from genzoo.data.splits import Split
from genzoo.extras import import_extra

CIFAR100_NAMES = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant
flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree
motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate
poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider
squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle
wardrobe whale willow_tree wolf woman worm
"""


class TorchvisionImages(ImageDataModule):
    """32 x 32 colour images of a data set that torchvision reads whole.

    Args:
        root: Folder with the files, or to download them into.
        **kwargs: As for `ImageDataModule`.

    Attributes:
        folder: Where in the root the files are.
        files: Which they are, for error messages.
    """

    channels = 3
    native_size = 32
    folder: str = "."
    files: str

    def __init__(self, root: str = "data", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.root = Path(root).expanduser()

    @abstractmethod
    def source(self, split: Split, download: bool) -> Any:
        """Opens a split as torchvision's data set, after a download if that is wanted and needed."""

    def prepare_data(self) -> None:
        """Downloads the files unless they are there.

        Raises:
            FileNotFoundError: If that fails.
        """
        for split in ("train", "test"):
            self._open(split, download=True)

    def load(self, split: Split) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Reads one of the official splits.

        Raises:
            FileNotFoundError: If its files are missing or damaged.
        """
        source = self._open(split, download=False)
        # Channels come first or last, as the data set has it.
        images = source.data if source.data.shape[1] == self.channels else np.moveaxis(source.data, -1, 1)
        labels = source.targets if hasattr(source, "targets") else source.labels
        return np.ascontiguousarray(images), np.asarray(labels, np.int64)

    def _open(self, split: Split, download: bool) -> Any:
        return open_torchvision(self, self.root / self.folder, self.files, split, download)


def open_torchvision(data: Any, folder: Path, files: str, split: Split, download: bool) -> Any:
    """Opens a split of a torchvision data set, with an error that says what to do.

    Args:
        data: The data module, which has a method ``source(split, download)``.
        folder: Where the files are expected.
        files: Which they are.
        split: What to open.
        download: Whether to fetch what is missing.

    Raises:
        FileNotFoundError: If the files are missing or damaged, and a download was not wanted or has failed.
    """
    try:
        return data.source(split, download)
    except (OSError, RuntimeError) as error:
        outcome = f"the download failed ({error})" if download else "nothing has been downloaded"
        raise FileNotFoundError(
            f"{type(data).__name__} is not, or not undamaged, in {folder.absolute()}, and {outcome}; put {files} there"
        ) from error


class CIFAR10(TorchvisionImages):
    """CIFAR-10 (Krizhevsky 2009): 50,000 training and 10,000 test photographs in ten classes."""

    folder = "cifar-10-batches-py"
    files = "data_batch_1 to data_batch_5, test_batch and batches.meta of cifar-10-python.tar.gz"
    class_names = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

    def source(self, split: Split, download: bool) -> Any:
        """Opens a split as torchvision's data set."""
        return datasets.CIFAR10(self.root, train=split == "train", download=download)


class CIFAR100(TorchvisionImages):
    """CIFAR-100 (Krizhevsky 2009): 50,000 training and 10,000 test photographs in a hundred classes."""

    folder = "cifar-100-python"
    files = "train, test and meta of cifar-100-python.tar.gz"
    class_names = tuple(CIFAR100_NAMES.split())

    def source(self, split: Split, download: bool) -> Any:
        """Opens a split as torchvision's data set."""
        return datasets.CIFAR100(self.root, train=split == "train", download=download)


class SVHN(TorchvisionImages):
    """Street View House Numbers (Netzer et al. 2011), cropped: 73,257 training and 26,032 test images of digits."""

    files = "train_32x32.mat and test_32x32.mat"
    class_names = tuple("0123456789")

    def source(self, split: Split, download: bool) -> Any:
        """Opens a split as torchvision's data set."""
        import_extra("scipy.io", "scipy", "SVHN")
        return datasets.SVHN(self.root, split=split, download=download)
