"""What settings of a class become when the command line, or a config, puts another class in its place."""

import inspect
import pydoc
from collections.abc import Callable
from functools import wraps
from typing import Any

import jsonargparse._typehints
from jsonargparse import Namespace

from genzoo.hyperparameters import as_plain

# jsonargparse has no public place for it: of the settings of the earlier class it keeps all that the new one knows too,
# whether they were given or only filled in, so that the new class would have the defaults of the earlier one.
PLACE = "discard_init_args_on_class_path_change"


def forget_defaults_of_earlier_classes() -> None:
    """Lets a class that takes another one's place keep the settings that were given, and have defaults of its own."""
    original: Callable[..., None] | None = getattr(jsonargparse._typehints, PLACE, None)
    # Once is enough; and where a later jsonargparse has moved it, settings go by its own rule again.
    if original is None or hasattr(original, "__wrapped__"):
        return

    @wraps(original)
    def forgetting(parser_or_action: Any, before: Any, after: Any) -> None:
        if before and "init_args" in before and before["class_path"] != after["class_path"]:
            _drop_defaults(before["class_path"], before["init_args"])
        original(parser_or_action, before, after)

    setattr(jsonargparse._typehints, PLACE, forgetting)


def _drop_defaults(class_path: str, settings: Any) -> None:
    """Drops from the settings of a class, in place, those that are as it has them anyway."""
    located = pydoc.locate(class_path)
    parameters = inspect.signature(located).parameters if callable(located) else {}
    for name, parameter in parameters.items():
        if name in settings and _plain(settings[name]) == _plain(parameter.default):
            del settings[name]


def _plain(value: Any) -> Any:
    """A setting in a form that compares, as configs and defaults have it alike."""
    if isinstance(value, Namespace):
        value = value.as_dict()
    try:
        return as_plain(value)
    except TypeError:
        return value
