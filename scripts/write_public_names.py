"""Writes the stubs that tell type checkers which classes the packages have, which find them by looking.

python scripts/write_public_names.py
"""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import genzoo
from genzoo.discovery import public_classes

BEGINNING = '"""The public names, for type checkers; written by scripts/write_public_names.py."""\n\n'


def stubs() -> Iterator[tuple[Path, str]]:
    """The files and what belongs into them."""
    owners: dict[str, str] = {}
    for package in genzoo.PACKAGES_WITH_PUBLIC_CLASSES:
        module = import_module(f"genzoo.{package}")
        found = public_classes(module)
        origins = {name: cls.__module__ for name, cls in found.items()}
        yield Path(next(iter(module.__path__))) / "__init__.pyi", BEGINNING + _imports(origins)
        # As where they are looked up: of two classes of one name, the first package has the one that is meant.
        owners = origins | owners
    functions = "".join(f"from {module} import {name} as {name}\n" for name, module in genzoo.FUNCTIONS.items())
    version = f"{functions}\n__version__: str\n"
    yield Path(next(iter(genzoo.__path__))) / "__init__.pyi", BEGINNING + _imports(owners) + version


def _imports(origins: dict[str, str]) -> str:
    by_module = sorted(origins.items(), key=lambda entry: (entry[1], entry[0]))
    return "".join(f"from {module} import {name} as {name}\n" for name, module in by_module)


if __name__ == "__main__":
    for path, text in stubs():
        path.write_text(text)
        print(path)
