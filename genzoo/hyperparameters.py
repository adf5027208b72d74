"""Hyperparameters as plain data, so that every checkpoint loads with ``weights_only=True``, and the way back."""

import dataclasses
import inspect
import operator
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from itertools import zip_longest
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from genzoo.moved import renamed

# Their first argument, parameters or an optimiser, is no plain data: whoever uses them gives it to the partial.
COMPLETED_LATER = (Optimizer, LRScheduler)


def as_plain(value: Any) -> Any:
    """The plain data (numbers, strings, lists, class paths with arguments) that rebuild a hyperparameter.

    Values such as likelihoods, objectives and architectures are frozen dataclasses and become their class path
    and fields; a class, or ``functools.partial`` of one, becomes its class path and arguments; and what remembers
    in ``plain_arguments``, a dict, how it was made becomes its class path and these. This is the form that configs
    have, and the one in which Lightning rebuilds a model from a checkpoint. `from_plain` is the way back.

    Args:
        value: What was given to a constructor.

    Raises:
        TypeError: If the value cannot be rebuilt from plain data, such as a lambda or a network.
    """
    if value is None or isinstance(value, bool | int | float | str):
        # np.float64 is a float too, but ``torch.load`` with ``weights_only=True`` refuses it.
        return value.item() if isinstance(value, np.generic) else value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {key: as_plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(entry) for entry in value]
    if isinstance(value, type):
        return {"class_path": _class_path(value)}
    if isinstance(value, partial):
        # jsonargparse makes a partial of functions of its own, with the class as a positional argument.
        classes = [part for part in (value.func, *value.args) if isinstance(part, type)]
        if len(classes) == 1:
            return {"class_path": _class_path(classes[0]), "init_args": as_plain(value.keywords)}
    if isinstance(arguments := getattr(value, "plain_arguments", None), dict):
        return {"class_path": _class_path(type(value)), "init_args": as_plain(arguments)}
    if dataclasses.is_dataclass(value):
        fields = {field.name: as_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"class_path": _class_path(type(value)), "init_args": fields}
    raise TypeError(
        f"{value!r} cannot be stored in a checkpoint; give a class, functools.partial(class, name=value), "
        "a frozen dataclass, or plain numbers, strings, lists and dicts"
    )


def from_plain(plain: Any, allowed: Sequence[str] = ("genzoo",)) -> Any:
    """What plain data describe: the inverse of `as_plain`, of whose form configs are too.

    A class path with its arguments becomes the object; of optimisers and learning-rate schedules, which need more
    than plain data hold, ``functools.partial`` of their class. A class path alone becomes the class, except that of
    a dataclass, which configs name so if all its settings are as they were: it becomes the value with these.

    Args:
        plain: Numbers, strings, lists and dicts. Class paths of modules that have moved since are understood.
        allowed: The packages whose classes are made. Others are not even imported, since plain data may come from
            anywhere.

    Raises:
        ValueError: If a class is none of the allowed packages, is not there, or does not take its arguments.

    Example:
        >>> from genzoo.hyperparameters import from_plain
        >>> from_plain({"class_path": "genzoo.GaussianMixtureDensity", "init_args": {"components": 3}})
        GaussianMixtureDensity(components=3, max_codes=5000)
    """
    return _from_plain(renamed(plain), allowed)


def _from_plain(plain: Any, allowed: Sequence[str]) -> Any:
    if isinstance(plain, list):
        return [_from_plain(entry, allowed) for entry in plain]
    if not isinstance(plain, dict):
        return plain
    if "class_path" not in plain:
        return {key: _from_plain(entry, allowed) for key, entry in plain.items()}
    cls = _class_at(plain["class_path"], allowed)
    if not all(isinstance(plain.get(key, {}), dict) for key in ("init_args", "dict_kwargs")):
        raise ValueError(f"the init_args of {plain['class_path']} are no mapping; give one from names to values")
    # Of an optimiser named so the class itself is wanted, as a constructor's default is.
    if plain.keys() == {"class_path"} and not dataclasses.is_dataclass(cls):
        return cls
    hints = get_type_hints(cls.__init__)  # type: ignore[misc]
    # jsonargparse puts arguments that a constructor takes by **kwargs alone under dict_kwargs.
    given = plain.get("init_args", {}) | plain.get("dict_kwargs", {})
    arguments = {name: _with_tuples(_from_plain(value, allowed), hints.get(name)) for name, value in given.items()}
    try:
        if issubclass(cls, COMPLETED_LATER):
            # A partial takes whatever it is given: an argument that the class does not know would fail much later.
            inspect.signature(cls).bind_partial(**arguments)
            return partial(cls, **arguments)
        return cls(**arguments)
    except TypeError as error:
        raise ValueError(
            f"a {cls.__name__} cannot be made from the arguments {', '.join(arguments) or '(none)'}: {error}; correct "
            "them, or use the version of genzoo that wrote them"
        ) from error


def _class_at(class_path: Any, allowed: Sequence[str]) -> type:
    """The class of a class path, if it is of a package that is allowed."""
    module, _, name = str(class_path).rpartition(".")
    if module.partition(".")[0] not in allowed:
        raise ValueError(
            f"{class_path} is no class of {' or '.join(allowed)}, and those alone are made from plain data; if you "
            "trust its package, allow that too"
        )
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError):
        found = None
    # What a module has imported for itself, such as a class of the system, is not of its package.
    if not isinstance(found, type) or found.__module__.partition(".")[0] not in allowed:
        raise ValueError(f"there is no class {class_path}; correct it, or use the version of genzoo that wrote it")
    return found


def _with_tuples(value: Any, hint: Any) -> Any:
    """A list as the tuple that is asked for: plain data know lists alone, and frozen values hold tuples."""
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    entries = next((get_args(option) for option in options if get_origin(option) is tuple), None)
    if entries is None or not isinstance(value, list):
        return value
    if entries[-1:] == (Ellipsis,):
        entries = entries[:1] * len(value)
    return tuple(_with_tuples(*pair) for pair in zip_longest(value, entries[: len(value)]))


def whole_number(name: str, value: Any, least: int = 0) -> int:
    """A setting that counts something, as a plain int whatever kind of integer it was given as.

    Args:
        name: Of the setting, for the message.
        value: An integer of Python, NumPy or torch.
        least: The smallest that makes sense.

    Raises:
        ValueError: If it is no whole number, or too small.

    Example:
        >>> import numpy as np
        >>> from genzoo.hyperparameters import whole_number
        >>> whole_number("latent_dim", np.int64(32), least=1)
        32
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None:
        raise ValueError(f"{name} must be a whole number, got {value!r}")
    if number < least:
        raise ValueError(f"{name} must be at least {least}, got {number}")
    return number


class WholeNumbers:
    """A frozen dataclass whose fields of type ``int`` and ``tuple[int, ...]`` are asked for whole numbers.

    They are kept as plain ones. Those of tuples are at least 1, such as widths.

    Raises:
        ValueError: If they are no whole numbers.
    """

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for name in (field.name for field in dataclasses.fields(self)):  # type: ignore[arg-type]
            value = getattr(self, name)
            # By way of object, since a frozen dataclass refuses assignment.
            if hints[name] is int:
                object.__setattr__(self, name, whole_number(name, value))
            elif hints[name] == tuple[int, ...]:
                object.__setattr__(self, name, tuple(whole_number(name, each, 1) for each in value))


class Settings(WholeNumbers):
    """A frozen dataclass whose whole numbers are checked, and whose fields of a ``Literal`` type are one of its values.

    Raises:
        ValueError: If they are not.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, hint in get_type_hints(type(self)).items():
            value = getattr(self, name)
            if get_origin(hint) is Literal and value not in (known := get_args(hint)):
                raise ValueError(f"{name} must be {', '.join(known[:-1])} or {known[-1]}, got {value!r}")


def _class_path(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
