"""Config files: finding those that come with the package, and refusing what is no config."""

import difflib
import stat
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import get_loader, set_loader

from genzoo.moved import renamed
from genzoo.names import nearest

# What the parser looks for in a file, where a value names one.
READ_FROM_FILES = ("config", "c", "model", "data", "trainer", "checkpoint", "pictures", "alarms", "evaluation")
# YAML's references let a few lines stand for billions of entries, which would fill the memory.
MOST_ENTRIES = 100_000
CLASS_KEYS = ("class_path", "init_args", "dict_kwargs")

# How the parser, which opens configs itself, reads them and what stands in YAML on the command line.
_load = get_loader("yaml")
# An agent of a W&B sweep writes what is null in it as Python does.
set_loader("yaml", lambda text: None if text == "None" else renamed(_load(text)), exceptions=(yaml.YAMLError,))

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped_configs() -> Path:
    """The folder of the shipped configs: inside an installed package, beside it in a checkout."""
    installed = _PACKAGE / "configs"
    return installed if installed.is_dir() else _PACKAGE.parent / "configs"


def with_shipped_configs(arguments: list[str]) -> list[str]:
    """Command-line arguments in which ``--config configs/NAME.yaml`` also works away from a checkout.

    A file that exists in the working folder is taken as it is; otherwise the shipped config of that name is.
    """
    found = list(arguments)
    for place, path in configs_in(arguments):
        flag, equals, _ = arguments[place].partition("=")
        found[place] = f"{flag}={_find(path)}" if equals else _find(path)
    return found


def with_present_names(arguments: list[str]) -> list[str]:
    """Command-line arguments in which classes of modules that have moved are called by their present names."""
    return ["".join(renamed([*argument.partition("=")])) for argument in arguments]


def require_configs(arguments: list[str]) -> None:
    """Looks at every config that is named on the command line before anything is made of it.

    Whether the settings in it exist is left to the parser; here only what a config and a class in it look like.

    Raises:
        ValueError: If one of them is not a file of YAML, is not made of sections, or gives a class in another way than
            by ``class_path`` and ``init_args``; or if a value names a pipe or a device, which can be read only once.
    """
    for argument, following in pairwise([*arguments, ""]):
        option, equals, value = argument.partition("=")
        if option.lstrip("-").partition(".")[0] in READ_FROM_FILES:
            _require_no_stream(value if equals else following)
    for _, path in configs_in(arguments):
        if Path(path).exists():
            read_config(Path(path))


def read_config(path: Path) -> dict[str, Any]:
    """Reads a config, in which classes of modules that have moved since are called by their present names.

    Raises:
        ValueError: If it is not one.
    """
    try:
        config: dict[str, Any] = renamed(_read(path))
        _require_classes(config)
    except ValueError as error:
        raise ValueError(f"the config {path} cannot be used: {error}") from None
    return config


def configs_in(arguments: list[str]) -> Iterable[tuple[int, str]]:
    """The place and the path of every config."""
    for place, argument in enumerate(arguments):
        flag, equals, value = argument.partition("=")
        if flag not in ("--config", "-c"):
            continue
        if equals:
            yield place, value
        elif place + 1 < len(arguments):
            yield place + 1, arguments[place + 1]


def _read(path: Path) -> dict[str, Any]:
    if path.is_dir():
        raise ValueError("it is a folder; give a file such as configs/vae.yaml")
    _require_no_stream(str(path))
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        size = _size(config, {})
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = "" if mark is None else f" in line {mark.line + 1}, column {mark.column + 1}"
        raise ValueError(f"it is not YAML ({error.problem}{place}); correct it there") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ValueError("it is not a text in YAML; give a file such as configs/vae.yaml") from None
    except RecursionError:
        raise ValueError("it is nested without end; write out what its *references stand for") from None
    except OSError as error:
        raise ValueError(f"it cannot be read ({error.strerror}); give the right to read it") from None
    if size > MOST_ENTRIES:
        raise ValueError(f"its *references stand for {size:,} entries, more than {MOST_ENTRIES:,}; write a shorter one")
    if not isinstance(config, dict):
        found = "empty" if config is None else "a list" if isinstance(config, list) else "a single value"
        raise ValueError(f"it is {found}, but should hold sections such as model:, data: and trainer:")
    return config


def _require_classes(config: dict[str, Any]) -> None:
    for section in ("model", "data"):
        value = config.get(section)
        if isinstance(value, dict):
            _require_class(section, value)
        elif not isinstance(value, str | None):
            raise ValueError(f"{section} is a {type(value).__name__}, but a class is given by class_path and init_args")
    _require_classes_within("", config)


def _size(value: Any, known: dict[int, int]) -> int:
    """The number of entries of a value, each counted as often as it is referred to.

    Args:
        value: To count.
        known: Sizes that were counted already, by identity.

    Raises:
        RecursionError: If it holds itself.
    """
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in known:
        entries = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_size(entry, known) for entry in entries)
    return known[id(value)]


def _require_no_stream(value: str) -> None:
    """Refuses the name of a pipe or a device, which may block, or give something else when it is read again."""
    try:
        mode = Path(value).stat().st_mode
    except (OSError, ValueError):
        return
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise ValueError(f"{value} is a pipe or a device; write what comes from it into a file, and give that")


def _require_classes_within(name: str, value: Any) -> None:
    """Requires the form of a class of all mappings, at any depth, that look like one."""
    if isinstance(value, list):
        for place, entry in enumerate(value):
            _require_classes_within(f"{name}[{place}]", entry)
    elif isinstance(value, str):
        _require_no_stream(value)
    elif isinstance(value, dict):
        if name and any(difflib.get_close_matches(str(key), CLASS_KEYS[:2], cutoff=0.8) for key in value):
            _require_class(name, value)
        for key, entry in value.items():
            _require_classes_within(f"{name}.{key}".removeprefix("."), entry)


def _require_class(name: str, value: dict[str, Any]) -> None:
    if unknown := [str(key) for key in value if key not in CLASS_KEYS]:
        raise ValueError(
            f"{name} has {unknown[0]}; {nearest(unknown[0], CLASS_KEYS[:2])}a class is given by class_path, and its "
            "settings under init_args"
        )


def _find(path: str) -> str:
    shipped = shipped_configs() / Path(path).as_posix().removeprefix("configs/")
    return str(shipped) if not Path(path).exists() and shipped.is_file() else path
