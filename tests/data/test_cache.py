import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from genzoo.data.cache import MANIFEST, ArrayCache

NUMBERS = np.arange(60, dtype=np.uint8).reshape(5, 3, 4)


@pytest.fixture
def cache(tmp_path):
    return ArrayCache(tmp_path / "cache" / "numbers")


@pytest.fixture
def makings():
    return []


@pytest.fixture
def make(makings):
    def make(writer):
        makings.append(writer.folder)
        assert writer.write("numbers", iter(NUMBERS), np.uint8, (3, 4)) == 5
        assert writer.write("nothing", [], np.int64, (2,)) == 0
        writer.notes["source"] = "counted"

    return make


def test_arrays_come_back_as_they_were_written(cache, make, makings):
    cache.ensure(make)
    cache.ensure(make)
    assert len(makings) == 1
    assert np.array_equal(cache.open("numbers"), NUMBERS)
    assert not cache.open("numbers").flags.writeable
    assert isinstance(cache.open("numbers"), np.memmap)
    assert cache.open("nothing").shape == (0, 2)
    assert cache.open("nothing").dtype == np.int64
    assert cache.notes == {"source": "counted"}


def flip_a_bit(folder):
    content = bytearray((folder / "numbers.bin").read_bytes())
    content[17] ^= 1
    (folder / "numbers.bin").write_bytes(content)


def cut(folder):
    os.truncate(folder / "numbers.bin", 59)


def spoil_the_manifest(folder):
    (folder / MANIFEST).write_text((folder / MANIFEST).read_text()[:-5])


def empty_the_manifest(folder):
    (folder / MANIFEST).write_text("[]")


def lose_a_file(folder):
    (folder / "nothing.bin").unlink()


def lose_the_manifest(folder):
    (folder / MANIFEST).unlink()


@pytest.mark.parametrize(
    "damage", [flip_a_bit, cut, spoil_the_manifest, empty_the_manifest, lose_a_file, lose_the_manifest]
)
def test_a_damaged_cache_is_made_anew_with_a_warning(cache, make, makings, caplog, damage):
    cache.ensure(make)
    damage(cache.folder)
    assert not cache.is_whole()
    cache.ensure(make)
    assert len(makings) == 2
    assert np.array_equal(cache.open("numbers"), NUMBERS)
    assert f"{cache.folder} is damaged and is being made anew" in caplog.text
    assert sorted(path.name for path in cache.folder.parent.iterdir() if path.is_dir()) == ["numbers"]


def test_a_file_that_was_only_touched_or_copied_is_kept(cache, make, makings):
    cache.ensure(make)
    os.utime(cache.folder / "numbers.bin", ns=(1, 1))
    cache.ensure(make)
    assert len(makings) == 1


def test_an_open_array_outlives_the_making_of_a_new_one(cache, make):
    cache.ensure(make)
    opened = cache.open("numbers")
    (cache.folder / MANIFEST).unlink()
    cache.ensure(make)
    assert np.array_equal(opened, NUMBERS)


def test_a_failure_of_the_source_is_passed_on_and_leaves_nothing(cache):
    def make(writer):
        writer.write("numbers", iter(NUMBERS), np.uint8, (3, 4))
        raise FileNotFoundError("the source is gone")

    with pytest.raises(FileNotFoundError, match="the source is gone"):
        cache.ensure(make)
    assert [path for path in cache.folder.parent.iterdir() if path.is_dir()] == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path, make):
    (tmp_path / "file").write_text("in the way")
    cache = ArrayCache(tmp_path / "file" / "numbers")
    with pytest.raises(OSError, match=r"/file cannot be written \(.*\); choose .* cache_dir or"):
        cache.ensure(make)
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_full_disk_is_named_and_leaves_nothing(cache, make, monkeypatch):
    class Full:
        def write(self, content):
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self):
            pass

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda self, mode: Full())
        with pytest.raises(OSError, match=r"/cache cannot be written \(No space left on device\); make room"):
            cache.ensure(make)
    assert [path for path in cache.folder.parent.iterdir() if path.is_dir()] == []
    cache.ensure(make)
    assert cache.is_whole()


def test_the_manifest_is_plain(cache, make):
    cache.ensure(make)
    entry = json.loads((cache.folder / MANIFEST).read_text())["arrays"]["numbers"]
    assert entry["shape"] == [5, 3, 4]
    assert entry["bytes"] == 60
