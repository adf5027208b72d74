import numpy as np
import pytest
from torchvision import datasets

from genzoo.data.torchvision_cached import CELEBA_ATTRIBUTES, STL10, CelebA
from tests.data.official_files import labelled, write_celeba, write_stl10


def no_second_reading(monkeypatch, source):
    monkeypatch.setattr(datasets, source, lambda *arguments, **settings: pytest.fail("read again"))


def test_stl10_is_upright_with_labels_from_zero(tmp_path, monkeypatch):
    write_stl10(tmp_path, monkeypatch)
    data = STL10(root=str(tmp_path), batch_size=4)
    data.prepare_data()
    no_second_reading(monkeypatch, "STL10")
    images, labels = data.load("train")
    expected, expected_labels = labelled(10, 3, 96)
    assert np.array_equal(images, expected)
    assert np.array_equal(labels, expected_labels)
    assert labels.dtype == np.int64
    data.setup("fit")
    assert next(iter(data.train_dataloader()))[0].shape == (4, 3, 96, 96)
    assert data.spec["class_names"][9] == "truck"


def test_stl10_resized_and_without_labels(tmp_path, monkeypatch):
    write_stl10(tmp_path, monkeypatch)
    data = STL10(root=str(tmp_path), image_size=32, unlabelled=True)
    data.prepare_data()
    images, labels = data.load("train")
    assert images.shape == (12, 3, 32, 32)
    assert (images == 7).all()
    assert labels.tolist() == [0] * 12
    assert set(data.load("test")[1]) == {0}
    assert data.spec["class_names"] == []
    data.setup("fit")


def test_celeba_takes_the_middle_of_the_faces_and_all_attributes(tmp_path, monkeypatch):
    write_celeba(tmp_path, monkeypatch, CELEBA_ATTRIBUTES)
    data = CelebA(root=str(tmp_path), image_size=16)
    data.prepare_data()
    no_second_reading(monkeypatch, "CelebA")
    images, attributes = data.load("train")
    assert images.shape == (8, 3, 16, 16)
    # A crop that is too high or too low would have a black row.
    difference = abs(images.astype(int) - 30 * np.arange(8)[:, None, None, None])
    assert difference.max() <= 20
    assert difference[:, :, 2:-2].max() <= 3
    assert attributes.dtype == np.float32
    assert np.array_equal(attributes, np.tile((np.arange(40) % 3 == 0).astype(np.float32), (8, 1)))
    test_images, test_attributes = data.load("test")
    assert abs(test_images[0].astype(int) - 20)[:, 2:-2].max() <= 3
    assert test_attributes[0, 2] == 1
    assert data.spec["attribute_names"][31] == "Smiling"
    assert data.spec["class_names"] == []
    data.setup("fit")
    images, attributes = data.parts["train"].__getitems__([0, 1])
    assert attributes.shape == (2, 40)


def test_one_attribute_of_celeba_makes_two_classes_from_the_same_cache(tmp_path, monkeypatch):
    write_celeba(tmp_path, monkeypatch, CELEBA_ATTRIBUTES)
    CelebA(root=str(tmp_path), image_size=16).prepare_data()
    no_second_reading(monkeypatch, "CelebA")
    for attribute in ("5_o_Clock_Shadow", "Arched_Eyebrows"):
        data = CelebA(attribute, root=str(tmp_path), image_size=16)
        assert data.spec["class_names"] == [f"not {attribute}", attribute]
        assert "attribute_names" not in data.spec
        labels = data.load("train")[1]
        assert labels.dtype == np.int64
        assert set(labels) == {int(attribute == "5_o_Clock_Shadow")}


def test_an_unknown_attribute_is_refused():
    with pytest.raises(ValueError, match="attribute is 'Happy', but must be one of 5_o_Clock_Shadow, Arched_Eyebrows"):
        CelebA("Happy")


@pytest.mark.parametrize("data_set", [STL10, CelebA])
def test_without_files_and_network_the_error_says_what_to_put_where(tmp_path, data_set):
    data = data_set(root=str(tmp_path / "root"))
    with pytest.raises(FileNotFoundError) as caught:
        data.prepare_data()
    for part in (data_set.__name__, str(tmp_path / "root" / data.folder), "the download failed (", data.files):
        assert part in str(caught.value)
    with pytest.raises(FileNotFoundError, match="nothing has been downloaded"):
        data.load("train")


def test_a_damaged_file_is_not_read(tmp_path, monkeypatch):
    write_stl10(tmp_path, monkeypatch)
    (tmp_path / "stl10_binary" / "test_X.bin").write_bytes(b"half")
    with pytest.raises(FileNotFoundError, match="STL10 is not, or not undamaged, in"):
        STL10(root=str(tmp_path)).prepare_data()
