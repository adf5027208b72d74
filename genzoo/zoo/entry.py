"""Entries of the zoo: folders that hold one trained model each, and what their files say of it."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RECORD = "model.json"
WEIGHTS = "model.safetensors"
CARD = "README.md"
PICTURE = "samples.png"
CONFIG = "config.yaml"
SCORES = "scores.json"
FILES = (RECORD, WEIGHTS, CARD, PICTURE, CONFIG, SCORES)

# Which values of a score are good, in a word, by its ``higher_is_better``.
BETTER = {True: "high", False: "low", None: ""}
# Settings of a run that say where it was kept, what it logged to and what it went on from: no part of what was trained.
OF_THE_MACHINE = ("run", "ckpt_path", "weights_only")
OF_THE_MACHINE_IN_TRAINER = ("logger", "default_root_dir")

# Of the record; raised when an older version of genzoo could no longer read it.
FORMAT = 1
# What a record has, and of which type.
KEYS: dict[str, type] = {
    "format": int,
    "genzoo": str,
    "name": str,
    "model": str,
    "sampler": dict,
    "data_spec": dict,
    "data": dict,
    "weights": dict,
    "training": dict,
}
KEYS_OF_WEIGHTS: dict[str, type] = {"sha256": str, "bytes": int, "kind": str, "parameters": int}


class EntryError(ValueError):
    """A folder is no entry of the zoo, or a damaged one: says what is wrong with it and what to do."""


class Recorded:
    """Whatever holds the record of a model.

    Attributes:
        record: What ``model.json`` holds.
    """

    record: dict[str, Any]

    @property
    def model(self) -> str:
        """Class name of the model that was trained."""
        return str(self.record["model"]).rpartition(".")[2]

    @property
    def data(self) -> str:
        """Class name of the data that it was trained on; empty if that is not known."""
        return str(self.record["data"].get("class_path", "")).rpartition(".")[2]


@dataclass(frozen=True)
class Entry(Recorded):
    """A trained model on a shelf.

    Args:
        name: By which it is asked for.
        folder: Where its files lie.
        shelf: Where it was found, in words.
        record: What its ``model.json`` holds.
        scores: What its ``scores.json`` holds, one dict per score with the keys of `genzoo.evaluation.Score`; empty
            where it has none.
    """

    name: str
    folder: Path
    shelf: str
    record: dict[str, Any]
    scores: list[dict[str, Any]]

    @property
    def items(self) -> str:
        """What its samples are, such as ``28 x 28 grey``, in native size."""
        return describe_items(self.record["data_spec"])

    @property
    def megabytes(self) -> float:
        """Size of its weights, in units of a million bytes."""
        return float(self.record["weights"]["bytes"]) / 1e6

    def require_whole(self) -> Path:
        """The file of its weights.

        Raises:
            EntryError: If it is not the file that the record was written for.
        """
        weights, expected = self.folder / WEIGHTS, self.record["weights"]["sha256"]
        if not weights.is_file():
            raise EntryError(f"{self.folder} holds no {WEIGHTS}; get the entry anew, or publish it again")
        if hash_of(weights) != expected:
            raise EntryError(
                f"{weights} is not the file that {RECORD} was written for, by its SHA-256: it is cut off, damaged or "
                "exchanged, and nothing of it was used; get the entry anew, or publish it again"
            )
        return weights


def read_entry(folder: Path, shelf: str = "") -> Entry:
    """Reads what the files of an entry say; its weights are left alone.

    Args:
        folder: Of the entry.
        shelf: Where it was found, in words; the folder itself if left out.

    Raises:
        EntryError: If there is no entry, or one that cannot be read.
    """
    record = _json(folder / RECORD)
    if not isinstance(record, dict):
        raise EntryError(f"{folder / RECORD} is no record of a model; give an entry that genzoo publish has written")
    _require_keys(record, KEYS, folder)
    _require_keys(record["weights"], KEYS_OF_WEIGHTS, folder)
    shape = record["data_spec"].get("shape")
    if not (isinstance(shape, list) and shape and all(isinstance(size, int) for size in shape)):
        raise EntryError(
            f"{folder / RECORD} is no sound record of a model: its data_spec has no shape; get the entry anew, or "
            "publish it again"
        )
    if record["format"] != FORMAT:
        raise EntryError(
            f"{folder / RECORD} has format {record['format']}, written by genzoo {record['genzoo']}, while this "
            f"version reads format {FORMAT}; install the version that wrote it, or publish the run again"
        )
    scores = _json(folder / SCORES) if (folder / SCORES).is_file() else []
    return Entry(folder.name, folder, shelf or str(folder), record, require_scores(scores, folder / SCORES))


def is_entry(folder: Path) -> bool:
    """Whether a folder looks like an entry, rather than like a run."""
    return (folder / RECORD).is_file()


def read_scores(path: Path) -> list[dict[str, Any]]:
    """The scores of a file that ``genzoo test`` has written.

    Raises:
        EntryError: If it holds something else.
    """
    return require_scores(_json(path), path)


def require_scores(scores: Any, path: Path) -> list[dict[str, Any]]:
    """Requires that what a file holds are scores."""
    is_list = isinstance(scores, list) and all(isinstance(score, dict) for score in scores)
    if not is_list or not all(_is_score(score) for score in scores):
        raise EntryError(f"{path} holds no scores; give a scores.json that genzoo test has written")
    return list(scores)


def _is_score(score: dict[str, Any]) -> bool:
    numbers = [score.get("value"), score.get("floor")]
    return (
        isinstance(score.get("name"), str)
        and "value" in score
        and all(number is None or isinstance(number, int | float) for number in numbers)
    )


def describe_items(spec: dict[str, Any]) -> str:
    """What items of a data spec are, in native size and in a few words."""
    channels, *size = spec["shape"]
    if not size:
        return f"points in {channels} dimensions"
    height = spec.get("native_size", size[0])
    return f"{height} x {height} {'grey' if channels == 1 else 'colour'}"


def hash_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        # hashlib.file_digest is there from Python 3.11 on.
        digest = hashlib.sha256()
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def _json(path: Path) -> Any:
    if not path.is_file():
        raise EntryError(f"{path.parent} is no entry of the zoo: there is no {path.name} in it")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    # Of brackets in brackets, Python reads a thousand.
    except (OSError, ValueError, RecursionError) as error:
        raise EntryError(f"{path} cannot be read as JSON ({error}); get the entry anew, or publish it again") from error


def _require_keys(given: dict[str, Any], keys: dict[str, type], folder: Path) -> None:
    for key, kind in keys.items():
        if not isinstance(given.get(key), kind):
            found = f"is of type {type(given[key]).__name__}, not {kind.__name__}" if key in given else "is missing"
            raise EntryError(
                f"{folder / RECORD} is no sound record of a model: its {key} {found}; get the entry anew, or publish "
                "it again"
            )
