"""Writes small files in the official layouts of the data sets, for tests."""

import gzip
import pickle

import numpy as np
import scipy.io
from torchvision import datasets
from torchvision.datasets.utils import calculate_md5

PER_CLASS = 4


def idx(array):
    """An array of bytes in the idx format."""
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def labelled(classes, channels, size, first_label=0):
    """Seeded noise images whose first pixel tells their class, and the labels as bytes."""
    labels = np.tile(np.arange(classes, dtype=np.uint8), PER_CLASS)
    images = np.random.default_rng(classes).integers(0, 256, (len(labels), channels, size, size), dtype=np.uint8)
    images[:, :, 0, 0] = labels[:, None]
    return images, labels + np.uint8(first_label)


def write_idx(folder, file_names, images, labels, compress=False):
    """The files of every split; the same content in each."""
    folder.mkdir(parents=True, exist_ok=True)
    for names in file_names.values():
        for name, array in zip(names, (images[:, 0], labels), strict=True):
            path = folder / (f"{name}.gz" if compress else name)
            path.write_bytes(gzip.compress(idx(array)) if compress else idx(array))


def write_cifar10(root, monkeypatch):
    """Six batches as pickled dictionaries, and the names of the classes."""
    images, labels = labelled(10, 3, 32)
    batch = {"data": images.reshape(len(images), -1), "labels": labels.tolist()}
    names = {"label_names": [f"class {number}" for number in range(10)]}
    _write_cifar(root, monkeypatch, datasets.CIFAR10, batch, names)


def write_cifar100(root, monkeypatch):
    """Two batches as pickled dictionaries, and the names of the classes."""
    images, labels = labelled(100, 3, 32)
    batch = {"data": images.reshape(len(images), -1), "fine_labels": labels.tolist()}
    _write_cifar(root, monkeypatch, datasets.CIFAR100, batch, {"fine_label_names": [str(n) for n in range(100)]})


def _write_cifar(root, monkeypatch, source, batch, names):
    folder = root / source.base_folder
    folder.mkdir(parents=True)

    def write(name, content):
        (folder / name).write_bytes(pickle.dumps(content))
        return [name, calculate_md5(folder / name)]

    monkeypatch.setattr(source, "train_list", [write(name, batch) for name, _ in source.train_list])
    monkeypatch.setattr(source, "test_list", [write(name, batch) for name, _ in source.test_list])
    monkeypatch.setattr(source, "meta", {**source.meta, "md5": write(source.meta["filename"], names)[1]})


def write_svhn(root, monkeypatch):
    """Two MATLAB files, images along the last axis, the digit 0 labelled 10."""
    images, labels = labelled(10, 3, 32)
    root.mkdir(parents=True, exist_ok=True)
    hashes = {}
    for split, (url, name, _) in datasets.SVHN.split_list.items():
        digits = np.where(labels == 0, 10, labels)[:, None]
        scipy.io.savemat(root / name, {"X": images.transpose(2, 3, 1, 0), "y": digits})
        hashes[split] = [url, name, calculate_md5(root / name)]
    monkeypatch.setattr(datasets.SVHN, "split_list", hashes)
