import os

import pytest
from PIL import Image

from genzoo.data.folders import DEAD_LINK, SECOND_WAY, content_of, report_left_out, require_images


@pytest.fixture
def folder(tmp_path):
    """A folder with three images, and another one beside it with two."""
    for name in ("root/a/1.png", "root/a/2.png", "root/b/3.png", "outside/4.png", "outside/deep/5.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4)).save(path)
    return tmp_path / "root"


OWN = ["a/1.png", "a/2.png", "b/3.png"]


def names(content):
    return [image.as_posix() for image in content.images]


def left_out(content):
    return [(path.as_posix(), reason) for path, reason in content.left_out]


def test_images_come_in_the_order_of_their_paths(folder):
    assert names(content_of(folder)) == OWN


@pytest.mark.parametrize(
    "name",
    [
        *(".hidden.png", ".ipynb_checkpoints/1.png", "a/._1.png", ".DS_Store"),
        *("__MACOSX/a/1.png", "@eaDir/1.png", "Thumbs.db", "a/desktop.ini"),
    ],
)
def test_what_is_hidden_or_put_there_by_a_system_is_passed_over(folder, name):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes((folder / "a" / "1.png").read_bytes())
    assert names(content_of(folder)) == OWN
    assert content_of(folder).left_out == []


@pytest.mark.parametrize(("link", "target"), [("a/up", ".."), ("a/up", "../.."), ("self", "."), ("c", "a")])
def test_a_link_to_a_folder_that_is_there_brings_nothing_in_again(folder, link, target):
    (folder / link).symlink_to(target)
    content = content_of(folder)
    assert names(content) == OWN
    assert left_out(content) == [(link, SECOND_WAY)]


def test_folders_elsewhere_that_lead_to_one_another_are_visited_once(folder, tmp_path):
    (folder / "c").symlink_to(tmp_path / "outside")
    (tmp_path / "outside" / "deep" / "back").symlink_to(tmp_path / "outside")
    (tmp_path / "outside" / "home").symlink_to(folder)
    content = content_of(folder)
    assert names(content) == [*OWN, "c/4.png", "c/deep/5.png"]
    assert left_out(content) == [("c/deep/back", SECOND_WAY), ("c/home", SECOND_WAY)]


def test_a_file_counts_once_and_where_it_really_lies(folder, tmp_path):
    (folder / "a" / "0.png").symlink_to("../b/3.png")
    (folder / "a" / "8.png").symlink_to(tmp_path / "outside" / "4.png")
    (folder / "b" / "9.png").symlink_to(tmp_path / "outside" / "4.png")
    content = content_of(folder)
    assert names(content) == ["a/1.png", "a/2.png", "a/8.png", "b/3.png"]
    assert left_out(content) == [("a/0.png", SECOND_WAY), ("b/9.png", SECOND_WAY)]


def test_a_folder_that_is_itself_a_link_is_read(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    assert names(content_of(tmp_path / "link")) == OWN


def test_links_that_lead_nowhere_count_as_images_if_they_are_named_so(folder):
    (folder / "a" / "9.png").symlink_to("gone.png")
    (folder / "b" / "circle.png").symlink_to("circle.png")
    (folder / "c").symlink_to("gone")
    content = content_of(folder)
    assert names(content) == ["a/1.png", "a/2.png", "a/9.png", "b/3.png", "b/circle.png"]
    assert left_out(content) == [("c", DEAD_LINK)]


@pytest.mark.parametrize("ending", ["gif", "avif", "jp2", "jfif", "JPG", "tga", "ico", "webp", "mpo"])
def test_every_raster_format_is_taken(folder, ending):
    (folder / f"9.{ending}").touch()
    assert f"9.{ending}" in names(content_of(folder))


@pytest.mark.parametrize("ending", ["eps", "ps", "pdf", "wmf", "h5", "mpg", "heic", "txt"])
def test_what_pillow_does_not_decode_by_itself_is_left_out(folder, ending):
    (folder / f"9.{ending}").touch()
    assert left_out(content_of(folder)) == [(f"9.{ending}", f".{ending}")]


def test_what_is_left_out_is_counted_by_its_endings(folder, caplog):
    for name in ("a.heic", "b.heic", "b/c.HEIC", "notes.txt", "README"):
        (folder / name).touch()
    report_left_out(folder, content_of(folder).left_out)
    assert "left out 5 file(s) in " in caplog.text
    assert "root: 3 x .heic, 1 x a name without an ending, 1 x .txt" in caplog.text


def test_a_folder_without_images_is_refused_with_what_it_has(tmp_path):
    (tmp_path / "a.heic").touch()
    with pytest.raises(FileNotFoundError, match=r"holds no images; expected \.jpg, .*, it has 1 x \.heic"):
        require_images(tmp_path, content_of(tmp_path))


def test_a_folder_that_cannot_be_listed_is_named(folder, monkeypatch):
    def scandir(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(OSError, match=r"root cannot be read \(Permission denied\); give the right"):
        content_of(folder)
