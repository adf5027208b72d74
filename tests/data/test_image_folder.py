import multiprocessing
import os
import shutil
import time

import numpy as np
import pytest
from PIL import Image

from genzoo.data import image_folder
from genzoo.data.cache import default_cache_dir
from genzoo.data.image_folder import ImageFolder


def write(folder, *greys, size=(10, 8)):
    """One PNG of constant colour for each grey, named after it."""
    folder.mkdir(parents=True, exist_ok=True)
    for grey in greys:
        Image.new("L", size, grey).save(folder / f"{grey}.png")


@pytest.fixture
def root(tmp_path):
    return tmp_path / "pictures"


@pytest.fixture
def open_folder(root, tmp_path):
    def make(**settings):
        return ImageFolder(str(root), **{"image_size": 4, "cache_dir": str(tmp_path / "cache"), **settings})

    return make


def greys(data, split):
    """The grey of each image of a split, in order, and the labels."""
    images, labels = data.load(split)
    assert (images == images[:, :1, :1, :1]).all()
    return images[:, 0, 0, 0].tolist(), labels.tolist()


def count_decodings(monkeypatch):
    decoded = []
    read = image_folder.read_image
    monkeypatch.setattr(image_folder, "read_image", lambda path, **how: decoded.append(path) or read(path, **how))
    return decoded


def test_subfolders_are_classes_and_about_a_tenth_of_each_is_for_the_test(root, open_folder):
    write(root / "dog", *range(100))
    write(root / "cat", *range(100, 200))
    data = open_folder(channels=1)
    assert data.class_names == ["cat", "dog"]
    (train, train_labels), (test, test_labels) = greys(data, "train"), greys(data, "test")
    assert sorted(train + test) == list(range(200))
    assert all(5 <= count <= 15 for count in np.bincount(test_labels))
    assert all(label == (grey < 100) for grey, label in zip(train + test, train_labels + test_labels, strict=True))


def test_folders_train_and_test_are_the_splits(root, open_folder):
    write(root / "train" / "a", 1, 2)
    write(root / "train" / "b", 3)
    write(root / "test" / "b", 4)
    data = open_folder()
    assert data.class_names == ["a", "b"]
    assert greys(data, "train") == ([1, 2, 3], [0, 0, 1])
    assert greys(data, "test") == ([4], [1])


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [("train", "val", "test"), ("Training", "VALID", "Testing"), ("TRAIN", "validation", "Test")],
)
@pytest.mark.parametrize("wrapper", [".", "dataset", "deeper/still"])
def test_split_folders_are_found_in_any_case_and_below_wrappers(root, open_folder, wrapper, train, validation, test):
    for name, shades in ((train, (1, 2, 3)), (validation, (4, 5)), (test, (6,))):
        write(root / wrapper / name / "cats", *shades)
    data = open_folder()
    assert data.class_names == ["cats"]
    assert [greys(data, split)[0] for split in ("train", "validation", "test")] == [[1, 2, 3], [4, 5], [6]]


def test_official_validation_images_are_the_validation_part(root, open_folder):
    for name, shades in (("train", range(1, 21)), ("valid", (30, 31)), ("test", (40,))):
        write(root / name / "cats", *shades)
    data = open_folder(validation_fraction=0.5)
    data.prepare_data()
    data.setup("fit")
    assert data.array("train").images[:, 0, 0, 0].tolist() == sorted(range(1, 21), key=str)
    assert data.array("validation").images[:, 0, 0, 0].tolist() == [30, 31]
    assert len(data.array("seen").images) == 2


def test_training_and_validation_alone_set_some_training_images_aside_for_the_test(root, open_folder):
    write(root / "train" / "cats", *range(100))
    write(root / "val" / "cats", *range(100, 110))
    data = open_folder()
    train, test = greys(data, "train")[0], greys(data, "test")[0]
    assert sorted(train + test) == list(range(100))
    assert 5 <= len(test) <= 15
    assert greys(data, "validation")[0] == list(range(100, 110))


def test_a_lone_training_folder_is_looked_through(root, open_folder):
    write(root / "Train" / "cat", *range(20))
    write(root / "Train" / "dog", *range(20, 40))
    data = open_folder()
    assert data.class_names == ["cat", "dog"]
    assert sorted(greys(data, "train")[0] + greys(data, "test")[0]) == list(range(40))


@pytest.mark.parametrize("names", [["test"], ["test", "val"], ["Validation"]])
def test_splits_without_one_for_training_are_refused(root, open_folder, names):
    for name in names:
        write(root / name / "cat", 1)
    with pytest.raises(ValueError, match="pictures, there is no folder train beside"):
        open_folder()


@pytest.mark.parametrize("names", [("train", "Train"), ("val", "validation")])
def test_two_folders_for_one_split_are_refused(root, open_folder, names):
    for name in ("train", "test", *names):
        write(root / name / "cat", 1)
    with pytest.raises(ValueError, match=f"{names[0]} and {names[1]}|{names[1]} and {names[0]}"):
        open_folder()


@pytest.mark.parametrize("names", [("boat", "plane", "train"), ("plane", "test"), ("Val", "plane")])
def test_a_class_may_be_called_like_a_split(root, open_folder, names):
    for grey, name in enumerate(names):
        write(root / name, grey)
    assert open_folder().class_names == sorted(names)


def test_what_lies_beside_splits_is_left_out_and_said(root, open_folder, caplog):
    write(root / "train" / "cat", 1, 2)
    write(root / "test" / "cat", 3)
    write(root / "extra" / "cat", 4)
    write(root, 5)
    data = open_folder()
    data.prepare_data()
    assert greys(data, "train")[0] == [1, 2]
    assert "left out 2 file(s) in " in caplog.text
    assert "2 x an image beside the folders of the splits" in caplog.text


def test_splits_inside_of_classes_are_refused(root, open_folder):
    for name in ("bottle", "cable"):
        for split in ("train", "test"):
            write(root / name / split / "good", 1)
    with pytest.raises(ValueError, match="the folder bottle holds test and train; put the classes into the splits"):
        open_folder()


def test_wrappers_inside_of_splits_are_looked_through(root, open_folder):
    for split, shades in (("train", (1, 2)), ("test", (3, 4))):
        write(root / split / "images" / "cat", shades[0])
        write(root / split / "images" / "dog", shades[1])
    data = open_folder()
    assert data.class_names == ["cat", "dog"]
    assert greys(data, "test") == ([3, 4], [0, 1])


def test_one_line_says_how_the_folder_was_understood(root, open_folder, caplog):
    for name, shades in (("Train", (1, 2, 3)), ("valid", (4, 5))):
        write(root / "all" / name / "cats", *shades)
        write(root / "all" / name / "dogs", *(shade + 10 for shade in shades))
    data = open_folder(test_fraction=0.4)
    data.prepare_data()
    with caplog.at_level("INFO"):
        data.setup("fit")
    assert data.summary() in caplog.text
    start, end = data.summary().split(f"in {root}: ")
    training, test = len(data.load("train")[0]), len(data.load("test")[0])
    assert start == f"ImageFolder: training {training}, validation 4, test {test}; 2 classes (cats, dogs); "
    assert end == (
        "all/Train is the train split, all/valid is the validation split, the test images are set aside by name"
    )


def test_images_beside_each_other_have_no_labels(root, open_folder):
    write(root, *range(8))
    write(root / "more" / "deep", 8, 9)
    data = open_folder()
    assert data.spec["class_names"] == []
    (train, train_labels), (test, test_labels) = greys(data, "train"), greys(data, "test")
    assert sorted(train + test) == list(range(10))
    assert len(test) == 1
    assert set(train_labels + test_labels) == {0}


def test_what_is_hidden_or_no_image_is_ignored(root, open_folder):
    write(root / "a", 1, 2)
    write(root / "b" / "c" / "d", 3)
    write(root / ".hidden", 4)
    write(root / "a" / ".thumbnails", 5)
    (root / "a" / "._1.png").write_bytes(b"resource fork")
    (root / "a" / "notes.txt").write_text("no image")
    (root / "annotations").mkdir()
    (root / "annotations" / "boxes.csv").write_text("none")
    (root / "README").write_text("no image")
    (root / "a" / "1.png").rename(root / "a" / "1.PNG")
    data = open_folder(test_fraction=0.0)
    assert data.class_names == ["a", "b"]
    assert greys(data, "train") == ([1, 2, 3], [0, 0, 1])
    assert greys(data, "test") == ([], [])


def test_the_spec_comes_without_decoding(root, open_folder, monkeypatch):
    write(root / "a", 1)
    monkeypatch.setattr(image_folder, "read_image", lambda *a, **k: pytest.fail("decoded"))
    assert open_folder(image_size=16, channels=1).spec == {
        "shape": [1, 16, 16],
        "native_size": 16,
        "class_names": ["a"],
        "range": [-1.0, 1.0],
    }
    with pytest.raises(FileNotFoundError, match="nowhere; set root to a folder of images"):
        _ = ImageFolder("nowhere").spec


def test_mixed_sizes_and_modes(root, open_folder):
    root.mkdir()
    Image.new("RGBA", (9, 30), (10, 20, 30, 0)).save(root / "a.png")
    Image.new("L", (300, 200), 70).save(root / "b.png")
    Image.new("RGB", (3, 3), (10, 20, 30)).save(root / "c.bmp")
    Image.new("CMYK", (5, 5), (255, 0, 0, 0)).save(root / "d.tif")
    images, _ = open_folder(test_fraction=0.0).load("train")
    assert images.shape == (4, 3, 4, 4)
    assert images[:, :, 1, 2].tolist() == [[255] * 3, [70] * 3, [10, 20, 30], [0, 255, 255]]


def test_loaders_bring_the_images(root, open_folder):
    write(root / "a", *range(20))
    write(root / "b", *range(100, 120))
    data = open_folder(batch_size=8, validation_fraction=0.25)
    data.prepare_data()
    data.setup("fit")
    assert isinstance(data.load("train")[0], np.memmap)
    for images, labels in data.train_dataloader():
        assert ((images[:, 0, 0, 0] >= 100).long() == labels).all()
    held_out = len(data.load("train")[0]) - len(data.parts["train"])
    assert [len(loader.dataset) for loader in data.val_dataloader()] == [held_out, held_out]


def test_what_is_cached_is_not_decoded_again(root, open_folder, monkeypatch):
    write(root, *range(5))
    decoded = count_decodings(monkeypatch)
    open_folder().prepare_data()
    assert len(decoded) == 5
    open_folder().prepare_data()
    open_folder().load("train")
    assert len(decoded) == 5


@pytest.mark.parametrize(
    "settings", [{"image_size": 5}, {"channels": 1}, {"test_fraction": 0.4}], ids=lambda settings: next(iter(settings))
)
def test_other_settings_are_cached_apart(root, open_folder, monkeypatch, settings):
    write(root, *range(5))
    open_folder().prepare_data()
    decoded = count_decodings(monkeypatch)
    open_folder(**settings).prepare_data()
    assert len(decoded) == 5


def test_a_changed_file_is_decoded_again(root, open_folder):
    write(root, 1, 2)
    data = open_folder(test_fraction=0.0)
    assert greys(data, "train")[0] == [1, 2]
    before = (root / "1.png").stat()
    Image.new("L", (10, 8), 9).save(root / "1.png")
    assert (root / "1.png").stat().st_size == before.st_size
    os.utime(root / "1.png", ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert greys(data, "train")[0] == [9, 2]
    write(root, 3)
    assert greys(data, "train")[0] == [9, 2, 3]


def test_a_failure_names_the_file_and_leaves_nothing_half_written(root, open_folder, tmp_path):
    write(root, *range(5))
    (root / "3.png").write_bytes(b"broken")
    with pytest.raises(ValueError, match=r"3\.png cannot be read as an image"):
        open_folder().prepare_data()
    assert [path.name for path in (tmp_path / "cache").iterdir() if path.is_dir()] == []
    write(root, 3)
    assert len(open_folder(test_fraction=0.0).load("train")[0]) == 5


def test_what_a_killed_process_left_is_cleared_away(root, open_folder, tmp_path):
    write(root, 1, 2)
    open_folder(test_fraction=0.0).prepare_data()
    (finished,) = (path for path in (tmp_path / "cache").iterdir() if path.is_dir())
    unfinished = finished.rename(f"{finished}.unfinished")
    (unfinished / "train_images.bin").write_bytes(b"half")
    assert greys(open_folder(test_fraction=0.0), "train")[0] == [1, 2]
    assert not unfinished.exists()


def prepare_and_report(root, cache, start, reports):
    decoded = []
    read = image_folder.read_image

    def slow_read(path, **how):
        decoded.append(path)
        time.sleep(0.01)
        return read(path, **how)

    image_folder.read_image = slow_read
    data = ImageFolder(root, image_size=32, cache_dir=cache, test_fraction=0.0)
    start.wait()
    data.prepare_data()
    reports.put((len(decoded), int(data.load("train")[0].sum())))


def test_of_two_processes_one_decodes_and_both_read(root, tmp_path):
    write(root, *range(60), size=(200, 200))
    context = multiprocessing.get_context("fork")
    start, reports = context.Barrier(2), context.Queue()
    arguments = (str(root), str(tmp_path / "cache"), start, reports)
    processes = [context.Process(target=prepare_and_report, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    results = sorted(reports.get(timeout=60) for _ in processes)
    for process in processes:
        process.join()
    total = sum(range(60)) * 3 * 32 * 32
    assert results == [(0, total), (60, total)]


def test_a_missing_folder_is_named_when_data_is_prepared(root, open_folder):
    data = open_folder()
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*pictures; set root to a folder of images"):
        data.prepare_data()


def test_a_folder_without_images_is_named(root, open_folder):
    (root / "a").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=r"pictures holds no images; expected \.jpg"):
        open_folder().prepare_data()


def test_a_test_class_that_is_not_trained_on_is_refused(root, open_folder):
    write(root / "train" / "a", 1)
    write(root / "test" / "b", 2)
    with pytest.raises(ValueError, match=r"test holds b, but .* training classes a"):
        open_folder().prepare_data()


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"channels": 2}, "channels is 2"), ({"test_fraction": 1.0}, r"test_fraction is 1\.0")],
)
def test_impossible_settings_are_refused_at_once(open_folder, settings, message):
    with pytest.raises(ValueError, match=message):
        open_folder(**settings)


def test_where_the_cache_is_by_default(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("GENZOO_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert default_cache_dir() == tmp_path / ".cache" / "genzoo"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "shared"))
    assert default_cache_dir() == tmp_path / "shared" / "genzoo"
    monkeypatch.setenv("GENZOO_CACHE", str(tmp_path / "own"))
    assert default_cache_dir() == tmp_path / "own"
    assert ImageFolder("nowhere").cache_dir == tmp_path / "own"


def test_broken_images_are_skipped_on_request_and_named(root, open_folder, caplog):
    write(root / "a", *range(10))
    write(root / "b", *range(10, 20))
    (root / "a" / "3.png").write_bytes(b"broken")
    (root / "b" / "14.png").write_bytes(b"")
    data = open_folder(test_fraction=0.0, skip_broken=True)
    data.prepare_data()
    assert "left out 2 image(s) that cannot be read" in caplog.text
    assert "3.png" in caplog.text
    kept = [grey for grey in range(20) if grey not in (3, 14)]
    assert greys(data, "train") == (kept, [int(grey >= 10) for grey in kept])


def test_what_was_skipped_once_is_still_an_error_without_the_request(root, open_folder):
    write(root, *range(5))
    (root / "3.png").write_bytes(b"broken")
    open_folder(skip_broken=True).prepare_data()
    with pytest.raises(ValueError, match=r"3\.png cannot be read .* remove it, or set skip_broken to true"):
        open_folder().prepare_data()


def test_images_that_are_all_broken_cannot_be_skipped(root, open_folder):
    root.mkdir()
    for name in "abc":
        (root / f"{name}.png").write_bytes(b"broken")
    with pytest.raises(ValueError, match=r"none of the 3 images can be read, the first: .*a\.png"):
        open_folder(skip_broken=True, test_fraction=0.0).prepare_data()


def test_a_damaged_cache_is_decoded_again(root, open_folder, tmp_path, monkeypatch):
    write(root, 1, 2, 3)
    data = open_folder(test_fraction=0.0)
    data.prepare_data()
    (path,) = (tmp_path / "cache").glob("*/train_images.bin")
    path.write_bytes(b"\0" * path.stat().st_size)
    decoded = count_decodings(monkeypatch)
    data.prepare_data()
    assert len(decoded) == 3
    assert greys(data, "train")[0] == [1, 2, 3]


def test_a_process_that_is_killed_leaves_nothing_that_counts(root, tmp_path):
    write(root, *range(60), size=(200, 200))
    context = multiprocessing.get_context("fork")
    start, reports = context.Barrier(2), context.Queue()
    arguments = (str(root), str(tmp_path / "cache"), start, reports)
    process = context.Process(target=prepare_and_report, args=arguments)
    process.start()
    start.wait()
    while not list(tmp_path.glob("cache/*.unfinished/train_images.bin")):
        time.sleep(0.001)
    process.kill()
    process.join()
    assert [path.suffix for path in (tmp_path / "cache").iterdir() if path.is_dir()] == [".unfinished"]
    data = ImageFolder(str(root), image_size=32, cache_dir=str(tmp_path / "cache"), test_fraction=0.0)
    assert len(data.load("train")[0]) == 60
    assert [path.suffix for path in (tmp_path / "cache").iterdir() if path.is_dir()] == [""]


def split_names(data):
    """Which image is in which part, by its grey."""
    data.parts.clear()
    data.setup("fit")
    data.setup("test")
    return {
        grey: part for part in ("train", "validation", "test") for grey in data.array(part).images[:, 0, 0, 0].tolist()
    }


def test_an_image_more_or_less_moves_no_other_one(root, open_folder):
    write(root / "a", *range(100))
    write(root / "b", *range(100, 200))
    data = open_folder()
    before = split_names(data)
    assert sorted(before) == list(range(200))
    assert all(10 <= list(before.values()).count(part) <= 30 for part in ("validation", "test"))
    write(root / "a", 250)
    (root / "b" / "150.png").unlink()
    after = split_names(data)
    assert after.keys() ^ before.keys() == {150, 250}
    assert all(after[grey] == before[grey] for grey in before if grey != 150)


def test_neither_place_nor_date_of_a_folder_moves_an_image_or_changes_what_it_is(root, open_folder, tmp_path):
    write(root / "a", *range(50))
    data = open_folder()
    before, identity = split_names(data), data.identity
    moved = shutil.copytree(root, tmp_path / "elsewhere" / "renamed")
    other = ImageFolder(str(moved), image_size=4, cache_dir=str(tmp_path / "cache"))
    assert split_names(other) == before
    assert other.identity == identity


@pytest.mark.parametrize("change", ["more", "fewer", "other pixels", "other name", "other class"])
def test_other_images_are_other_data(root, open_folder, change):
    write(root / "a", *range(20))
    write(root / "b", *range(100, 120))
    data = open_folder(test_fraction=0.0)
    data.setup("fit")
    identity = data.identity
    {
        "more": lambda: write(root / "a", 99),
        "fewer": (root / "a" / "3.png").unlink,
        "other pixels": lambda: Image.new("L", (10, 8), 77).save(root / "a" / "3.png"),
        "other name": lambda: (root / "a" / "3.png").rename(root / "a" / "3_.png"),
        "other class": lambda: (root / "a" / "3.png").rename(root / "b" / "3.png"),
    }[change]()
    changed = open_folder(test_fraction=0.0)
    changed.setup("fit")
    assert changed.identity != identity


def test_a_class_of_any_raster_format_is_read(root, open_folder):
    for ending, kind in (("gif", "GIF"), ("jp2", "JPEG2000"), ("jfif", "JPEG"), ("webp", "WEBP"), ("tga", "TGA")):
        (root / ending).mkdir(parents=True)
        frames = [Image.new("RGB", (16, 16), (shade, shade, shade)) for shade in (60, 200)]
        more = {"save_all": True, "append_images": frames[1:]} if kind in ("GIF", "WEBP") else {}
        frames[0].save(root / ending / f"1.{ending}", kind, **more)
    data = open_folder(test_fraction=0.0)
    images, labels = data.load("train")
    assert data.class_names == ["gif", "jfif", "jp2", "tga", "webp"]
    assert labels.tolist() == list(range(5))
    assert (np.abs(images.astype(int) - 60) <= 2).all()


@pytest.mark.parametrize("nesting", ["", "wrapped/"])
@pytest.mark.parametrize("lost", ["c/1.heic", "c/1.eps", "c/deep/1", "c/1.unheard"])
def test_a_class_of_files_that_are_not_taken_is_an_error(root, open_folder, nesting, lost):
    write(root / nesting / "a", 1, 2)
    write(root / nesting / "b", 3)
    (root / nesting / lost).parent.mkdir(parents=True)
    (root / nesting / lost).touch()
    with pytest.raises(ValueError, match=f"{nesting}c holds no image, but files left out .* if it is no class"):
        open_folder().prepare_data()


def test_a_test_class_of_files_that_are_not_taken_is_an_error(root, open_folder):
    write(root / "train" / "a", 1)
    write(root / "train" / "b", 2)
    write(root / "test" / "a", 3)
    (root / "test" / "b").mkdir()
    (root / "test" / "b" / "1.heic").touch()
    with pytest.raises(ValueError, match="test/b holds no image, but files left out"):
        open_folder().prepare_data()


def test_a_class_whose_folder_is_a_dead_link_is_an_error(root, open_folder):
    write(root / "a", 1)
    write(root / "b", 2)
    (root / "c").symlink_to("gone")
    with pytest.raises(ValueError, match=r"c holds no image, but files left out \(a link to what does not exist\)"):
        open_folder().prepare_data()


def test_a_class_of_broken_images_cannot_be_skipped(root, open_folder):
    write(root / "a", 1, 2)
    (root / "b").mkdir()
    (root / "b" / "1.png").touch()
    with pytest.raises(ValueError, match="none of the train images of the class b can be read; repair them"):
        open_folder(skip_broken=True, test_fraction=0.0).prepare_data()


def test_dead_links_and_pipes_are_broken_images(root, open_folder, caplog):
    write(root / "a", 1, 2)
    (root / "a" / "dead.png").symlink_to("gone.png")
    os.mkfifo(root / "a" / "pipe.png")
    with pytest.raises(ValueError, match=r"(dead|pipe)\.png cannot be read .*, or set skip_broken to true"):
        open_folder(test_fraction=0.0).prepare_data()
    data = open_folder(test_fraction=0.0, skip_broken=True)
    data.prepare_data()
    assert greys(data, "train")[0] == [1, 2]
    assert "left out 2 image(s) that cannot be read" in caplog.text
    assert "it is a link to gone.png, where nothing is" in caplog.text
