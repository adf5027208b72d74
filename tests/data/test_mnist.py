import numpy as np
import pytest
from torchvision import datasets

from genzoo.data.idx import FILE_NAMES
from genzoo.data.mnist import EMNIST, KMNIST, MNIST
from tests.data.official_files import labelled, write_idx

COUNTS = {"byclass": 62, "bymerge": 47, "balanced": 47, "letters": 26, "digits": 10, "mnist": 10}


@pytest.mark.parametrize("data_set", [MNIST, KMNIST])
@pytest.mark.parametrize("folder", [".", "raw"])
def test_the_files_are_read_from_the_root_or_from_torchvisions_folder(tmp_path, data_set, folder):
    images, labels = labelled(10, 1, 28)
    place = tmp_path if folder == "." else tmp_path / data_set.title / "raw"
    write_idx(place, FILE_NAMES, images, labels, compress=folder == ".")
    data = data_set(root=str(tmp_path))
    data.prepare_data()
    for split in ("train", "test"):
        found, found_labels = data.load(split)
        assert np.array_equal(found, images)
        assert found_labels.dtype == np.int64
        assert np.array_equal(found_labels, labels)


def test_class_names_are_torchvisions():
    assert list(KMNIST.class_names) == datasets.KMNIST.classes
    assert MNIST().spec["class_names"] == list("0123456789")


@pytest.mark.parametrize("split", COUNTS)
def test_emnist_is_turned_upright_and_its_labels_begin_with_zero(tmp_path, split):
    data = EMNIST(split=split, root=str(tmp_path))
    assert len(data.class_names) == COUNTS[split]
    images, labels = labelled(COUNTS[split], 1, 28, first_label=split == "letters")
    transposed = np.ascontiguousarray(images.swapaxes(2, 3))
    write_idx(tmp_path / "EMNIST" / "raw", data.file_names, transposed, labels)
    data.prepare_data()
    found, found_labels = data.load("train")
    assert np.array_equal(found, images)
    assert found.flags.c_contiguous
    assert np.array_equal(np.unique(found_labels), np.arange(COUNTS[split]))
    data.setup("fit")


def test_the_names_of_emnists_classes_are_in_the_order_of_its_labels():
    assert EMNIST(split="letters").class_names[:3] == ["a", "b", "c"]
    assert "".join(EMNIST().class_names) == "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"


def test_an_unknown_split_of_emnist_is_refused():
    with pytest.raises(ValueError, match="split is 'all', but must be one of byclass, bymerge, balanced, letters"):
        EMNIST(split="all")


@pytest.mark.parametrize("data_set", [MNIST, KMNIST, EMNIST])
def test_without_files_and_network_the_error_says_what_to_put_where(tmp_path, data_set):
    data = data_set(root=str(tmp_path / "root"))
    with pytest.raises(FileNotFoundError) as caught:
        data.prepare_data()
    message = str(caught.value)
    for part in (data.title, f"{tmp_path / 'root'},", "/raw", "the download failed", *data.file_names["train"]):
        assert part in message
    with pytest.raises(FileNotFoundError, match=r"nothing has been downloaded; put .* into"):
        data.load("train")


def test_torchvisions_own_download_is_asked(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(datasets, "EMNIST", lambda root, split, download: asked.append((root, split, download)))
    data = object.__new__(EMNIST)
    data.root, data.split = tmp_path, "letters"
    data.download()
    assert asked == [(str(tmp_path), "letters", True)]
