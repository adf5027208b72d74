"""Hyperparameters as plain data, so that every checkpoint loads with ``weights_only=True``."""

import dataclasses
import operator
from functools import partial
from typing import Any, get_type_hints

import numpy as np


def as_plain(value: Any) -> Any:
    """The plain data (numbers, strings, lists, class paths with arguments) that rebuild a hyperparameter.

    Values such as likelihoods, objectives and architectures are frozen dataclasses and become their class path
    and fields; a class, or ``functools.partial`` of one, becomes its class path and arguments. This is the form
    that configs have, and the one in which Lightning rebuilds a model from a checkpoint.

    Args:
        value: What was given to a constructor.

    Raises:
        TypeError: If the value cannot be rebuilt from plain data, such as a lambda or a network.
    """
    if value is None or isinstance(value, bool | int | float | str):
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
    if dataclasses.is_dataclass(value):
        fields = {field.name: as_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"class_path": _class_path(type(value)), "init_args": fields}
    raise TypeError(
        f"{value!r} cannot be stored in a checkpoint; give a class, functools.partial(class, name=value), "
        "a frozen dataclass, or plain numbers, strings, lists and dicts"
    )


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
            if hints[name] is int:
                object.__setattr__(self, name, whole_number(name, value))
            elif hints[name] == tuple[int, ...]:
                object.__setattr__(self, name, tuple(whole_number(name, each, 1) for each in value))


def _class_path(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
