"""The pictures of a run, and the spread that a page has room for."""

import base64

import pytest

from genzoo.report.pictures import find_pictures, spread
from tests.report.made import draw


def test_pictures_are_found_by_looking(tmp_path):
    for name in ("samples_epoch_0010", "samples_epoch_0002", "walk_epoch_12345", "a_epoch_b", "nearest"):
        draw(tmp_path / "images" / f"{name}.png", 0, side=5)
    (tmp_path / "images" / "broken_epoch_0001.png").write_bytes(b"\x89PNG")
    (tmp_path / "images" / "notes.txt").touch()
    found, damaged = find_pictures(tmp_path)
    epochs = {name: [picture.epoch for picture in pictures] for name, pictures in found.items()}
    assert epochs == {"samples": [2, 10], "a_epoch_b": [None], "nearest": [None], "walk": [12345]}
    assert next(iter(found)) == "samples"
    assert damaged == ["broken_epoch_0001.png"]
    assert (found["walk"][0].width, found["walk"][0].height) == (5, 5)


def test_an_address_holds_the_bytes_of_the_file(tmp_path):
    for side in (1, 2, 3):
        draw(tmp_path / "images" / "samples.png", side, side)
        (picture,) = find_pictures(tmp_path)[0]["samples"]
        head, _, encoded = picture.address().partition(",")
        assert (head, base64.b64decode(encoded)) == ("data:image/png;base64", picture.path.read_bytes())
        assert picture.size == len(picture.address())


@pytest.mark.parametrize(
    ("room", "epochs"),
    [
        (9.5, [*range(1, 10)]),
        (9, [*range(1, 10)]),
        (5.5, [1, 3, 5, 7, 9]),
        (3.2, [1, 5, 9]),
        (2, [1, 9]),
        (1, [9]),
        (0.9, []),
    ],
)
def test_a_spread_has_the_first_and_the_last(tmp_path, room, epochs):
    for epoch in range(1, 10):
        draw(tmp_path / "images" / f"samples_epoch_{epoch:04d}.png", seed=0)
    pictures = find_pictures(tmp_path)[0]["samples"]
    chosen = spread(pictures, int(room * pictures[0].size))
    assert [picture.epoch for picture in chosen] == epochs
