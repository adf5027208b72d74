"""Bad input, met with one sentence: what was wrong, what was expected, what to do."""

import inspect
import pydoc
import re
import sys
import typing
from collections.abc import Iterable
from typing import NoReturn

from lightning.pytorch.callbacks import Callback
from lightning.pytorch.cli import LightningArgumentParser
from lightning.pytorch.loggers import Logger

from genzoo.cli.configs import nearest, shipped_configs
from genzoo.data.splits import ArrayDataModule
from genzoo.models.base import GenerativeModel

ROOTS: dict[str, type] = {
    "model": GenerativeModel,
    "data": ArrayDataModule,
    "trainer.callbacks": Callback,
    "trainer.logger": Logger,
}
NOT_IN_CONFIGS = {"help", "config", "print_config", "print_shtab"}
MANY = 20
DELIBERATE = (ValueError, OSError, RuntimeError, ImportError)


class Parser(LightningArgumentParser):
    """The parser of the command line, which says what is wrong in one sentence and exits with code 2."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Ends the program, or raises where the caller asked for that."""
        if not self.exit_on_error:
            super().error(message, ex)
        refuse(sentence(message, self._options()))

    def _options(self) -> list[str]:
        """All options of this parser and of its verbs."""
        verbs = [
            verb for action in self._actions if isinstance(action.choices, dict) for verb in action.choices.values()
        ]
        return [option for parser in (self, *verbs) for action in parser._actions for option in action.option_strings]


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

    if found := re.search(
        r"Option '([\w.]+)' is not accepted(?:\. Got value: Namespace\(class_path='([\w.]+)')?", message
    ):
        owner = pydoc.locate(found[2]) if found[2] else owner
        if not keys and not isinstance(owner, type):
            return _unknown_key(found[1].split("."), [o[2:].split(".") for o in options if o.startswith("--")])
        known = _settings(owner) if isinstance(owner, type) else []
        name = owner.__name__ if isinstance(owner, type) else keys[-1]
        return f"{name} has no setting {found[1]}; {nearest(found[1], known)}it has {', '.join(known)}"
    if found := re.search(r"Expected a dot import path string: (\S+)|has no attribute '(\w+)'", message):
        asked = found[1] or found[2]
        known = _choices(ROOTS.get(keys[-1]) if keys and not isinstance(owner, type) else _kind(owner, keys[-1]))
        kind = keys[-1].removeprefix("trainer.").removesuffix("s") if keys[-1] in ROOTS else keys[-1]
        return f"there is no {kind} {asked}; {nearest(asked, known)}there are {', '.join(known)}"
    if found := re.search(r"Expected a <class '(\w+)'>\. Got value: (.*)", message):
        return f"{keys[-1]} should be {_article(found[1])}, got {found[2]}"
    if found := re.search(r"Errors:\s+- Expected a <class '(\w+)'>[\s\S]*Given value: (.*)", message):
        return f"{keys[-1]} should be {_article(found[1])}, got {found[2]}"
    if found := re.search(r"does not accept option '([\w.]+)'", message):
        long_options = [option[2:].split(".") for option in options if option.startswith("--")]
        return _unknown_key(found[1].split("."), long_options)
    if found := re.search(r"File does not exist: '(.*)'", message):
        folder = shipped_configs()
        shipped = sorted(f"configs/{path.relative_to(folder).as_posix()}" for path in folder.rglob("*.yaml"))
        return f"there is no config {found[1]}; those that come with genzoo are {', '.join(shipped)}"
    if found := re.search(r"required: (?:\w+\.)?(model|data)$", message):
        known = _choices(ROOTS[found[1]])
        return f"there is no {found[1]}; give a --config, or --{found[1]} and one of {', '.join(known)}"
    if found := re.search(r"unrecognized arguments: (\S+)", message):
        asked = found[1].partition("=")[0]
        return f"there is no setting {asked}; {nearest(asked, options)}genzoo fit --help lists them all"
    if found := re.search(r"Errors:\n\s+- (.*)", message):
        return found[1]
    return message.strip()


def _unknown_key(asked: list[str], options: list[list[str]]) -> str:
    """What is wrong with a key of a config, from its path and those of all options."""
    depth = next(place for place in range(len(asked)) if asked[: place + 1] not in [o[: place + 1] for o in options])
    known = sorted({o[depth] for o in options if o[:depth] == asked[:depth] and len(o) > depth} - NOT_IN_CONFIGS)
    owner = ".".join(asked[:depth]) or "a config"
    choice = f"it has {', '.join(known)}" if len(known) <= MANY else "genzoo fit --help lists them all"
    return f"{owner} has no setting {asked[depth]}; {nearest(asked[depth], known)}{choice}"


def _article(type_name: str) -> str:
    return {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "text"}.get(
        type_name, f"of type {type_name}"
    )


def _settings(cls: type) -> list[str]:
    """The constructor arguments of a class and of those that it hands the rest to."""
    names = (
        name
        for base in cls.__mro__
        if "__init__" in vars(base)
        and (base is cls or base.__module__.partition(".")[0] not in ("lightning", "builtins", "torch"))
        for name, parameter in inspect.signature(vars(base)["__init__"]).parameters.items()
        if parameter.kind is not parameter.VAR_KEYWORD
    )
    return sorted({*names} - {"self", "data_spec", "params"})


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
    concrete = {cls.__name__ for cls in found if not inspect.isabstract(cls) and "tests" not in cls.__module__}
    return sorted(name for name in concrete if not name.startswith("_"))
