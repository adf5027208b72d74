import gzip
import hashlib
import importlib.util
import lzma
import shutil
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
from torchvision import datasets

from genzoo.data import fashion_mnist
from genzoo.data.fashion_mnist import (
    DEBIAN_FOLDER,
    FILE_NAMES,
    MINI_FOLDER,
    MINI_HASHES,
    FashionMNIST,
    FashionMNISTMini,
    read_idx,
)

SCRIPT = Path(__file__).parents[2] / "scripts" / "build_fashion_mnist_mini.py"

needs_official_files = pytest.mark.skipif(
    not DEBIAN_FOLDER.is_dir(), reason=f"needs the official files in {DEBIAN_FOLDER}"
)


@pytest.fixture
def script():
    specification = importlib.util.spec_from_file_location("build_fashion_mnist_mini", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def write_official(folder, grey, compress=True, per_class=4):
    """The four files with small grey images: training images 0, 1, 2, ... brighter than ``grey``."""
    folder.mkdir(parents=True, exist_ok=True)
    for images_name, labels_name in FILE_NAMES.values():
        labels = np.tile(np.arange(10, dtype=np.uint8), per_class)
        images = grey + np.arange(len(labels), dtype=np.uint8)[:, None, None] + np.zeros((1, 28, 28), np.uint8)
        for name, array in ((images_name, images), (labels_name, labels)):
            if compress:
                (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
            else:
                (folder / name).write_bytes(idx(array))


@pytest.fixture
def no_debian(monkeypatch, tmp_path):
    monkeypatch.setattr(fashion_mnist, "DEBIAN_FOLDER", tmp_path / "debian")
    return tmp_path / "debian"


@pytest.fixture
def no_network(monkeypatch):
    def fail(*arguments, **settings):
        raise URLError("no network")

    monkeypatch.setattr(datasets, "FashionMNIST", fail)


@pytest.mark.parametrize(("suffix", "compress"), [("", bytes), (".gz", gzip.compress), (".xz", lzma.compress)])
def test_idx_files_are_read_plain_and_compressed(tmp_path, suffix, compress):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    path = tmp_path / f"images{suffix}"
    path.write_bytes(compress(idx(array)))
    assert read_idx(path).dtype == np.uint8
    assert np.array_equal(read_idx(path), array)


GOOD = idx(np.arange(100, dtype=np.uint8))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a", GOOD[:-1], "holds 99 bytes where its header promises 100"),
        ("a", GOOD + b"x", "holds 101 bytes where its header promises 100"),
        ("a", b"\0\0\x0d" + GOOD[3:], "is not an idx file of bytes"),
        ("a", b"<html>not found</html>", "is not an idx file of bytes"),
        ("a", b"\0\0\x08\x03\0\0", "is not an idx file of bytes"),
        ("a", b"", "is not an idx file of bytes"),
        ("a.gz", gzip.compress(GOOD, mtime=0)[:-20], "is damaged"),
        ("a.gz", b"no gzip at all", "is damaged"),
        ("a.gz", gzip.compress(GOOD, mtime=0)[:12] + b"\xff" * 40, "is damaged"),
        ("a.xz", lzma.compress(GOOD)[:-20], "is damaged"),
        ("a.xz", b"no xz at all", "is damaged"),
    ],
)
def test_a_bad_file_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_idx(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize(("split", "count"), [("train", 10_000), ("test", 2_000)])
def test_the_embedded_part_is_balanced(split, count):
    images, labels = FashionMNISTMini().load(split)
    assert images.shape == (count, 1, 28, 28)
    assert images.dtype == np.uint8
    assert labels.dtype == np.int64
    assert np.bincount(labels).tolist() == [count // 10] * 10
    assert (images.min(), images.max()) == (0, 255)


@needs_official_files
@pytest.mark.parametrize("split", ["train", "test"])
def test_the_embedded_part_is_taken_from_the_official_split_unchanged(split):
    def rows(data):
        images, labels = data.load(split)
        return [(image.tobytes(), label) for image, label in zip(images, labels, strict=True)]

    embedded = rows(FashionMNISTMini())
    official = set(rows(FashionMNIST(root="nowhere")))
    assert set(embedded) <= official
    assert len(set(embedded)) > 0.99 * len(embedded)


def test_the_embedded_part_is_small_and_licensed():
    assert sum(path.stat().st_size for path in MINI_FOLDER.iterdir()) < 5_000_000
    assert "2017 Zalando SE" in (MINI_FOLDER / "LICENSE").read_text()


@pytest.mark.parametrize("name", FILE_NAMES["train"])
def test_a_file_that_was_tampered_with_is_refused(monkeypatch, tmp_path, name):
    shutil.copytree(MINI_FOLDER, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(fashion_mnist, "MINI_FOLDER", tmp_path)
    FashionMNISTMini().load("train")
    path = tmp_path / f"{name}.xz"
    array = read_idx(path).copy()
    array.flat[0] ^= 1
    path.write_bytes(lzma.compress(idx(array), preset=0))
    with pytest.raises(ValueError, match=r"is not the file that was shipped") as caught:
        FashionMNISTMini().load("train")
    assert str(path) in str(caught.value)


@needs_official_files
def test_the_script_rebuilds_the_embedded_part_bit_for_bit(script, tmp_path):
    written = script.build(DEBIAN_FOLDER, tmp_path, script.IMAGE_COUNTS)
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in written} == MINI_HASHES


def test_the_script_picks_equally_many_of_each_class(script, tmp_path):
    write_official(tmp_path / "official", grey=7)
    script.build(tmp_path / "official", tmp_path / "mini", {"train": 20, "test": 10})
    images, labels = (read_idx(tmp_path / "mini" / f"{name}.xz") for name in FILE_NAMES["train"])
    assert np.bincount(labels).tolist() == [2] * 10
    assert ((images[:, 0, 0] - 7) % 10 == labels).all()
    assert (np.diff(images[:, 0, 0]) > 0).all()
    assert len(read_idx(tmp_path / "mini" / f"{FILE_NAMES['test'][0]}.xz")) == 10


def test_the_script_prints_sizes_and_hashes(script, tmp_path, monkeypatch, capsys):
    write_official(tmp_path / "official", grey=7)
    monkeypatch.setattr(script, "IMAGE_COUNTS", {"train": 10, "test": 10})
    monkeypatch.setattr("sys.argv", ["build", str(tmp_path / "official"), str(tmp_path / "mini")])
    script.main()
    lines = capsys.readouterr().out.splitlines()
    path = tmp_path / "mini" / "train-images-idx3-ubyte.xz"
    assert len(lines) == 4
    assert lines[0].split() == [
        path.name, str(path.stat().st_size), "bytes", hashlib.sha256(path.read_bytes()).hexdigest()
    ]  # fmt: skip


@pytest.mark.parametrize("compress", [True, False])
def test_files_are_found_in_the_order_promised(tmp_path, no_debian, compress):
    data = FashionMNIST(root=str(tmp_path / "root"))
    for grey, folder in ((1, no_debian), (2, tmp_path / "root/FashionMNIST/raw"), (3, tmp_path / "root")):
        write_official(folder, grey, compress)
        data.prepare_data()
        images, labels = data.load("train")
        assert images.shape == (40, 1, 28, 28)
        assert images[0].max() == grey
        assert labels[:12].tolist() == [*range(10), 0, 1]
        assert labels.dtype == np.int64


def test_a_folder_that_lacks_a_file_is_passed_over(tmp_path, no_debian):
    write_official(no_debian, grey=1)
    write_official(tmp_path / "root", grey=3)
    (tmp_path / "root" / "train-labels-idx1-ubyte.gz").unlink()
    assert FashionMNIST(root=str(tmp_path / "root")).load("train")[0][0].max() == 1


def test_what_is_nowhere_is_downloaded_into_the_root(tmp_path, no_debian, monkeypatch):
    def download(root, download):
        assert download
        write_official(Path(root) / "FashionMNIST" / "raw", grey=5, compress=False)

    monkeypatch.setattr(datasets, "FashionMNIST", download)
    data = FashionMNIST(root=str(tmp_path / "root"))
    with pytest.raises(FileNotFoundError, match="nothing has been downloaded"):
        data.load("train")
    data.prepare_data()
    assert data.load("test")[0][0].max() == 5


def test_the_error_names_every_way_out(tmp_path, no_debian, no_network):
    with pytest.raises(FileNotFoundError) as caught:
        FashionMNIST(root=str(tmp_path / "root")).prepare_data()
    message = str(caught.value)
    assert "\n" not in message
    for part in (
        f"{tmp_path / 'root'},",
        str(tmp_path / "root" / "FashionMNIST" / "raw"),
        str(no_debian),
        "the download failed",
        "apt-get install dataset-fashion-mnist",
        "train-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
        "--data FashionMNISTMini",
    ):
        assert part in message


def test_nothing_is_downloaded_when_the_files_are_there(tmp_path, no_debian, no_network):
    write_official(tmp_path, grey=1)
    FashionMNIST(root=str(tmp_path)).prepare_data()


@pytest.mark.parametrize("data", [FashionMNISTMini(), FashionMNIST(root="nowhere")])
def test_the_spec_is_known_without_files(data):
    assert data.spec["shape"] == [1, 32, 32]
    assert data.spec["native_size"] == 28
    assert data.spec["class_names"][0] == "T-shirt/top"
    assert data.spec["class_names"][9] == "Ankle boot"
    assert len(data.spec["class_names"]) == 10
