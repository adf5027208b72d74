"""The pictures of a run, and as many of them as a page has room for."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from genzoo.dashboards.layout import SECTIONS
from genzoo.dashboards.panels import Pictures

IMAGES = "images"
TYPES = {".png": "image/png", ".gif": "image/gif", ".webp": "image/webp", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
# As on the dashboard, and in its order.
CAPTIONS = {
    name.removeprefix("pictures/"): panel.title
    for section in SECTIONS
    for panel in section.panels
    if isinstance(panel, Pictures)
    for name in panel.names
}


@dataclass(frozen=True)
class Picture:
    """A file of ``images/``.

    Args:
        name: What is drawn, such as ``samples``.
        epoch: After how many epochs; None where the file does not say.
        path: The file.
        width: In pixels.
        height: In pixels.
        length: Of the file, in bytes.
    """

    name: str
    epoch: int | None
    path: Path
    width: int
    height: int
    length: int

    @property
    def caption(self) -> str:
        """What it shows, in words."""
        return CAPTIONS.get(self.name, self.name.replace("_", " ").capitalize())

    @property
    def when(self) -> str:
        """After how many epochs, in words; empty if that is not known."""
        return "" if self.epoch is None else f"epoch {self.epoch}"

    @property
    def size(self) -> int:
        """How many characters its `address` has."""
        return len("data:;base64,") + len(TYPES[self.path.suffix]) + -(-self.length // 3) * 4

    def address(self) -> str:
        """The bytes of the file as an address that stands in a page."""
        encoded = base64.b64encode(self.path.read_bytes()).decode()
        return f"data:{TYPES[self.path.suffix]};base64,{encoded}"


def find_pictures(folder: Path) -> tuple[dict[str, list[Picture]], list[str]]:
    """The pictures of a run.

    Args:
        folder: Of the run.

    Returns:
        Pictures by name, each list by epoch, in the order of the dashboard; and names of files that are none.
    """
    found: dict[str, list[Picture]] = {}
    damaged = []
    for path in sorted(path for path in (folder / IMAGES).glob("*") if path.suffix in TYPES):
        numbered = re.fullmatch(r"(.+)_epoch_(\d+)", path.stem)
        name, epoch = (numbered[1], int(numbered[2])) if numbered else (path.stem, None)
        try:
            with Image.open(path) as image:
                width, height = image.size
        except OSError:
            damaged.append(path.name)
            continue
        found.setdefault(name, []).append(Picture(name, epoch, path, width, height, path.stat().st_size))
    order = sorted(
        found, key=lambda name: (name not in CAPTIONS, list(CAPTIONS).index(name) if name in CAPTIONS else 0)
    )
    return {name: sorted(found[name], key=lambda picture: picture.epoch or 0) for name in order}, damaged


def spread(pictures: Sequence[Picture], room: int) -> list[Picture]:
    """As many pictures as there is room for, evenly from the first to the last.

    Args:
        pictures: In their order.
        room: How many characters their addresses may have together.

    Returns:
        All if they fit, else a part with the first and the last; the last alone, or none, where there is no more room.
    """
    last = len(pictures) - 1
    for number in range(len(pictures), 1, -1):
        chosen = [pictures[round(place * last / (number - 1))] for place in range(number)]
        if sum(picture.size for picture in chosen) <= room:
            return chosen
    return [picture for picture in pictures[-1:] if picture.size <= room]
