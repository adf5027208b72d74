"""Packages that only some data sets and models need, imported when they are."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any


def import_extra(module: str, package: str, user: str, install: str | None = None) -> Any:
    """Imports a module of an optional package.

    Args:
        module: What to import.
        package: Its name for pip.
        user: What needs it.
        install: What pip is asked for in its place, such as ``'genzoo[export]'``, which brings others along.

    Raises:
        ModuleNotFoundError: If the package is not installed, or does not have the module, or lacks another package.
        ImportError: If it is installed, but cannot be imported for another reason.
    """
    try:
        return import_module(module)
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and error.name:
            lack = _lack(error.name, module, install or package)
            raise ModuleNotFoundError(f"{user} needs the package {package}, {lack}") from error
        raise ImportError(
            f"{user} needs the package {package}, which is installed but cannot be imported: {error}; run "
            f"`pip install --upgrade --force-reinstall {install or package}`"
        ) from error


def _lack(missing: str, module: str, package: str) -> str:
    """What is wrong with a package one of whose modules cannot be imported, and what to do."""
    own, owner = module.partition(".")[0], missing.partition(".")[0]
    if owner == own and find_spec(own) is None:
        return f"which is not installed; run `pip install {package}`"
    if owner == own:
        return f"of which the installed version has no {missing}; run `pip install --upgrade {package}`"
    return (
        f"which is installed, but needs {missing}, which is not; run `pip install {package}` again, which installs "
        f"what it needs, or `pip install {owner}`"
    )
