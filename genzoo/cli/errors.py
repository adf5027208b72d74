"""Bad input, met with one sentence: what was wrong, what was expected, what to do."""

import difflib
import inspect
import pydoc
import re
import sys
import typing
from collections.abc import Iterable
from typing import NoReturn

from lightning.pytorch.cli import LightningArgumentParser

from genzoo.cli.configs import shipped_configs
from genzoo.data.splits import ArrayDataModule
from genzoo.models.base import GenerativeModel

ROOTS: dict[str, type] = {"model": GenerativeModel, "data": ArrayDataModule}
DELIBERATE = (ValueError, OSError, RuntimeError, ImportError)


class Parser(LightningArgumentParser):
    """The parser of the command line, which says what is wrong in one sentence and exits with code 2."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Ends the program, or raises where the caller asked for that."""
        if not self.exit_on_error:
            super().error(message, ex)
        options = [option for action in self._actions for option in action.option_strings]
        refuse(sentence(message, options))


def refuse(reason: str) -> NoReturn:
    """Ends the program for misuse, with code 2."""
    sys.stderr.write(f"genzoo: {reason}\n")
    sys.exit(2)


def is_deliberate(error: BaseException) -> bool:
    """Whether an error was raised by genzoo itself, for the user to read, and not by something that broke."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    raised_in = "" if trace is None else trace.tb_frame.f_globals.get("__name__", "")
    return isinstance(error, DELIBERATE) and raised_in.partition(".")[0] == "genzoo"


def sentence(message: str, options: Iterable[str] = ()) -> str:
    """What the parser's message comes down to.

    Args:
        message: Of jsonargparse, over several lines.
        options: The options that the parser knows.
    """
    owners = re.findall(r"Problem with given class_path '([\w.]+)'", message)
    keys = re.findall(r'Parser key "([\w.]+)"', message)
    owner = pydoc.locate(owners[-1]) if owners else None

    if found := re.search(r"Option '([\w.]+)' is not accepted", message):
        known = _settings(owner) if isinstance(owner, type) else []
        name = owner.__name__ if isinstance(owner, type) else keys[-1]
        return f"{name} has no setting {found[1]}; {_nearest(found[1], known)}it has {', '.join(known)}"
    if found := re.search(r"Expected a dot import path string: (\S+)|has no attribute '(\w+)'", message):
        asked = found[1] or found[2]
        known = _choices(ROOTS.get(keys[-1]) if keys and not isinstance(owner, type) else _kind(owner, keys[-1]))
        return f"there is no {keys[-1]} {asked}; {_nearest(asked, known)}there are {', '.join(known)}"
    if found := re.search(r"Expected a <class '(\w+)'>\. Got value: (.*)", message):
        return f"{keys[-1]} should be {_article(found[1])}, got {found[2]}"
    if found := re.search(r"File does not exist: '(.*)'", message):
        folder = shipped_configs()
        shipped = sorted(f"configs/{path.relative_to(folder).as_posix()}" for path in folder.rglob("*.yaml"))
        return f"there is no config {found[1]}; those that come with genzoo are {', '.join(shipped)}"
    if found := re.search(r"required: (?:\w+\.)?(model|data)$", message):
        known = _choices(ROOTS[found[1]])
        return f"there is no {found[1]}; give a --config, or --{found[1]} and one of {', '.join(known)}"
    if found := re.search(r"unrecognized arguments: (\S+)", message):
        asked = found[1].partition("=")[0]
        return f"there is no setting {asked}; {_nearest(asked, options)}genzoo fit --help lists them all"
    if found := re.search(r"Errors:\n\s+- (.*)", message):
        return found[1]
    return message.strip()


def _nearest(asked: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(asked, list(known), n=1, cutoff=0.5)
    return f"did you mean {near[0]}? " if near else ""


def _article(type_name: str) -> str:
    return {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "text"}.get(
        type_name, f"of type {type_name}"
    )


def _settings(cls: type) -> list[str]:
    """The constructor arguments of a class and of those that it hands the rest to."""
    names = (
        name
        for base in cls.__mro__
        if "__init__" in vars(base) and base.__module__.partition(".")[0] not in ("lightning", "builtins", "torch")
        for name, parameter in inspect.signature(vars(base)["__init__"]).parameters.items()
        if parameter.kind is not parameter.VAR_KEYWORD
    )
    return sorted({*names} - {"self", "data_spec"})


def _kind(owner: object, setting: str) -> type | None:
    """The class that a setting of a class must be one of."""
    for base in owner.__mro__ if isinstance(owner, type) else ():
        hint = typing.get_type_hints(vars(base)["__init__"]).get(setting) if "__init__" in vars(base) else None
        if isinstance(hint, type):
            return hint
    return None


def _choices(kind: type | None) -> list[str]:
    """The names of all classes of a kind that can be made."""
    if kind is None:
        return []
    found: list[type] = [kind]
    for parent in found:
        children: list[type] = parent.__subclasses__()
        found += [child for child in children if child not in found]
    return sorted(cls.__name__ for cls in found if not inspect.isabstract(cls) and "tests" not in cls.__module__)
