"""What is read of an entry, and what is refused."""

import json
import re

import pytest

from genzoo.zoo.entry import KEYS, KEYS_OF_WEIGHTS, EntryError, describe_items, read_entry
from tests.zoo.made import make_entry, record


def test_what_is_known_of_an_entry(tmp_path):
    entry = read_entry(make_entry(tmp_path / "clothes"), "genzoo")
    assert (entry.name, entry.shelf, entry.model, entry.data) == (
        "clothes",
        "genzoo",
        "ConditionalGAN",
        "FashionMNISTMini",
    )
    assert entry.items == "28 x 28 grey"
    assert entry.megabytes == pytest.approx(7e-6)
    assert [score["value"] for score in entry.scores] == [1.25, None]
    assert entry.require_whole() == tmp_path / "clothes" / "model.safetensors"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"shape": [3, 64, 64]}, "64 x 64 colour"),
        ({"shape": [1, 32, 32], "native_size": 28}, "28 x 28 grey"),
        ({"shape": [2]}, "points in 2 dimensions"),
    ],
)
def test_items_in_words(spec, words):
    assert describe_items(spec) == words


def test_an_entry_without_scores_has_none(tmp_path):
    assert read_entry(make_entry(tmp_path / "clothes", scores=())).scores == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "cannot be read as JSON"),
        ('{"format": 1', "cannot be read as JSON"),
        ("[1, 2]", "is no record of a model"),
        ('{"model_type": "bert"}', "its format is missing"),
        (json.dumps(record(format=2)), "has format 2"),
        (json.dumps(record(weights=b"", name=3)), "its name is of type int, not str"),
        (json.dumps(record() | {"weights": {"sha256": "0"}}), "its bytes is missing"),
        (json.dumps(record(data_spec={})), "its data_spec has no shape"),
        (json.dumps(record(data_spec={"shape": []})), "its data_spec has no shape"),
        (json.dumps(record(data_spec={"shape": 5})), "its data_spec has no shape"),
        ("[" * 100_000, "cannot be read as JSON"),
    ],
)
def test_a_record_of_another_kind_is_refused(tmp_path, content, said):
    folder = make_entry(tmp_path / "clothes")
    (folder / "model.json").write_text(content)
    with pytest.raises(EntryError, match=re.escape(said)):
        read_entry(folder)


@pytest.mark.parametrize("key", [*KEYS, *KEYS_OF_WEIGHTS])
def test_every_key_is_needed(tmp_path, key):
    content = record()
    (content if key in KEYS else content["weights"]).pop(key)
    folder = make_entry(tmp_path / "clothes")
    (folder / "model.json").write_text(json.dumps(content))
    with pytest.raises(EntryError, match=f"its {key} is missing"):
        read_entry(folder)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        '{"value": 1}',
        '[{"value": 1}]',
        "[3]",
        '[{"name": "fd", "value": "x"}]',
        '[{"name": "fd", "value": 1, "floor": [1]}]',
    ],
)
def test_scores_of_another_kind_are_refused(tmp_path, content):
    folder = make_entry(tmp_path / "clothes")
    (folder / "scores.json").write_text(content)
    with pytest.raises(EntryError, match=r"scores\.json"):
        read_entry(folder)


def test_a_folder_without_a_record_is_no_entry(tmp_path):
    with pytest.raises(EntryError, match=r"is no entry of the zoo: there is no model\.json in it"):
        read_entry(tmp_path)


@pytest.mark.parametrize("content", [b"weight", b"weighted", b"Weights", b""])
def test_weights_of_another_hash_are_not_used(tmp_path, content):
    entry = read_entry(make_entry(tmp_path / "clothes"))
    (entry.folder / "model.safetensors").write_bytes(content)
    with pytest.raises(EntryError, match="by its SHA-256: it is cut off, damaged or exchanged"):
        entry.require_whole()


def test_absent_weights_are_named(tmp_path):
    entry = read_entry(make_entry(tmp_path / "clothes"))
    (entry.folder / "model.safetensors").unlink()
    with pytest.raises(EntryError, match=r"holds no model\.safetensors"):
        entry.require_whole()
