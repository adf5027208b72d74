"""Commands that go on from a run: which run is meant, and whose settings hold.

What is given on the command line beats the configs that are given there, and both beat what the run itself was made
with, which its folder (or, away from one, its checkpoint) remembers.
"""

import atexit
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import yaml

from genzoo.checkpoint_files import BEST, CHECKPOINTS, CONFIG, LAST, read_checkpoint, require_states
from genzoo.cli.configs import configs_in, read_config
from genzoo.cli.order import in_order
from genzoo.moved import renamed
from genzoo.spec import DataSpec

# The sections whose changes are reported where a run goes on.
SETTINGS = ("seed_everything", "model", "data", "trainer", "checkpoint", "pictures", "alarms")


@dataclass(frozen=True)
class Continued:
    """What a command goes on from.

    Attributes:
        checkpoint: The file of weights.
        weights_only: Whether nothing but plain data is read from it; False where the command line asks for that.
        folder: The run folder that it lies in; None if it lies in none.
        in_place: Whether that run itself goes on, in its folder, rather than a new one.
        settings: What the run was made with, as far as it is known.
        data_spec: Of the data that its model was trained on; None if it is not known.
        first_step: Number of steps that the checkpoint has behind it.
        epochs: Number of epochs that it has behind it.
        written: When the checkpoint was written, in nanoseconds.
    """

    checkpoint: Path
    weights_only: bool
    folder: Path | None
    in_place: bool
    settings: dict[str, Any]
    data_spec: DataSpec | None
    first_step: int
    epochs: int
    written: int

    def require_unchanged(self) -> None:
        """Requires that nothing has been trained since this was read; to be asked once the run is locked.

        Raises:
            ValueError: If there is another checkpoint now.
        """
        if self.checkpoint.stat().st_mtime_ns != self.written:
            raise ValueError(f"another process has gone on with {self.folder} meanwhile; give the command again")

    def differences(self, settings: dict[str, Any]) -> list[str]:
        """What is other now, one line for each setting."""
        before, now = (
            {name: value for key in SETTINGS if key in tree for name, value in _flat(tree[key], key)}
            for tree in (self.settings, settings)
        )
        names = sorted(name for name in before.keys() & now.keys() if before[name] != now[name])
        return [f"{name} is {now[name]} (the run had {before[name]})" for name in names]


def continuing(arguments: list[str]) -> tuple[list[str], Continued | None]:
    """Finds the run that a command goes on from, if there is one, and puts its settings below all others.

    Args:
        arguments: A verb and what follows it: ``fit RUN`` or ``fit --ckpt_path FILE`` or ``fit --ckpt_path last``.

    Returns:
        Arguments as Lightning takes them, and the run.

    Raises:
        ValueError: If there is no such run, or none that can go on.
        FileNotFoundError: If there is no such checkpoint.
    """
    verb, *others = arguments
    named = others.pop(0) if others and not others[0].startswith("-") else None
    given = _value(others, "--ckpt_path")
    if named is None and given is None:
        given, others = _checkpoint_of_configs(others)
    checkpoint = _checkpoint(named, given, verb, others)
    if checkpoint is None:
        return [verb, *in_order(others)], None
    # Configs may come from anywhere: only the command line itself can allow code in a checkpoint to run.
    weights_only = (_value(others, "--weights_only") or "").lower() != "false"
    written = checkpoint.stat().st_mtime_ns if checkpoint.is_file() else 0
    stored = read_checkpoint(checkpoint, mmap=True, weights_only=weights_only)
    if verb == "fit":
        require_states(stored, checkpoint)
    others = _without(others, "--ckpt_path")

    folder = _run_of(checkpoint, named)
    if folder is not None:
        config = folder / CONFIG
        settings = read_config(config)
    else:
        settings = _stored_settings(stored)
        if _model(others) is None:
            _require_model(settings, checkpoint)
        config = _temporary_config(settings)
    # Where the name of a new run is given, or an earlier state is gone on from, the old run is left as it is.
    in_place = verb == "fit" and folder is not None and checkpoint.name == LAST and not _value(others, "--run.name")
    continued = Continued(
        checkpoint=checkpoint,
        weights_only=weights_only,
        folder=folder,
        in_place=in_place,
        settings=settings,
        data_spec=stored.get("hyper_parameters", {}).get("data_spec"),
        first_step=stored.get("global_step", 0),
        epochs=_epochs(stored),
        written=written,
    )
    # What measures a run is named after it.
    if folder is not None and verb != "fit" and not _value(others, "--run.name"):
        others += ["--run.name", folder.name]
    if folder is not None and not in_place and not _value(others, "--run.root"):
        others += ["--run.root", str(_root(folder, settings))]
    # The run's own config comes first, so that all that is given overrides it.
    return [verb, *in_order(["--config", str(config), *others, "--ckpt_path", str(checkpoint)])], continued


def _checkpoint(named: str | None, given: str | None, verb: str, arguments: list[str]) -> Path | None:
    """The checkpoint that a run's folder or ``--ckpt_path`` stands for; None if a command begins anew."""
    if named is not None and given is None:
        return _checkpoint_of_run(Path(named), verb)
    if given is None or given == "null":
        return None
    if given == "last":
        return _newest(arguments)
    if "://" in given:
        raise ValueError(f"a command goes on from a file, and {given} is an address; fetch the file and give its path")
    return Path(given)


def _run_of(checkpoint: Path, named: str | None) -> Path | None:
    """The folder of the run that is named, or that a checkpoint lies in; None if it lies in none.

    Resolved, so that it does not matter from where, and through which links, a run is named.
    """
    folder = (checkpoint.absolute().parent.parent if named is None else Path(named)).resolve()
    if (folder / CONFIG).is_file():
        return folder
    if named is not None:
        raise ValueError(f"{named} is no run: there is no {CONFIG} in it")
    return None


def _temporary_config(settings: dict[str, Any]) -> Path:
    """A config that is removed at the end of the program."""
    # Not deleted when it is closed: the parser opens it by its name afterwards.
    with NamedTemporaryFile("w", suffix=".yaml", delete=False) as file:
        yaml.safe_dump(settings, file)
    config = Path(file.name)
    atexit.register(config.unlink, missing_ok=True)
    return config


def _root(folder: Path, settings: dict[str, Any]) -> Path:
    """The folder of runs that a run is one of; of a run that was moved out of it, the folder that it lies in."""
    model = settings.get("model")
    class_path = str(model.get("class_path") if isinstance(model, dict) else model)
    is_below_model = folder.parent.name == class_path.rpartition(".")[2].lower()
    root = folder.parent.parent if is_below_model else folder.parent
    return root.relative_to(Path.cwd()) if root.is_relative_to(Path.cwd()) else root


def _checkpoint_of_configs(arguments: list[str]) -> tuple[str | None, list[str]]:
    """The checkpoint that a config names, and arguments without one that was only noted in it.

    Runs of earlier versions noted in their own configs what they had gone on from; who repeats them does not mean that.
    """
    given = None
    for config, settings in _given_configs(arguments):
        named = settings.get("ckpt_path")
        if named is None:
            continue
        if config.match("config*.yaml") and (config.parent / "checkpoints").is_dir():
            sys.stderr.write(f"genzoo: {named}, which the run of {config} went on from, is left out\n")
            arguments = [*arguments, "--ckpt_path", "null"]
        else:
            given = str(named)
    return given, arguments


def _given_configs(arguments: list[str]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The config files that arguments name, and what is in them."""
    for _, config in configs_in(arguments):
        if Path(config).is_file():
            yield Path(config), read_config(Path(config))


def _require_model(settings: dict[str, Any], checkpoint: Path) -> None:
    """Requires that the model of a checkpoint is known, where nothing else tells it."""
    if not settings:
        raise ValueError(
            f"{checkpoint} does not say which model it holds; name it with --model, or give a run's --config"
        )
    class_path = str(settings["model"]["class_path"])
    module, _, name = class_path.rpartition(".")
    try:
        getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{checkpoint} holds a {class_path}, which cannot be found ({error}); go to the folder that it lies in, or "
            "name the model with --model"
        ) from error


def _checkpoint_of_run(folder: Path, verb: str) -> Path:
    """What a verb takes of a run: training goes on from the last state, all else measures the best one."""
    if not folder.is_dir():
        raise ValueError(f"there is no run {folder}; give the folder of one, runs/MODEL/NAME")
    best, last = (folder / CHECKPOINTS / name for name in (BEST, LAST))
    return best if verb != "fit" and best.is_file() else last


def _newest(arguments: list[str]) -> Path:
    """The last checkpoint of the newest run of the model that the arguments name."""
    model = _model(arguments)
    if model is None:
        raise ValueError(
            "--ckpt_path last is the newest run of a model; name the model by --model or --config, or give the run"
        )
    folder = Path(_value(arguments, "--run.root") or "runs") / model.lower()
    found = sorted(folder.glob(f"*/checkpoints/{LAST}"), key=lambda path: path.stat().st_mtime_ns)
    if not found:
        raise ValueError(f"there is no run of {model} in {folder} to go on from; leave --ckpt_path out to begin one")
    return found[-1]


def _model(arguments: list[str]) -> str | None:
    """The class name of the model that is asked for."""
    name = _value(arguments, "--model") or _value(arguments, "--model.class_path")
    for _, settings in _given_configs(arguments):
        model = settings.get("model")
        name = name or (model.get("class_path") if isinstance(model, dict) else model)
    return None if name is None else str(name).rpartition(".")[2]


def _epochs(checkpoint: dict[str, Any]) -> int:
    """How many epochs a checkpoint has behind it; 0 if it does not tell."""
    try:
        return int(checkpoint["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"])
    except (KeyError, TypeError, ValueError):
        return 0


def _stored_settings(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """The settings of the model, from a checkpoint alone."""
    stored = {
        name: value for name, value in renamed(checkpoint.get("hyper_parameters", {})).items() if name != "data_spec"
    }
    class_path = stored.pop("_class_path", None)
    stored.pop("_instantiator", None)
    return {} if class_path is None else {"model": {"class_path": class_path, "init_args": stored}}


def _value(arguments: list[str], option: str) -> str | None:
    """The last value that an option is given."""
    values = [
        following if argument == option else argument.partition("=")[2]
        for argument, following in pairwise([*arguments, ""])
        if argument == option or argument.startswith(f"{option}=")
    ]
    return values[-1] if values else None


def _without(arguments: list[str], option: str) -> list[str]:
    """Arguments without an option and its value."""
    kept, iterator = [], iter(arguments)
    for argument in iterator:
        if argument == option:
            next(iterator, None)
        elif not argument.startswith(f"{option}="):
            kept.append(argument)
    return kept


def _flat(tree: Any, name: str) -> list[tuple[str, Any]]:
    if isinstance(tree, dict) and tree:
        return [entry for key, value in tree.items() for entry in _flat(value, f"{name}.{key}")]
    return [(name, tree)]
