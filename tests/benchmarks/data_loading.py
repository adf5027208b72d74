"""How many images per second the training loader delivers, beside torchvision's usual way.

    python tests/benchmarks/data_loading.py [--root data] [--repeats 3]

Both deliver an epoch of Fashion-MNIST in shuffled batches of 128 float32 images in [-1, 1], without worker
processes. They take turns, and the fastest epoch of each counts.
"""

import argparse
import struct
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from genzoo.data import FashionMNIST
from genzoo.data.fashion_mnist import FILE_NAMES

BATCH_SIZE = 128

Batches = Iterable[tuple[Tensor, Tensor]]


class Ours:
    """Our training loader, with the conversion that the data module does on the device."""

    def __init__(self, root: str, image_size: int) -> None:
        self.data = FashionMNIST(root=root, image_size=image_size, batch_size=BATCH_SIZE)
        self.data.prepare_data()
        self.data.setup("fit")

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in self.data.train_dataloader():
            yield self.data.on_after_batch_transfer(batch, 0)


def torchvision_loader(data: FashionMNIST, folder: Path) -> Batches:
    """Torchvision's data set over the same files, laid out in a folder as it wants them."""
    raw = folder / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for split, names in FILE_NAMES.items():
        images, labels = data.load(split)
        for name, array in zip(names, (images[:, 0], labels.astype(np.uint8)), strict=True):
            header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            (raw / name).write_bytes(header + array.tobytes())
    to_range = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    dataset = datasets.FashionMNIST(str(folder), transform=to_range)
    return DataLoader(dataset, batch_size=BATCH_SIZE, shuffle=True, drop_last=True)


def images_per_second(batches: Batches) -> float:
    """Runs through one epoch."""
    count = 0
    start = time.perf_counter()
    for images, _ in batches:
        count += len(images)
    seconds = time.perf_counter() - start
    assert images.dtype == torch.float32
    assert images.aminmax() == (-1.0, 1.0)
    return count / seconds


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--root", default="data", help="folder with the files of Fashion-MNIST")
    parser.add_argument("--repeats", type=int, default=3, help="epochs of each loader")
    arguments = parser.parse_args()
    # One thread for both: what several do to so small a task depends on what else the machine is doing.
    torch.set_num_threads(1)

    with tempfile.TemporaryDirectory() as folder:
        ours = {f"genzoo, {size} x {size}": Ours(arguments.root, size) for size in (28, 32)}
        theirs = torchvision_loader(next(iter(ours.values())).data, Path(folder))
    loaders: dict[str, Batches] = {"torchvision, 28 x 28": theirs, **ours}

    speeds: dict[str, list[float]] = defaultdict(list)
    for _ in range(arguments.repeats):
        for name, loader in loaders.items():
            speeds[name].append(images_per_second(loader))
    reference = max(speeds["torchvision, 28 x 28"])
    for name, measured in speeds.items():
        print(f"{name:22} {max(measured):>11,.0f} images/s  {max(measured) / reference:6.1f} times torchvision")


if __name__ == "__main__":
    main()
