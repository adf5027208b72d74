"""What a class takes: its settings, their types, and the classes that they may be."""

import collections.abc
import inspect
import pydoc
import typing
from typing import Any

from jsonargparse import Namespace


def settings_of(cls: type) -> list[str]:
    """The constructor arguments of a class and of those that it hands the rest to."""
    # What the base classes of libraries take is no setting of a model or data set, unless the class itself is one.
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
        parameter = parameter_of(owner, setting)
        is_linked = setting == "data_spec"
        if value is None and not is_linked and parameter is not None and not _takes_null(parameter):
            raise ValueError(f"{name}.{setting} is null; give it a value, or leave it out")
        if isinstance(value, Namespace) and "class_path" in value:
            require_values(f"{name}.{setting}", value)


def _takes_null(parameter: inspect.Parameter) -> bool:
    hint = parameter.annotation
    return parameter.default is None or hint in (Any, parameter.empty) or type(None) in typing.get_args(hint)


def parameter_of(owner: object, setting: str) -> inspect.Parameter | None:
    """The argument of a class, or of one that it hands the rest to, with its type."""
    for base in owner.__mro__ if isinstance(owner, type) else ():
        make = vars(base).get("__init__")
        found = None if make is None else inspect.signature(make).parameters.get(setting)
        if found is not None:
            return found.replace(annotation=typing.get_type_hints(make).get(setting, found.empty))
    return None


def classes_in(hint: Any) -> list[type]:
    """The classes in a type, of what a function returns if it is one."""
    if isinstance(hint, type) and not typing.get_args(hint):
        return [hint]
    parts = typing.get_args(hint)
    if typing.get_origin(hint) is collections.abc.Callable:
        parts = parts[-1:]
    return [found for part in parts for found in classes_in(part)]


def names_of(kinds: list[type]) -> list[str]:
    """The names of all classes of some kinds that can be made."""
    found = [kind for kind in kinds if kind.__module__ != "builtins"]
    for parent in found:
        children: list[type] = parent.__subclasses__()
        found += [child for child in children if child not in found]
    # Tests define classes too, which are subclasses for as long as they run.
    concrete = {cls.__name__ for cls in found if not inspect.isabstract(cls) and "tests" not in cls.__module__}
    return sorted(name for name in concrete if not name.startswith("_"))
