"""genzoo: the PyTorch Lightning model zoo for the two classic families of deep generative models, VAE and GAN.

Public names are imported on first use, so that ``import genzoo`` costs nothing.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Those that need torch alone come first: whoever asks for a prior or a network does not wait for Lightning.
PACKAGES_WITH_PUBLIC_CLASSES = (
    "schedules",
    "losses",
    "augmentations",
    "networks",
    "sampling",
    "training",
    "models",
    "data",
    "metrics",
    "evaluation",
    "callbacks",
)


# Public functions, each with its module.
FUNCTIONS = {"load": "genzoo.zoo.loading"}


def __dir__() -> list[str]:
    packages = [import_module(f"genzoo.{package}") for package in PACKAGES_WITH_PUBLIC_CLASSES]
    classes = {name for package in packages for name, value in vars(package).items() if isinstance(value, type)}
    return sorted(classes | FUNCTIONS.keys())


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module 'genzoo' has no attribute {name!r}")
    if name in FUNCTIONS:
        return getattr(import_module(FUNCTIONS[name]), name)
    for package in PACKAGES_WITH_PUBLIC_CLASSES:
        found = getattr(import_module(f"genzoo.{package}"), name, None)
        if isinstance(found, type):
            return found
    raise AttributeError(f"module 'genzoo' has no attribute {name!r}")
