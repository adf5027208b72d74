"""Lightning's loggers, which ask for a folder, in the folder of the run."""

import inspect
from pathlib import Path
from typing import Any

from jsonargparse import Namespace
from lightning.pytorch.loggers import Logger

RUN_FOLDER = "."
"""The ``save_dir`` of loggers that are told of no other: on the command line, the folder of the run."""


def places_left_out(logger_class: type[Logger]) -> dict[str, str]:
    """What a logger is given where nothing else is asked for: the run folder itself, for the run has a name already.

    Args:
        logger_class: Of Lightning's, or of the user's.

    Returns:
        Values by the names of the arguments that it has.
    """
    taken = inspect.signature(logger_class).parameters
    places = {}
    if "save_dir" in taken and taken["save_dir"].default is inspect.Parameter.empty:
        places["save_dir"] = RUN_FOLDER
    if {"save_dir", "name", "version"} <= {*taken} and isinstance(taken["name"].default, str):
        # Folders within `save_dir`, the second with a new number for every command.
        places |= {"name": "", "version": ""}
    return places


def placed(logger: Logger, settings: Namespace, folder: Path, first_step: int) -> Logger:
    """A logger that writes into the run folder, unless it was told of another or writes no files.

    Args:
        logger: As the parser has made it.
        settings: ``class_path`` and ``init_args`` of which it was made.
        folder: The run folder.
        first_step: Of a run that is resumed in its folder: what was logged of this and later steps is made again.

    Returns:
        The logger itself, or another in its place.
    """
    if hasattr(logger, "place"):
        logger.place(folder, first_step)
        return logger
    asked = vars(settings.init_args) if "init_args" in settings else {}
    taken = inspect.signature(type(logger)).parameters
    left_out = {name: parameter.default for name, parameter in taken.items()} | places_left_out(type(logger))
    if asked.get("save_dir") is None or asked["save_dir"] != left_out["save_dir"]:
        return logger
    changed: dict[str, Any] = {"save_dir": str(folder / asked["save_dir"])}
    if "purge_step" in asked and first_step > 0:
        changed["purge_step"] = first_step
    return type(logger)(**{**asked, **settings.get("dict_kwargs", {}), **changed})
