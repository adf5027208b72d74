import numpy as np
import pytest
from torchvision import datasets

from genzoo.data.torchvision_sources import CIFAR10, CIFAR100, SVHN
from tests.data.official_files import labelled, write_cifar10, write_cifar100, write_svhn

SOURCES = [(CIFAR10, write_cifar10, 10), (CIFAR100, write_cifar100, 100), (SVHN, write_svhn, 10)]


@pytest.mark.parametrize(("data_set", "write", "classes"), SOURCES)
def test_the_official_files_are_read(tmp_path, monkeypatch, data_set, write, classes):
    write(tmp_path, monkeypatch)
    data = data_set(root=str(tmp_path), batch_size=8)
    data.prepare_data()
    images, labels = data.load("test")
    expected, expected_labels = labelled(classes, 3, 32)
    assert np.array_equal(images, expected)
    assert images.flags.c_contiguous
    assert labels.dtype == np.int64
    assert np.array_equal(labels, expected_labels)
    assert len(data.load("train")[0]) == len(expected) * (5 if data_set is CIFAR10 else 1)
    assert len(set(data.class_names)) == classes
    data.setup("fit")
    batch, _ = next(iter(data.train_dataloader()))
    assert batch.shape == (8, 3, 32, 32)


@pytest.mark.parametrize(("data_set", "write", "classes"), SOURCES)
def test_without_files_and_network_the_error_says_what_to_put_where(tmp_path, data_set, write, classes):
    data = data_set(root=str(tmp_path / "root"))
    with pytest.raises(FileNotFoundError) as caught:
        data.prepare_data()
    message = str(caught.value)
    for part in (data_set.__name__, str(tmp_path / "root" / data.folder), "the download failed (", data.files):
        assert part in message
    assert "\n" not in message
    with pytest.raises(FileNotFoundError, match=r"nothing has been downloaded; put .* there"):
        data.load("train")


def test_a_damaged_file_is_not_read(tmp_path, monkeypatch):
    write_cifar10(tmp_path, monkeypatch)
    (tmp_path / "cifar-10-batches-py" / "data_batch_3").write_bytes(b"half")
    with pytest.raises(FileNotFoundError, match="CIFAR10 is not, or not undamaged, in"):
        CIFAR10(root=str(tmp_path)).load("train")


def test_svhn_names_the_package_that_it_needs(monkeypatch):
    for name in ("scipy", "scipy.io"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(ModuleNotFoundError, match=r"SVHN needs the package scipy, .* `pip install scipy`"):
        SVHN().prepare_data()


def test_class_names_are_in_the_order_of_the_official_labels():
    assert CIFAR100.class_names[:3] == ("apple", "aquarium_fish", "baby")
    assert list(CIFAR100.class_names) == sorted(CIFAR100.class_names)
    assert CIFAR10.class_names[3] == "cat"
    assert datasets.CIFAR10.meta["key"] == "label_names"
