"""What folders and tables call their official splits."""

from collections.abc import Iterable

from genzoo.data.splits import Split

NAMES: dict[Split, tuple[str, ...]] = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}


def split_called(name: str) -> Split | None:
    """Which split a name means, in upper or lower case; None for every other name."""
    return next((split for split, names in NAMES.items() if name.lower() in names), None)


def splits_among(names: Iterable[str]) -> dict[Split, str]:
    """The official splits among some names.

    Args:
        names: Of folders or of parts of a table; those that mean no split are passed over.

    Raises:
        ValueError: If two names mean the same split.
    """
    found: dict[Split, str] = {}
    for name in names:
        split = split_called(name)
        if split is None:
            continue
        if split in found:
            raise ValueError(f"{found[split]} and {name} both mean the {split} split; keep one of them")
        found[split] = name
    return found
