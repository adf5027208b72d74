"""Finding the configs that come with the package."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped_configs() -> Path:
    """The folder of the shipped configs: inside an installed package, beside it in a checkout."""
    installed = _PACKAGE / "configs"
    return installed if installed.is_dir() else _PACKAGE.parent / "configs"


def with_shipped_configs(arguments: list[str]) -> list[str]:
    """Command-line arguments in which ``--config configs/NAME.yaml`` also works away from a checkout.

    A file that exists in the working folder is taken as it is; otherwise the shipped config of that name is.
    """
    found = list(arguments)
    for place, argument in enumerate(arguments):
        flag, equals, value = argument.partition("=")
        if flag not in ("--config", "-c"):
            continue
        if equals:
            found[place] = f"{flag}={_find(value)}"
        elif place + 1 < len(arguments):
            found[place + 1] = _find(arguments[place + 1])
    return found


def _find(path: str) -> str:
    shipped = shipped_configs() / Path(path).as_posix().removeprefix("configs/")
    return str(shipped) if not Path(path).exists() and shipped.is_file() else path
