"""What a run tells of itself, read from the files in its folder and from those of its tests beside it."""

import glob
import json
import os
import platform
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any

import yaml

from genzoo.provenance import PROVENANCE
from genzoo.report.curves import METRICS, Curve, read_curves
from genzoo.report.pictures import IMAGES, Picture, find_pictures
from genzoo.zoo.entry import CONFIG, SCORES, EntryError, read_scores

# What `genzoo.callbacks.Alarms` has said, as a list of {"name", "epoch", "step", "text"}.
ALARMS = "alarms.json"
# What `genzoo.callbacks.Report` keeps of a training that the other files do not tell.
TRAINING = "training.json"
CHECKPOINTS = "checkpoints"
LOCK = ".lock"


@dataclass(frozen=True)
class ScoreFile:
    """Scores of a run, or of a test of it.

    Args:
        folder: Where they lie.
        scores: One dict per score, with the keys of `genzoo.evaluation.Score`.
        weights: Name of the checkpoint that was scored; empty if that is not known.
        is_outdated: Whether the checkpoint has been written anew since.
    """

    folder: Path
    scores: list[dict[str, Any]]
    weights: str
    is_outdated: bool


@dataclass(frozen=True)
class Story:
    """A run as its files tell of it; what they do not tell is empty.

    Args:
        folder: Of the run, as it was named.
        config: The text of ``config.yaml``.
        settings: What it says.
        curves: The columns of ``metrics.csv``.
        pictures: By name and epoch, those of its tests behind its own.
        scores: The newest first.
        alarms: Dicts with ``name``, ``epoch``, ``step`` and ``text``.
        training: What ``training.json`` holds.
        provenance: What `genzoo.provenance` tells of every process that has trained it, in their order.
        tested: The checkpoint whose test this is; None if it is none.
        is_in_training: Whether a process is training it.
        notes: A sentence for each file that cannot be read.
    """

    folder: Path
    config: str
    settings: dict[str, Any]
    curves: dict[str, Curve]
    pictures: dict[str, list[Picture]]
    scores: list[ScoreFile]
    alarms: list[dict[str, Any]]
    training: dict[str, Any]
    provenance: list[dict[str, Any]]
    tested: Path | None
    is_in_training: bool
    notes: list[str]

    @property
    def name(self) -> str:
        """Of the run's folder."""
        return self.folder.absolute().name

    @property
    def model(self) -> str:
        """Class name of the model; empty if that is not known."""
        return _class_name(self.settings.get("model"))

    @property
    def data(self) -> str:
        """Class name of the data; empty if that is not known."""
        return _class_name(self.settings.get("data"))

    @property
    def steps(self) -> int:
        """How many steps it has behind it, as far as the files tell."""
        logged = [curve.steps[-1] + 1 for name, curve in self.curves.items() if name.startswith(("train/", "val/"))]
        return max([*logged, int(self.training.get("steps", 0))])

    @property
    def epochs(self) -> int:
        """How many epochs it has begun, as far as the files tell."""
        counted = [int(value) + 1 for value in self.curves["epoch"].values] if "epoch" in self.curves else []
        drawn = [picture.epoch or 0 for pictures in self.pictures.values() for picture in pictures]
        return max([*counted, *drawn, int(self.training.get("epochs", 0))])

    @property
    def seconds(self) -> float | None:
        """How long it has trained; None if that is not known, as where it has gone on since it was written down."""
        is_of_now = self.steps == self.training.get("steps")
        return float(self.training["seconds"]) if is_of_now and self.training.get("seconds") is not None else None

    @property
    def last_written(self) -> datetime | None:
        """When its newest number or setting was written."""
        files = [self.folder / name for name in (METRICS, CONFIG)]
        times = [path.stat().st_mtime for path in files if path.is_file()]
        return datetime.fromtimestamp(max(times)) if times else None

    def setting(self, path: str) -> Any:
        """A setting by its name on the command line, such as ``data.batch_size``; None if it is not known."""
        found: Any = self.settings
        for key in path.split("."):
            if isinstance(found, dict) and "init_args" in found and key not in found:
                found = found["init_args"]
            found = found.get(key) if isinstance(found, dict) else None
        return found


def read_story(folder: Path) -> Story:
    """Reads what a run has left behind.

    Args:
        folder: Of the run, or of a test.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If it is none of a run.
    """
    if not folder.exists():
        raise FileNotFoundError(f"there is no run {folder}; give the folder of one, runs/MODEL/NAME")
    if not folder.is_dir():
        raise ValueError(f"{folder} is a file; give the folder of a run, runs/MODEL/NAME")
    if not any((folder / name).exists() for name in (CONFIG, METRICS, IMAGES, SCORES)):
        raise ValueError(
            f"{folder} holds no {CONFIG}, no {METRICS} and no {IMAGES}, and thus no run; give the folder of one, "
            "runs/MODEL/NAME"
        )
    notes: list[str] = []
    config, settings = _read_config(folder / CONFIG, notes)
    pictures, damaged = find_pictures(folder)
    scores = []
    for place in (folder, *tests_of(folder)):
        if (place / SCORES).is_file() and (found := _read_scores(place, notes)):
            scores.append(found)
        if place != folder:
            more, more_damaged = find_pictures(place)
            pictures = pictures | {name: found for name, found in more.items() if name not in pictures}
            damaged += more_damaged
    notes += [f"{IMAGES}/{name} is no picture, and is left out." for name in damaged]
    return Story(
        folder,
        config,
        settings,
        read_curves(folder / METRICS),
        pictures,
        sorted(scores, key=lambda found: (found.folder / SCORES).stat().st_mtime, reverse=True),
        [alarm for alarm in _read_json(folder / ALARMS, list, notes) if isinstance(alarm, dict)],
        _read_json(folder / TRAINING, dict, notes),
        [entry for entry in _read_json(folder / PROVENANCE, list, notes) if isinstance(entry, dict)],
        _tested(settings),
        _is_in_training(folder),
        notes,
    )


def tests_of(folder: Path) -> list[Path]:
    """The folders that ``genzoo test`` has made beside a run, of checkpoints of it."""
    folder = folder.absolute()
    beside = sorted(folder.parent.glob(f"{glob.escape(folder.name)}_test*"))
    tested = [(place, _tested(_read_config(place / CONFIG, [])[1])) for place in beside]
    return [
        place for place, checkpoint in tested if checkpoint and checkpoint.parts[-3:-1] == (folder.name, CHECKPOINTS)
    ]


def run_tested_in(folder: Path) -> Path | None:
    """The run whose checkpoint was tested in a folder; None if it is not there, or this is no test."""
    checkpoint = _tested(_read_config(folder / CONFIG, [])[1])
    run = None if checkpoint is None else checkpoint.parent.parent
    return run if run is not None and (run / CONFIG).is_file() else None


def _tested(settings: dict[str, Any]) -> Path | None:
    return Path(str(settings["ckpt_path"])) if settings.get("ckpt_path") else None


def _read_config(path: Path, notes: list[str]) -> tuple[str, dict[str, Any]]:
    if not path.is_file():
        return "", {}
    text = path.read_text("utf-8", "replace")
    try:
        settings = yaml.safe_load(text)
    except yaml.YAMLError as error:
        notes.append(f"{path.name} cannot be read ({str(error).partition(chr(10))[0]}).")
        return text, {}
    return text, settings if isinstance(settings, dict) else {}


def _read_scores(folder: Path, notes: list[str]) -> ScoreFile | None:
    try:
        scores = read_scores(folder / SCORES)
    except EntryError as error:
        notes.append(f"{str(error).partition(';')[0]}.")
        return None
    tested = _tested(_read_config(folder / CONFIG, [])[1])
    is_outdated = bool(tested and tested.is_file() and tested.stat().st_mtime > (folder / SCORES).stat().st_mtime)
    return ScoreFile(folder, scores, "" if tested is None else tested.name, is_outdated)


def _read_json(path: Path, kind: type, notes: list[str]) -> Any:
    if not path.is_file():
        return kind()
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, kind):
        notes.append(f"{path.name} cannot be read, and is left out.")
        return kind()
    return found


def _is_in_training(folder: Path) -> bool:
    """Whether another process of this machine is noted in the lock of a run; one that was killed leaves its note."""
    try:
        process, host = (folder / LOCK).read_text("utf-8").splitlines()[:2]
        if host != platform.node() or int(process) == os.getpid():
            return False
        # Signal 0 only asks whether there is such a process.
        os.kill(int(process), 0)
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return True


def _class_name(section: Any) -> str:
    path = section.get("class_path", "") if isinstance(section, dict) else section or ""
    return PurePath(str(path)).name.rpartition(".")[2]
