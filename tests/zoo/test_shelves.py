"""Where entries are found."""

import re
from pathlib import Path

import pytest

from genzoo.zoo import shelves
from genzoo.zoo.entry import EntryError
from genzoo.zoo.shelves import entries, entry_at, own_folder, require_name
from tests.zoo.made import make_entry


@pytest.fixture(autouse=True)
def shelf(tmp_path, monkeypatch):
    """Two shelves of the test alone; the user's own one."""
    monkeypatch.setattr(shelves, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setenv("GENZOO_HOME", str(tmp_path / "own"))
    return tmp_path / "own" / "zoo"


def test_the_users_folder_is_where_such_folders_are(monkeypatch, tmp_path):
    assert own_folder() == tmp_path / "own" / "zoo"
    monkeypatch.delenv("GENZOO_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    assert own_folder() == Path("/somewhere/genzoo/zoo")
    monkeypatch.delenv("XDG_DATA_HOME")
    assert own_folder() == Path.home() / ".local/share/genzoo/zoo"


def test_shipped_entries_come_first_and_win(tmp_path, shelf):
    for folder in (tmp_path / "shipped" / "b", shelf / "a", shelf / "b"):
        make_entry(folder)
    (shelf / "no_entry").mkdir()
    (shelf / "a_file").touch()
    assert [(entry.name, entry.shelf) for entry in entries()] == [("b", "genzoo"), ("a", str(shelf))]
    assert entry_at("b").folder == tmp_path / "shipped" / "b"
    assert entry_at("a").folder == shelf / "a"


def test_without_shelves_there_are_no_entries():
    assert entries() == []


def test_an_entry_that_cannot_be_read_does_not_hide_the_others(shelf):
    for name in "ab":
        make_entry(shelf / name)
    (shelf / "a" / "model.json").write_text("{")
    told = []
    assert [entry.name for entry in entries(unreadable=told.append)] == ["b"]
    assert [type(error) for error in told] == [EntryError]
    with pytest.raises(EntryError, match="cannot be read as JSON"):
        entry_at("a")


def test_a_path_that_is_there_wins_over_a_name(shelf, working_folder):
    make_entry(shelf / "clothes", name="shelved")
    make_entry(working_folder / "clothes", name="here")
    assert entry_at("clothes").record["name"] == "here"
    assert entry_at(working_folder / "clothes").record["name"] == "here"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("clothe", "did you mean clothes? in the zoo there are clothes,"),
        ("xyz", "there is no 'xyz', neither as a path nor in the zoo; in the zoo there are clothes,"),
        ("runs/vae/gone", "there is no 'runs/vae/gone'"),
        ("../clothes/..", "there is no '../clothes/..'"),
        ("../gone", "there is no '../gone'"),
        ("", "there is no ''"),
    ],
)
def test_what_is_nowhere_is_said_with_what_is_near(shelf, asked, said, working_folder):
    make_entry(shelf / "clothes")
    with pytest.raises(ValueError, match=re.escape(said)):
        entry_at(asked)


@pytest.mark.parametrize("asked", ["runs/gam", "runs/vae/shippd"])
def test_mistyped_paths_are_not_looked_for_on_the_hub(asked, working_folder, monkeypatch):
    monkeypatch.setattr(shelves.hub, "fetch", lambda *asked: pytest.fail("asked the Hub"))
    for run in ("runs/gan", "runs/vae/shipped"):
        (working_folder / run).mkdir(parents=True)
    with pytest.raises(
        ValueError, match=f"there is no '{asked}', .* did you mean runs/(gan|vae/shipped)\\? in the zoo"
    ):
        entry_at(asked)


@pytest.mark.parametrize("name", ["vae", "cgan-fashion-mnist-mini", "A_1", "0"])
def test_names(name):
    require_name(name)


@pytest.mark.parametrize("name", ["", "a/b", "..", "a.b", "a b", "-a", "_a", "../a", "a\\b", "ä", "a\n", "a" * 97])
def test_what_is_no_name(name):
    with pytest.raises(ValueError, match="is no name of an entry"):
        require_name(name)
