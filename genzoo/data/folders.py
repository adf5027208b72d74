"""The images below a folder: one rule for all that reads folders."""

import logging
import os
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from genzoo.data.decoding import image_endings

# What systems put into folders of their own accord, in lower case.
JUNK = {"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin", "lost+found"}

DEAD_LINK = "a link to what does not exist"
SECOND_WAY = "a link to what is there already"

logger = logging.getLogger(__name__)


class LeftOut(NamedTuple):
    """Something visible below a folder that is not taken for an image.

    Attributes:
        path: Relative to the folder.
        reason: Its ending, or what else it is.
    """

    path: Path
    reason: str


class FolderContent(NamedTuple):
    """What lies below a folder, both in the order of the paths.

    Attributes:
        images: Files whose names end as those of images do, relative to the folder; they may be broken.
        left_out: All other visible files.
    """

    images: list[Path]
    left_out: list[LeftOut]

    def below(self, folder: Path) -> "FolderContent":
        """What of this lies below one of the folders, still relative to the whole."""
        if folder == Path():
            return self
        return FolderContent(
            [path for path in self.images if path.is_relative_to(folder)],
            [entry for entry in self.left_out if entry.path.is_relative_to(folder)],
        )


def content_of(folder: Path) -> FolderContent:
    """Looks for images in a folder and all folders below it.

    Whatever is hidden is passed over, and so is what systems put into folders of their own accord. Links are followed,
    but each real folder is visited once and each real file taken once: where it really lies, if that is below the
    folder, else by the first of the links. A link that leads nowhere counts as an image, a broken one, if it is named
    like one.

    Raises:
        OSError: If one of the folders cannot be listed.
    """
    images: list[Path] = []
    left_out: list[LeftOut] = []
    root = os.path.realpath(folder)
    # A link that leads upwards would bring in the surroundings of the folder.
    known = {root, *map(str, Path(root).parents)}
    folders, links = deque([(Path(), root)]), deque[Path]()

    def take(path: Path, real: str, is_folder: bool) -> None:
        known.add(real)
        if is_folder:
            folders.append((path, real))
        elif path.suffix.lower() in image_endings():
            images.append(path)
        else:
            reason = path.suffix.lower() or "a name without an ending"
            left_out.append(LeftOut(path, reason if Path(real).exists() else DEAD_LINK))

    # Links last, so that a file that lies in the folder is known before the links to it.
    while folders or links:
        if folders:
            place, real = folders.popleft()
            for entry in _visible_entries(real):
                if entry.is_symlink():
                    links.append(place / entry.name)
                else:
                    take(place / entry.name, entry.path, entry.is_dir())
        else:
            link = links.popleft()
            # Unlike `Path.resolve`, this takes links that lead in circles for dead ones.
            target = os.path.realpath(folder / link)
            if target in known:
                left_out.append(LeftOut(link, SECOND_WAY))
            else:
                take(link, target, Path(target).is_dir())
    return FolderContent(sorted(images, key=lambda path: path.parts), sorted(left_out))


def require_images(folder: Path, content: FolderContent) -> None:
    """Refuses a folder without images.

    Raises:
        FileNotFoundError: If there are none; says what there is.
    """
    if not content.images:
        found = f", it has {_counted(content.left_out)}" if content.left_out else ""
        raise FileNotFoundError(f"{folder} holds no images; expected .jpg, .png or any other raster format{found}")


def report_left_out(folder: Path, left_out: Sequence[LeftOut]) -> None:
    """Says in one line how many files of which endings are not used, if there are any."""
    if left_out:
        logger.warning("left out %d file(s) in %s: %s", len(left_out), folder, _counted(left_out))


def _counted(left_out: Sequence[LeftOut]) -> str:
    reasons = Counter(reason for _, reason in left_out)
    return ", ".join(f"{count} x {reason}" for reason, count in reasons.most_common())


def _visible_entries(folder: str) -> Iterator[os.DirEntry[str]]:
    """What is neither hidden nor put there by a system, sorted by name."""
    try:
        with os.scandir(folder) as entries:
            every = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise OSError(
            f"the folder {folder} cannot be read ({error.strerror}); give the right to read it, or move it away"
        ) from error
    return (entry for entry in every if not entry.name.startswith(".") and entry.name.lower() not in JUNK)
