"""Where entries are found by their names: in the package, then in the user's own folder."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from genzoo.names import nearest
from genzoo.zoo import hub
from genzoo.zoo.entry import WEIGHTS, Entry, EntryError, is_entry, read_entry

SHIPPED = Path(__file__).parent / "assets"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
# File systems take 255 bytes, the Hub's names 96.
LONGEST_NAME = 96


def own_folder() -> Path:
    """The user's folder of entries: ``$GENZOO_HOME/zoo``, else ``$XDG_DATA_HOME/genzoo/zoo``, else below home.

    Below home it is ``~/.local/share/genzoo/zoo``.
    """
    if own := os.environ.get("GENZOO_HOME"):
        return Path(own) / "zoo"
    if shared := os.environ.get("XDG_DATA_HOME"):
        return Path(shared) / "genzoo" / "zoo"
    return Path.home() / ".local" / "share" / "genzoo" / "zoo"


def require_name(name: str) -> None:
    """Requires that a name can be that of an entry.

    Raises:
        ValueError: If it cannot.
    """
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise ValueError(
            f"{name!r} is no name of an entry: that has letters, digits, - and _ alone, begins with a letter or a "
            f"digit and is at most {LONGEST_NAME} long, such as vae-clothes"
        )


def folders() -> Iterator[tuple[Path, str]]:
    """The folders of all entries, whether or not they can be read, each with where it was found, in words.

    Of two of the same name the first one is meant.
    """
    seen: set[str] = set()
    for shelf, words in ((SHIPPED, "genzoo"), (own_folder(), str(own_folder()))):
        for folder in sorted(shelf.iterdir()) if shelf.is_dir() else ():
            if is_entry(folder) and folder.name not in seen:
                seen.add(folder.name)
                yield folder, words


def entries(unreadable: Callable[[EntryError], object] = lambda error: None) -> list[Entry]:
    """All entries on this machine: those that come with genzoo, then the user's own.

    Args:
        unreadable: Is told of those that cannot be read, and are left out.
    """
    found = []
    for folder, shelf in folders():
        try:
            found.append(read_entry(folder, shelf))
        except EntryError as error:
            unreadable(error)
    return found


def entry_at(place: str | Path, file: str = WEIGHTS) -> Entry:
    """The entry that a place stands for: a folder that is there, else a name, else an address of the Hub.

    Args:
        place: A folder, a name, or ``user/name`` of the Hugging Face Hub.
        file: Which one is fetched from the Hub, if it lies there.

    Raises:
        ValueError: If there is none, or one that cannot be read.
        ConnectionError: If it can only be one of the Hub, which cannot be reached.
    """
    name = str(place)
    if name and Path(place).is_dir():
        return read_entry(Path(place))
    known = {folder.name: (folder, shelf) for folder, shelf in folders()}
    if name in known:
        return read_entry(*known[name])
    # Where the folder that it begins with is on this machine, a name with a / is a mistyped path, not an address.
    beside = _beside(Path(name))
    if hub.is_address(name) and not beside:
        return hub.fetch(name, file)
    raise ValueError(
        f"there is no {name!r}, neither as a path nor in the zoo; {nearest(name, [*beside, *known])}in the zoo there "
        f"are {', '.join(known) or 'none yet'}, and models of the Hugging Face Hub go by user/name"
    )


def _beside(path: Path) -> list[str]:
    """What lies where a path with a / would; nothing if its folder is not there."""
    around = path.parent
    return sorted(map(str, around.iterdir())) if around.name not in ("", "..") and around.is_dir() else []
