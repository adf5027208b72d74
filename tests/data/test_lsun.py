import sys

import pytest

from genzoo.data.lsun import LSUN
from tests.data.official_files import write_lsun


def test_databases_are_read_and_each_category_is_a_class(tmp_path):
    pytest.importorskip("lmdb")
    write_lsun(tmp_path, ["tower", "bedroom"])
    data = LSUN(root=str(tmp_path), categories=["tower", "bedroom"], image_size=8)
    data.prepare_data()
    images, labels = data.load("train")
    assert images.shape == (24, 3, 8, 8)
    assert images[:, 1, 4, 4].tolist() == 2 * list(range(12))
    assert labels.tolist() == 12 * [0] + 12 * [1]
    assert len(data.load("test")[0]) == 24
    assert data.spec["class_names"] == ["tower", "bedroom"]


def test_missing_databases_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"bedroom_train_lmdb/data\.mdb is missing; .* unpack bedroom_train"):
        LSUN(root=str(tmp_path)).prepare_data()


def test_the_package_that_is_needed_is_named(tmp_path, monkeypatch):
    for split in ("train", "val"):
        (tmp_path / f"bedroom_{split}_lmdb").mkdir()
        (tmp_path / f"bedroom_{split}_lmdb" / "data.mdb").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(ModuleNotFoundError, match="LSUN needs the package lmdb"):
        LSUN(root=str(tmp_path)).prepare_data()


@pytest.mark.parametrize(("categories", "wrong"), [(["beach", "tower"], "beach"), ([], "nothing")])
def test_unknown_categories_are_refused(categories, wrong):
    with pytest.raises(ValueError, match=f"categories holds {wrong}; it must hold one or more of bedroom, bridge"):
        LSUN(categories=categories)
