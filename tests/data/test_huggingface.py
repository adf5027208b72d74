import sys

import numpy as np
import pytest
from PIL import Image

from genzoo.data.huggingface import HuggingFaceImages

SPLITS = ("train", "validation", "test")


@pytest.fixture
def library(monkeypatch, tmp_path):
    library = pytest.importorskip("datasets")
    monkeypatch.setattr(library.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    return library


def pictures(library, number, first=0, **columns):
    """A data set of constant grey images, the classes in turn."""
    images = [Image.new("L", (10, 8), first + place) for place in range(number)]
    features = {"picture": library.Image(), "kind": library.ClassLabel(names=["even", "odd"])}
    rows = {"picture": images, "kind": [place % 2 for place in range(number)], **columns}
    for name in columns:
        features[name] = library.Value("int64")
    return library.Dataset.from_dict(rows, features=library.Features(features))


def opened(path, **settings):
    data = HuggingFaceImages(str(path), **{"image_size": 4, "channels": 1, **settings})
    data.prepare_data()
    return data


def greys(data, split):
    images, labels = data.load(split)
    return images[:, 0, 0, 0].tolist(), labels.tolist()


def test_a_parquet_file_is_read_and_a_tenth_is_for_the_test(library, tmp_path):
    pictures(library, 40).to_parquet(tmp_path / "pictures.parquet")
    data = opened(tmp_path / "pictures.parquet")
    (train, train_labels), (test, test_labels) = greys(data, "train"), greys(data, "test")
    assert sorted(train + test) == list(range(40))
    assert np.bincount(test_labels).tolist() == [2, 2]
    assert all(grey % 2 == label for grey, label in zip(train + test, train_labels + test_labels, strict=True))
    assert data.spec["class_names"] == ["even", "odd"]
    assert data.spec["shape"] == [1, 4, 4]


def test_what_was_saved_to_disk_is_read_with_its_splits(library, tmp_path):
    both = library.DatasetDict({"train": pictures(library, 6), "test": pictures(library, 4, first=100)})
    both.save_to_disk(tmp_path / "saved")
    data = opened(tmp_path / "saved")
    assert greys(data, "train") == (list(range(6)), [0, 1] * 3)
    assert greys(data, "test") == (list(range(100, 104)), [0, 1] * 2)


@pytest.mark.parametrize("names", [("train", "validation", "test"), ("Training", "valid", "TEST")])
def test_splits_are_found_by_name_and_validation_is_the_validation_part(library, tmp_path, names):
    parts = (pictures(library, 20), pictures(library, 4, first=100), pictures(library, 2, first=200))
    library.DatasetDict(dict(zip(names, parts, strict=True))).save_to_disk(tmp_path / "saved")
    data = opened(tmp_path / "saved")
    data.setup("fit")
    data.setup("test")
    found = {part: data.array(part).images[:, 0, 0, 0].tolist() for part in ("train", "validation", "test")}
    assert found == {"train": list(range(20)), "validation": list(range(100, 104)), "test": [200, 201]}
    said = ", ".join(f"{name} is the {split} split" for name, split in zip(names, SPLITS, strict=True))
    assert data.summary().endswith(f"in {tmp_path / 'saved'}: {said}")


def test_the_validation_split_may_be_chosen_for_the_test(library, tmp_path):
    parts = {"train": pictures(library, 20), "validation": pictures(library, 4, first=100)}
    library.DatasetDict(parts).save_to_disk(tmp_path / "saved")
    data = opened(tmp_path / "saved", test_split="validation")
    data.setup("fit")
    assert greys(data, "test")[0] == list(range(100, 104))
    assert len(data.parts["validation"]) == 2


def test_splits_that_cannot_be_told_are_refused(library, tmp_path):
    library.DatasetDict({"train": pictures(library, 4), "Train": pictures(library, 4)}).save_to_disk(tmp_path / "two")
    with pytest.raises(ValueError, match="train and Train both mean the train split; keep one of them, or choose one"):
        opened(tmp_path / "two")
    assert len(opened(tmp_path / "two", train_split="Train", test_fraction=0.0).load("train")[0]) == 4
    library.DatasetDict({"all": pictures(library, 4)}).save_to_disk(tmp_path / "none")
    with pytest.raises(ValueError, match="has no split train; set train_split to one of all"):
        opened(tmp_path / "none")


def test_of_a_folder_an_image_more_moves_no_other_one(library, tmp_path):
    def write(grey):
        path = tmp_path / "pets" / ("cat" if grey % 2 else "dog") / f"{grey}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), grey).save(path)

    for grey in range(1, 101):
        write(grey)
    before = greys(opened(tmp_path / "pets"), "test")[0]
    assert 4 <= len(before) <= 20
    write(0)
    assert set(greys(opened(tmp_path / "pets"), "test")[0]) - {0} == set(before)


def test_a_folder_of_images_is_read(library, tmp_path):
    for label in ("cat", "dog"):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for grey in range(10):
            Image.new("L", (10, 8), grey).save(tmp_path / "pets" / label / f"{grey}.png")
    data = opened(tmp_path / "pets", test_fraction=0.0)
    assert data.spec["class_names"] == ["cat", "dog"]
    assert np.bincount(greys(data, "train")[1]).tolist() == [10, 10]


def test_a_second_start_decodes_nothing(library, tmp_path, monkeypatch):
    pictures(library, 10).to_parquet(tmp_path / "pictures.parquet")
    first = greys(opened(tmp_path / "pictures.parquet"), "train")
    monkeypatch.setattr(HuggingFaceImages, "read", lambda self, item: pytest.fail("decoded again"))
    assert greys(opened(tmp_path / "pictures.parquet"), "train") == first


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"train_split": "training"}, "has no split 'training'; it has train"),
        ({"test_split": "validation"}, "has no split 'validation'; it has train"),
        ({"image_column": "kind"}, "image_column is 'kind', but the choice is picture"),
        ({"label_column": "picture"}, "label_column is 'picture', but the choice is kind"),
    ],
)
def test_unknown_columns_and_splits_are_refused(library, tmp_path, settings, message):
    library.DatasetDict({"train": pictures(library, 4)}).save_to_disk(tmp_path / "saved")
    with pytest.raises(ValueError, match=message):
        opened(tmp_path / "saved", **settings)


def test_a_data_set_without_images_is_refused(library, tmp_path):
    library.Dataset.from_dict({"text": ["a", "b"]}).to_parquet(tmp_path / "words.parquet")
    with pytest.raises(ValueError, match="has no column of images; it has text"):
        opened(tmp_path / "words.parquet")


def test_what_is_neither_here_nor_on_the_hub_is_named(library, monkeypatch):
    monkeypatch.setattr(
        library, "load_dataset", lambda *arguments: (_ for _ in ()).throw(ConnectionError("no network"))
    )
    with pytest.raises(FileNotFoundError, match=r"someone/pictures is no local folder .* from the hub \(no network\)"):
        opened("someone/pictures")


def test_the_package_that_is_needed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ModuleNotFoundError, match="HuggingFaceImages needs the package datasets"):
        HuggingFaceImages("someone/pictures").prepare_data()
