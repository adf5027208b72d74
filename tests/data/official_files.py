"""Writes small files in the official layouts of the data sets, for tests."""

import gzip
import pickle
from io import BytesIO

import numpy as np
import pytest
import scipy.io
from PIL import Image
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


def write_stl10(root, monkeypatch):
    """Images with rows and columns exchanged, labels from 1 to 10; unlabelled images are all alike."""
    images, labels = labelled(10, 3, 96, first_label=1)
    folder = root / "stl10_binary"
    folder.mkdir(parents=True)
    transposed = np.ascontiguousarray(images.swapaxes(2, 3))
    contents = {
        "train_X.bin": transposed,
        "train_y.bin": labels,
        "unlabeled_X.bin": np.full((12, 3, 96, 96), 7, np.uint8),
        "test_X.bin": transposed,
        "test_y.bin": labels,
    }
    for name, array in contents.items():
        (folder / name).write_bytes(array.tobytes())
    for attribute in ("train_list", "test_list"):
        names = [name for name, _ in getattr(datasets.STL10, attribute)]
        monkeypatch.setattr(datasets.STL10, attribute, [[name, calculate_md5(folder / name)] for name in names])


def write_celeba(root, monkeypatch, attributes, number=24):
    """Grey faces of 178 x 218 pixels with a black frame outside the middle square, and the five lists.

    The face of number i has the attributes whose place has a remainder of i by three; every third image is for
    training, validation and test.
    """
    folder = root / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    names = [f"{place + 1:06d}.jpg" for place in range(number)]
    for place, name in enumerate(names):
        pixels = np.zeros((218, 178, 3), np.uint8)
        pixels[20:198] = 10 * place % 250
        Image.fromarray(pixels).save(folder / "img_align_celeba" / name, quality=95)

    def write(name, rows, header=None):
        lines = [] if header is None else [str(number), header]
        (folder / name).write_text(
            "\n".join([*lines, *(f"{image}  {row}" for image, row in zip(names, rows, strict=True))]) + "\n"
        )

    has = [[1 if attribute % 3 == place % 3 else -1 for attribute in range(40)] for place in range(number)]
    write("list_attr_celeba.txt", [" ".join(map(str, row)) for row in has], " ".join(attributes))
    write("list_eval_partition.txt", [place % 3 for place in range(number)])
    write("identity_CelebA.txt", range(number))
    write("list_bbox_celeba.txt", ["1 2 3 4"] * number, "x_1 y_1 width height")
    write("list_landmarks_align_celeba.txt", ["1 2 3 4 5 6 7 8 9 10"] * number, "a b c d e f g h i j")
    hashed = [
        (identifier, md5 if name.endswith(".zip") else calculate_md5(folder / name), name)
        for identifier, md5, name in datasets.CelebA.file_list
    ]
    monkeypatch.setattr(datasets.CelebA, "file_list", hashed)


def write_lsun(root, categories, number=12):
    """An LMDB database of encoded images for each category and split, its colour the place."""
    import lmdb

    for category in categories:
        for split in ("train", "val"):
            database = lmdb.open(str(root / f"{category}_{split}_lmdb"), map_size=2**24)
            with database, database.begin(write=True) as transaction:
                for place in range(number):
                    content = BytesIO()
                    Image.new("RGB", (40, 30), (place, place, place)).save(content, "WEBP", lossless=True)
                    transaction.put(f"{category}{place:03d}".encode(), content.getvalue())


def write_for_overlay(overlay, root, monkeypatch):
    """What a data overlay of the shipped configs needs in the folder ``data``, in official layout.

    Args:
        overlay: Name of the file in ``configs/data``, without its ending.
        root: The folder ``data`` of the working folder.
        monkeypatch: Replaces torchvision's checksums.
    """
    from genzoo.data.idx import FILE_NAMES
    from genzoo.data.mnist import EMNIST
    from genzoo.data.torchvision_cached import CELEBA_ATTRIBUTES

    root.mkdir(parents=True, exist_ok=True)
    if overlay in ("fashion_mnist", "mnist", "kmnist", "binarized_fashion_mnist"):
        write_idx(root, FILE_NAMES, *labelled(10, 1, 28))
    elif overlay == "emnist":
        write_idx(root, EMNIST().file_names, *labelled(47, 1, 28))
    elif overlay in WRITERS:
        WRITERS[overlay](root, monkeypatch)
    elif overlay == "celeba":
        write_celeba(root, monkeypatch, CELEBA_ATTRIBUTES, number=60)
    elif overlay == "lsun":
        pytest.importorskip("lmdb")
        write_lsun(root, ["church_outdoor"])
    elif overlay == "image_folder":
        write_pictures(root / "images")
    elif overlay == "hugging_face":
        library = pytest.importorskip("datasets")
        write_pictures(root / "pictures")
        pictures = [str(path) for path in sorted((root / "pictures").glob("*/*.png"))]
        rows = library.Dataset.from_dict({"image": pictures}).cast_column("image", library.Image())
        rows.to_parquet(root / "images.parquet")


WRITERS = {"cifar10": write_cifar10, "cifar100": write_cifar100, "svhn": write_svhn, "stl10": write_stl10}


def write_pictures(folder):
    """Noise of various sizes in two classes."""
    for label in ("cats", "dogs"):
        (folder / label).mkdir(parents=True)
        for number in range(15):
            pixels = np.random.default_rng(number).integers(0, 256, (40, 50 + number, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{number}.png")
