"""Rebuilds the part of Fashion-MNIST that comes with the package, bit for bit, from the official files.

    python scripts/build_fashion_mnist_mini.py SOURCE_FOLDER [TARGET_FOLDER]

The source folder holds the four official ``.gz`` files (Debian's package ``dataset-fashion-mnist`` puts them
into ``/usr/share/datasets/fashion-mnist``); the target is the package's own folder if left out. Sizes and
SHA-256 are printed; the hashes belong into `genzoo.data.fashion_mnist.MINI_HASHES`.
"""

import argparse
import hashlib
import lzma
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genzoo.data.fashion_mnist import FILE_NAMES, MINI_FOLDER, read_idx
from genzoo.subsets import Purpose, choose_balanced

IMAGE_COUNTS = {"train": 10_000, "test": 2_000}


def encode_idx(array: NDArray[np.uint8]) -> bytes:
    """An array of bytes in the idx format: magic number, shape, content."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def build(source: Path, target: Path, image_counts: dict[str, int]) -> list[Path]:
    """Writes the four files and returns their paths."""
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for split, names in FILE_NAMES.items():
        images, labels = (read_idx(source / f"{name}.gz") for name in names)
        chosen = choose_balanced(labels.astype(np.int64), image_counts[split], Purpose.EMBEDDED)
        for name, array in zip(names, (images, labels), strict=True):
            path = target / f"{name}.xz"
            path.write_bytes(lzma.compress(encode_idx(array[chosen]), preset=9))
            written.append(path)
    return written


def main() -> None:
    """Reads the command line, builds, and prints what was built."""
    parser = argparse.ArgumentParser(description="Rebuild the embedded part of Fashion-MNIST.")
    parser.add_argument("source", type=Path, help="folder with the four official .gz files")
    parser.add_argument("target", type=Path, nargs="?", default=MINI_FOLDER, help="folder to write into")
    arguments = parser.parse_args()
    for path in build(arguments.source, arguments.target, IMAGE_COUNTS):
        content = path.read_bytes()
        print(f"{path.name:30} {len(content):>9,} bytes  {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
