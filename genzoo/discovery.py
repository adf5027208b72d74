"""Finding classes by looking: no list of models or data sets is kept by hand."""

import pkgutil
from importlib import import_module
from types import ModuleType


def public_classes(package: ModuleType) -> dict[str, type]:
    """Imports every module of a package, however deep, and returns the public classes that are defined there, by name.

    A package's ``__init__`` puts them into its own namespace, which makes ``from genzoo.models import DCGAN``
    and, on the command line, ``--model DCGAN`` work for every file in it. Type checkers, which do not run this, read
    the stubs that ``scripts/write_public_names.py`` writes.
    """
    classes: dict[str, type] = {}
    for found in pkgutil.walk_packages(package.__path__, prefix=f"{package.__name__}."):
        module = import_module(found.name)
        for name, value in vars(module).items():
            if isinstance(value, type) and value.__module__ == module.__name__ and not name.startswith("_"):
                classes[name] = value
    return classes
