"""What a finished run knows of itself, from the files that it has left: for entries that are made of it."""

import glob
import re
import shlex
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any

import yaml

from genzoo.checkpoint_files import CONFIG, read_checkpoint
from genzoo.hyperparameters import from_plain
from genzoo.moved import renamed
from genzoo.sampling.stored import UPDATES
from genzoo.zoo.entry import OF_THE_MACHINE, OF_THE_MACHINE_IN_TRAINER, SCORES, read_scores


@dataclass(frozen=True)
class Run:
    """A run, or a checkpoint that lies alone.

    Args:
        checkpoint: The file of its weights.
        folder: Of the run; None where the checkpoint lies in none.
        settings: What it was made with, as far as that is known.
        model: Class path of the model; empty if that is not known.
        epochs: How many it has behind it.
        seconds: How long it has trained; None where the checkpoint does not tell.
        steps: How many steps the optimiser of its first player has made.
        has_averages: Whether it kept averages of its weights.
        has_changed: Whether it went on with other settings on the way.
    """

    checkpoint: Path
    folder: Path | None
    settings: dict[str, Any]
    model: str
    epochs: int
    seconds: float | None
    steps: int
    has_averages: bool
    has_changed: bool

    @property
    def data(self) -> dict[str, Any]:
        """The training data as plain data; empty if they are not known."""
        data = self.settings.get("data")
        return {"class_path": data} if isinstance(data, str) else dict(data or {})

    def published_settings(self) -> dict[str, Any]:
        """The settings that anybody can train with: without those of this machine, and without its paths."""
        settings = {name: value for name, value in self.settings.items() if name not in OF_THE_MACHINE}
        if isinstance(trainer := settings.get("trainer"), dict):
            settings["trainer"] = {key: trainer[key] for key in trainer if key not in OF_THE_MACHINE_IN_TRAINER}
        return dict(without_paths(settings))


def read_run(checkpoint: Path) -> Run:
    """What is known of a run.

    Args:
        checkpoint: Of the run. Its folder is the one above, if that holds a config.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If it is no checkpoint.
        ValueError: If the config of the run cannot be read.
    """
    stored = read_checkpoint(checkpoint, mmap=True)
    folder: Path | None = checkpoint.absolute().parent.parent
    assert folder is not None
    hyperparameters = renamed(stored.get("hyper_parameters", {}))
    model = str(hyperparameters.get("_class_path") or "")
    if (folder / CONFIG).is_file():
        settings = _read_config(folder / CONFIG)
        model = model or _class_path(settings.get("model"))
        has_changed = any(folder.glob("config_until_step_*.yaml"))
    else:
        arguments = {
            key: value for key, value in hyperparameters.items() if key not in ("data_spec",) and key[0] != "_"
        }
        settings = {"model": {"class_path": model, "init_args": arguments}} if model else {}
        folder, has_changed = None, False
    has_averages = stored["state_dict"].get(UPDATES, 0) > 0
    steps = stored.get("global_step", 0)
    return Run(checkpoint, folder, settings, model, _epochs(stored), _seconds(stored), steps, has_averages, has_changed)


def scores_of(run: Run, weights: str) -> tuple[list[dict[str, Any]], str]:
    """The newest scores that ``genzoo test`` has written of a run's checkpoint.

    Args:
        run: The run.
        weights: ``raw`` or ``averaged``: those whose scores are wanted.

    Returns:
        The scores, none if there are none that hold for these weights and on the training data, and then a sentence
        that says why.
    """
    command = f"genzoo test {run.checkpoint if run.folder is None else run.folder}"
    found = sorted(_score_files(run), key=lambda path: path.stat().st_mtime_ns)
    if not found:
        return [], f"there are no scores of it; to have them in its card, give `{command}` and publish again"
    if found[-1].stat().st_mtime_ns < run.checkpoint.stat().st_mtime_ns:
        return [], (
            f"{found[-1]} is older than the checkpoint and left out: the run has gone on since; give `{command}` and "
            "publish again"
        )
    scores = read_scores(found[-1])
    if any(score.get("protocol", {}).get("weights", weights) != weights for score in scores):
        return [], f"{found[-1]} is left out: its scores are not those of the {weights} weights"
    trained_on = _class_path(run.data).rpartition(".")[2]
    scored_on = {score.get("protocol", {}).get("data", trained_on) for score in scores}
    if trained_on and (other := sorted(map(str, scored_on - {trained_on}))):
        return [], (
            f"{found[-1]} is left out: its scores are on {', '.join(other)}, while the model was trained on "
            f"{trained_on}; give `{command}` and publish again"
        )
    return scores, ""


def data_module(data: dict[str, Any]) -> Any:
    """The data module that plain data describe, with nothing loaded yet; None for one that is not to be had here.

    Args:
        data: As `Run.data`. Classes outside genzoo are not imported.
    """
    try:
        return from_plain(data) if data else None
    # It only adds to a card: a class of somebody else's, or an absent package, is no reason to refuse a model.
    except (ValueError, ImportError, OSError):
        return None


def without_paths(plain: Any) -> Any:
    """Plain data whose absolute paths are cut to their last part: folders of this machine are nobody's concern.

    Example:
        >>> from genzoo.zoo.runs import without_paths
        >>> without_paths({"root": "/home/somebody/photos", "lr": 0.1, "command": "genzoo test /home/somebody/runs/a"})
        {'root': 'photos', 'lr': 0.1, 'command': 'genzoo test a'}

    Names and passwords go out of addresses, too.
    """
    if isinstance(plain, dict):
        return {without_paths(key): without_paths(value) for key, value in plain.items()}
    if isinstance(plain, list):
        return [without_paths(value) for value in plain]
    if isinstance(plain, str):
        return _without_path(plain)
    return plain


def _without_path(text: str) -> str:
    for kind in (PurePosixPath, PureWindowsPath):
        if kind(text).is_absolute() or text.startswith("~"):
            return kind(text).name
    if match := re.match(r"(file://|\w{2,}:)(?=/(?!/))", text):
        # ``file:///home/somebody`` is a path too.
        return f"{match[0]}{PurePosixPath(text).name}"
    text = re.sub(r"(\w+://)[^/@\s]*@", r"\1", text)
    # A command, whose words may be paths or have some behind a sign of equality.
    if re.search(r"[\s=][\"']?[/~]", text):
        try:
            words = shlex.split(text)
        except ValueError:
            return text
        parts = [word.rpartition("=") for word in words]
        return shlex.join(f"{name}{sign}{_without_path(value)}" for name, sign, value in parts)
    return text


def _score_files(run: Run) -> list[Path]:
    """The files of scores that belong to a run's checkpoint, in its folder or beside it."""
    if run.folder is None:
        return []
    of_checkpoint = (run.folder.name, *run.checkpoint.absolute().parts[-2:])
    beside = []
    for path in run.folder.parent.glob(f"{glob.escape(run.folder.name)}_test*/{SCORES}"):
        config = path.with_name(CONFIG)
        tested = str(_read_config(config).get("ckpt_path")) if config.is_file() else ""
        if PurePath(tested).parts[-3:] == of_checkpoint:
            beside.append(path)
    own = run.folder / SCORES
    return [*beside, own] if own.is_file() else beside


def _read_config(path: Path) -> dict[str, Any]:
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        first_line = str(error).partition("\n")[0]
        raise ValueError(f"the config {path} of the run cannot be read ({first_line}); correct it") from error
    if not isinstance(settings, dict):
        raise ValueError(f"the config {path} of the run holds no settings; give a run that genzoo fit has made")
    return dict(renamed(settings))


def _class_path(section: Any) -> str:
    """The class that a section of a config names."""
    return str(section.get("class_path", "") if isinstance(section, dict) else section or "")


def _epochs(stored: dict[str, Any]) -> int:
    """How many epochs a checkpoint has behind it; 0 if it does not tell."""
    try:
        return int(stored["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"])
    except (KeyError, TypeError, ValueError):
        return 0


def _seconds(stored: dict[str, Any]) -> float | None:
    """How long a checkpoint has trained, as Lightning's timer tells; None if it had none."""
    try:
        return float(stored["callbacks"]["Timer"]["time_elapsed"]["train"])
    except (KeyError, TypeError, ValueError):
        return None
