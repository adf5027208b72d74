"""Packages that only some data sets and models need, imported when they are."""

from importlib import import_module
from typing import Any


def import_extra(module: str, package: str, user: str) -> Any:
    """Imports a module of an optional package.

    Args:
        module: What to import.
        package: Its name for pip.
        user: What needs it.

    Raises:
        ModuleNotFoundError: If the package is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{user} needs the package {package}, which is not installed; run `pip install {package}`"
        ) from error
