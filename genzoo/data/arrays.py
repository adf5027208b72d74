"""Images (or points) as one array, a whole batch per indexing operation, in an order that needs no state."""

import zlib
from collections.abc import Iterator, Sequence, Sized
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Subset
from torch.utils.data.distributed import DistributedSampler

from genzoo.subsets import shuffled

Batch = tuple[Tensor, Tensor]
"""Items and their labels; images are bytes as they leave the array, and floats in [-1, 1] as models get them."""

# Of a data set that is mapped from disk, all items would be read for nothing but their checksum.
MOST_ITEMS_COMPARED = 4096


class ImageArray(Dataset[Batch]):
    """A split of a data set in memory, or memory-mapped.

    Args:
        images: ``(N, C, H, W)``, uint8, or points ``(N, D)``, float32; may be read-only.
        labels: ``(N,)``, int64, zeros where there are none; or in their place vectors ``(N, K)``, float32, tokens
            ``(N, L)``, int64, or images ``(N, C, H, W)``, uint8.
    """

    def __init__(self, images: NDArray[Any], labels: NDArray[Any]) -> None:
        if len(images) != len(labels):
            raise ValueError(f"there are {len(images)} images, but {len(labels)} labels; expected one for each")
        self.images = np.asarray(images)
        self.labels = np.asarray(labels)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Batch:
        images, labels = self.__getitems__([index])
        return images[0], labels[0]

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """Fetches a batch at once.

        Args:
            indices: B places in the split.

        Returns:
            Images ``(B, C, H, W)`` and labels ``(B, ...)``, of the types they have; copies, free to be changed.
        """
        # NumPy's `take` is about one and a half times as fast as torch's `index_select`, and may read from
        # read-only memory maps.
        return torch.from_numpy(self.images.take(indices, axis=0)), torch.from_numpy(self.labels.take(indices, axis=0))


def joined(items: ImageArray | Subset[Batch]) -> ImageArray:
    """A part as one array, in its order."""
    found: Any = items
    return ImageArray(*(values.numpy() for values in found.__getitems__(list(range(len(found))))))


def identity_of(whole: ImageArray) -> str:
    """The number of items, and a checksum of some of them and of their labels, in their order."""
    places = np.linspace(0, len(whole) - 1, min(MOST_ITEMS_COMPARED, len(whole))).astype(int)
    # Labels that are images are as large as the items, of which some are enough to tell data apart.
    labels = whole.labels[places] if whole.labels.ndim == 4 else whole.labels
    # It has to tell mistakes, not forgeries: a cryptographic digest would only take longer.
    checksum = zlib.crc32(np.ascontiguousarray(whole.images[places]).tobytes())
    return f"{len(whole)}-{zlib.crc32(np.ascontiguousarray(labels).tobytes(), checksum):08x}"


class EpochSampler(DistributedSampler[Batch]):
    """An order that is a function of (seed, epoch) alone, so that a resumed run continues it exactly.

    Rank r of R takes the places r, r + R, r + 2R, ... of the order. Ranks always have equally many, since one that had
    nothing left to do would keep the others waiting. Lightning leaves distributed samplers as they are and tells them
    the epoch, on one device too.

    Args:
        dataset: What is sampled from.
        num_replicas: Number of ranks.
        rank: Which of them this is.
        shuffle: A new order each epoch; False: the order of the data set.
        seed: What the order is a function of, besides the epoch.
        drop_last: Drops the last few images of an order that the ranks cannot share evenly. False: each
            image is seen, and ranks that would have one fewer repeat the last of the order, at places from the
            length of the data set on; models leave these out of account.

    Attributes:
        skip: How many of this rank's samples to leave out at the start of the epoch, because an interrupted
            run has seen them. It holds for one epoch and leaves ``len`` as it is.
    """

    def __init__(
        self,
        dataset: Sized,
        num_replicas: int = 1,
        rank: int = 0,
        shuffle: bool = False,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        super().__init__(dataset, num_replicas, rank, shuffle, seed, drop_last)  # type: ignore[arg-type]
        length = len(dataset)
        self.total_size = length - length % num_replicas if drop_last else length + -length % num_replicas
        self.num_samples = self.total_size // num_replicas
        self.skip = 0

    def __iter__(self) -> Iterator[int]:  # type: ignore[override]
        length = len(self.dataset)  # type: ignore[arg-type]
        order = shuffled(length, self.seed, self.epoch) if self.shuffle else np.arange(length)
        # Where the parent repeats the first images, which could not be told from themselves afterwards.
        order = np.pad(order, (0, max(0, self.total_size - length)), mode="edge") if length else order
        own = order[self.rank : self.total_size : self.num_replicas]
        return iter(own[self.skip :].tolist())

    def set_epoch(self, epoch: int) -> None:
        """Chooses the order; a skip of another epoch is forgotten."""
        if epoch != self.epoch:
            self.skip = 0
        self.epoch = epoch
