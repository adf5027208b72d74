"""Bad input, met with one sentence: what was wrong, what was expected, what to do."""

import collections.abc
import dis
import inspect
import os
import pydoc
import re
import sys
import traceback
import typing
from collections.abc import Iterable
from functools import cache
from importlib.metadata import packages_distributions
from typing import Any, NoReturn

from jsonargparse import Namespace
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Trainer
from lightning.pytorch.cli import LightningArgumentParser

from genzoo.cli.configs import CLASS_KEYS, nearest, shipped_configs
from genzoo.cli.reasons import Reason, reasons
from genzoo.data.splits import ArrayDataModule
from genzoo.models.base import GenerativeModel

ROOTS: dict[str, type] = {"model": GenerativeModel, "data": ArrayDataModule}
VALUES = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "collections.abc.Iterable": "a list",
    "dict": "a mapping",
    "NoneType": "null",
}
NOT_IN_CONFIGS = {"help", "config", "print_config", "print_shtab"}
MANY = 20
DEBUG = "GENZOO_DEBUG"
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
    say(reason)
    sys.exit(2)


def say(reason: str) -> None:
    """Writes why a command ends; with ``GENZOO_DEBUG=1`` below the traceback of the error that is being met."""
    if os.environ.get(DEBUG, "0") not in ("", "0") and sys.exc_info()[0] is not None:
        traceback.print_exc()
    sys.stderr.write(f"genzoo: {reason}\n")


def is_deliberate(error: BaseException) -> bool:
    """Whether an error was raised by genzoo itself, for the user to read, and not by something that broke."""
    return _is_reason(error) and _packages(error)[-1] == "genzoo"


def refusal(error: Exception) -> str | None:
    """What an error says of the settings where nothing has begun yet; None if something is broken that they only met.

    What the system and the libraries raise is their refusal. Our own code and the user's refuse by a statement that
    raises a reason, and whatever else is raised there is a fault.
    """
    cause: BaseException = error
    # jsonargparse tells of what was raised inside a class by an error of its own.
    while cause.__cause__ is not None and _packages(cause)[-1:] == ["jsonargparse"]:
        cause = cause.__cause__
    raiser = next((package for package in reversed(_packages(cause)) if package not in sys.stdlib_module_names), None)
    if not (isinstance(cause, OSError) or _is_reason(cause) or raiser in _installed()):
        return None
    if is_deliberate(error):
        return str(error)
    if isinstance(error, (*DELIBERATE, MisconfigurationException)) and str(error).strip():
        return sentence(str(error))
    return f"{type(error).__name__}: {error} ({DEBUG}=1 shows where)"


def _packages(error: BaseException) -> list[str]:
    """The packages of the functions that an error went through, the one that it was raised in last."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return [frame.f_globals.get("__name__", "").partition(".")[0] for frame in frames]


def _is_reason(error: BaseException) -> bool:
    """Whether an error gives a reason and was raised by a statement, not by an operation that failed."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or not isinstance(error, DELIBERATE):
        return False
    operation = dis.opname[trace.tb_frame.f_code.co_code[trace.tb_lasti]]
    return operation == "RAISE_VARARGS" and _packages(error)[-1] not in sys.stdlib_module_names


@cache
def _installed() -> frozenset[str]:
    """The packages that are installed, without genzoo."""
    return frozenset(packages_distributions()) - {"genzoo"}


def sentence(message: str, options: Iterable[str] = ()) -> str:
    """What the parser's message comes down to.

    What is not known here is shown whole, with its last line, which says most, in front.

    Args:
        message: Of jsonargparse, over several lines.
        options: The options that the parser knows.
    """
    found = reasons(message)
    return _of_settings(found) or _of_commands(found[0].text, options) or _whole(found)


def _of_settings(found: list[Reason]) -> str | None:
    """What is wrong with a setting of a class or with its value."""
    reason = found[0]
    setting = reason.settings[-1] if reason.settings else ""
    match = re.fullmatch(r"Option '([\w.]+)' is not accepted", reason.text)
    if match and match[1] in CLASS_KEYS:
        return f"{setting} cannot be read: a class is given by class_path, and its settings under init_args"
    if match and (class_path := _class_path(reason)):
        refusing = pydoc.locate(class_path)
        known = _settings(refusing) if isinstance(refusing, type) else []
        name = refusing.__name__ if isinstance(refusing, type) else setting
        return f"{name} has no setting {match[1]}; {nearest(match[1], known)}it has {', '.join(known)}"
    if setting and (match := re.search(r"arguments are required: ([\w, ]+)$", reason.text)):
        option = ".".join([*reason.settings, match[1].partition(",")[0]])
        return f"{_class_path(reason).rpartition('.')[2]} needs {match[1]}; give it a value with --{option}"
    ways = [reason.text for reason in found]
    if expected := _expected(ways):
        return f"{setting} should be {expected}" + (f", got {reason.given}" if reason.given else "")
    asked = next(filter(None, (_names_no_class(way.text, _class_path(way)) for way in found)), None)
    if asked:
        owner = pydoc.locate(reason.owner) if reason.owner else Trainer
        parameter = _parameter(owner, setting.removeprefix("trainer."))
        kinds = [ROOTS[setting]] if setting in ROOTS else [] if parameter is None else _classes(parameter.annotation)
        known = _choices(kinds)
        kind = setting.removeprefix("trainer.").removesuffix("s") if setting.startswith("trainer.") else setting
        return f"there is no {kind} {asked}; {nearest(asked, known)}there are {', '.join(known)}"
    return None


def _of_commands(text: str, options: Iterable[str]) -> str | None:
    """What is wrong with an option or a config as such."""
    if match := re.search(r"does not accept option '([\w.]+)'|Option '([\w.]+)' is not accepted", text):
        long_options = [option[2:].split(".") for option in options if option.startswith("--")]
        return _unknown_key((match[1] or match[2]).split("."), long_options)
    if match := re.search(r"File does not exist: '(.*)'", text):
        folder = shipped_configs()
        shipped = sorted(f"configs/{path.relative_to(folder).as_posix()}" for path in folder.rglob("*.yaml"))
        return f"there is no config {match[1]}; those that come with genzoo are {', '.join(shipped)}"
    if match := re.search(r"required: (?:\w+\.)?(model|data)$", text):
        known = _choices([ROOTS[match[1]]])
        return f"there is no {match[1]}; give a --config, or --{match[1]} and one of {', '.join(known)}"
    if match := re.search(r"--(model|data)\.help: Expected a dot import path string: (.*)", text):
        known = _choices([ROOTS[match[1]]])
        return f"there is no {match[1]} {match[2]}; {nearest(match[2], known)}there are {', '.join(known)}"
    if match := re.search(r"unrecognized arguments: (\S+)", text):
        asked = match[1].partition("=")[0]
        return f"there is no setting {asked}; {nearest(asked, options)}genzoo fit --help lists them all"
    return None


def _whole(found: list[Reason]) -> str:
    """All that is said of a setting, its last line first."""
    *before, last = [line for reason in found for line in reason.text.splitlines() if line.strip()] or [""]
    setting = f"{found[0].settings[-1]}: " if found[0].settings else ""
    given = found[0].given
    got = f", got {given}" if given and given not in last and not re.search(r"Namespace\(|NestedArg\(", given) else ""
    return "\n".join([setting + last.strip() + got, *(f"  {line}" for line in before)])


def _expected(ways: list[str]) -> str | None:
    """The values that a setting takes, in words; None if they are classes, or one of the ways is not known."""
    words, choices = [], []
    for way in ways:
        if match := re.match(r"Expected (?:a )?<class '([\w.]+)'>", way):
            words.append(VALUES.get(match[1], f"of type {match[1]}"))
        elif match := re.match(r"Expected (?:a )?typing\.Literal\[(.*)\]", way):
            choices += [choice.strip("'") for choice in match[1].split(", ")]
        elif match := re.match(r"Not a valid subclass of (\w+)", way):
            words.append(f"the name of a {match[1]} or its class_path and init_args")
        elif not _names_no_class(way):
            return None
    if (
        any(map(_names_no_class, ways))
        and not choices
        and not {VALUES["int"], VALUES["float"], VALUES["str"]} & {*words}
    ):
        return None
    if VALUES["float"] in words:
        words = [word for word in words if word != VALUES["int"]]
    words += [f"one of {', '.join(dict.fromkeys(choices))}"] if choices else []
    return " or ".join(word for word in dict.fromkeys(words) if word != VALUES["NoneType"])


def _names_no_class(way: str, class_path: str = "") -> str | None:
    """The name that was looked for as that of a class."""
    if match := re.match(r"Expected a dot import path string: (.*)", way):
        return match[1]
    match = re.fullmatch(r"module '.*' has no attribute '(\w+)'", way)
    return match[1] if match and match[1] == class_path.rpartition(".")[2] else None


def _class_path(reason: Reason) -> str:
    """Of the class whose settings are refused."""
    match = re.match(r"Namespace\(class_path='([\w.]+)'", reason.given)
    return match[1] if match else next(iter(reason.classes[-1:]), "")


def _unknown_key(asked: list[str], options: list[list[str]]) -> str:
    """What is wrong with a key of a config, from its path and those of all options."""
    depth = next(place for place in range(len(asked)) if asked[: place + 1] not in [o[: place + 1] for o in options])
    known = sorted({o[depth] for o in options if o[:depth] == asked[:depth] and len(o) > depth} - NOT_IN_CONFIGS)
    owner = ".".join(asked[:depth]) or "a config"
    choice = f"it has {', '.join(known)}" if len(known) <= MANY else "genzoo fit --help lists them all"
    return f"{owner} has no setting {asked[depth]}; {nearest(asked[depth], known)}{choice}"


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


def require_values(name: str, settings: Namespace) -> None:
    """Requires that no setting of a class is null that takes no null, which the parser lets through.

    Args:
        name: Of the setting that the class is the value of.
        settings: ``class_path`` and ``init_args``.

    Raises:
        ValueError: If a setting is.
    """
    owner = pydoc.locate(settings.class_path)
    for setting, value in vars(settings.init_args).items() if "init_args" in settings else ():
        parameter = _parameter(owner, setting)
        is_linked = setting == "data_spec"
        if value is None and not is_linked and parameter is not None and not _takes_null(parameter):
            raise ValueError(f"{name}.{setting} is null; give it a value, or leave it out")
        if isinstance(value, Namespace) and "class_path" in value:
            require_values(f"{name}.{setting}", value)


def _takes_null(parameter: inspect.Parameter) -> bool:
    hint = parameter.annotation
    return parameter.default is None or hint in (Any, parameter.empty) or type(None) in typing.get_args(hint)


def _parameter(owner: object, setting: str) -> inspect.Parameter | None:
    """The argument of a class, or of one that it hands the rest to, with its type."""
    for base in owner.__mro__ if isinstance(owner, type) else ():
        make = vars(base).get("__init__")
        found = None if make is None else inspect.signature(make).parameters.get(setting)
        if found is not None:
            return found.replace(annotation=typing.get_type_hints(make).get(setting, found.empty))
    return None


def _classes(hint: Any) -> list[type]:
    """The classes in a type, of what a function returns if it is one."""
    if isinstance(hint, type) and not typing.get_args(hint):
        return [hint]
    parts = typing.get_args(hint)
    if typing.get_origin(hint) is collections.abc.Callable:
        parts = parts[-1:]
    return [found for part in parts for found in _classes(part)]


def _choices(kinds: list[type]) -> list[str]:
    """The names of all classes of some kinds that can be made."""
    found = [kind for kind in kinds if kind.__module__ != "builtins"]
    for parent in found:
        children: list[type] = parent.__subclasses__()
        found += [child for child in children if child not in found]
    concrete = {cls.__name__ for cls in found if not inspect.isabstract(cls) and "tests" not in cls.__module__}
    return sorted(name for name in concrete if not name.startswith("_"))
