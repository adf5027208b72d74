"""Trained models: where they lie, how they are shown, and how a run becomes one of them.

Its functions are imported on first use, so that what is on the shelves can be listed without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genzoo.zoo.loading import load as load
    from genzoo.zoo.publishing import publish as publish
    from genzoo.zoo.shelves import entries as entries

FUNCTIONS = {
    "entries": "genzoo.zoo.shelves",
    "load": "genzoo.zoo.loading",
    "publish": "genzoo.zoo.publishing",
}


def __dir__() -> list[str]:
    return sorted(FUNCTIONS)


def __getattr__(name: str) -> Any:
    if name not in FUNCTIONS:
        raise AttributeError(f"module 'genzoo.zoo' has no attribute {name!r}")
    return getattr(import_module(FUNCTIONS[name]), name)
