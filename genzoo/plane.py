"""Pictures of the plane: dots, lines and names on a square of it."""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional

from genzoo.drawing import TEXT, Picture

Colour = tuple[int, int, int]
# Ten colours that can be told apart (Tableau 10).
COLOURS: tuple[Colour, ...] = (
    *((31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189)),
    *((140, 86, 75), (227, 119, 194), (127, 127, 127), (188, 189, 34), (23, 190, 207)),
)
BLACK, GREY = (0, 0, 0), (205, 205, 205)
# Everything is drawn so many times as large and then made smaller, for smooth edges.
FINENESS = 3
# Points that all are one have a square of some size around them.
SMALLEST = 1e-6


class Plane:
    """A square of the plane to draw on, white at first.

    Args:
        low: The lowest value of both coordinates.
        high: The highest.
        size: Height and width in pixels.
    """

    def __init__(self, low: float, high: float, size: int = 480) -> None:
        self.low, self.high, self.size = low, high, size
        self.image = Image.new("RGB", (size * FINENESS, size * FINENESS), "white")
        self.draw = ImageDraw.Draw(self.image)

    def copy(self) -> "Plane":
        """Another one with what has been drawn."""
        other = Plane(self.low, self.high, self.size)
        other.image.paste(self.image)
        return other

    def way(self, points: Tensor, colour: Colour, width: float = 1.5) -> None:
        """A line through points ``(N, D)``."""
        self.draw.line(self._pixels(points), colour, round(width * FINENESS), joint="curve")

    def dots(self, points: Tensor, colour: Colour, radius: float = 1.0) -> None:
        """A dot on each of the points ``(N, D)``."""
        self.coloured_dots(points, [colour] * len(points), radius)

    def coloured_dots(self, points: Tensor, colours: Sequence[Colour], radius: float = 1.0) -> None:
        """A dot on each of the points ``(N, D)`` in a colour of its own; the last ones lie on top."""
        for place, colour in zip(self._pixels(points), colours, strict=True):
            self.draw.circle(place, radius * FINENESS, colour)

    def legend(self, names: Sequence[str], colours: Sequence[Colour]) -> None:
        """Names in their colours, in the upper left corner."""
        font = ImageFont.load_default(TEXT * FINENESS)
        for row, (name, colour) in enumerate(zip(names, colours, strict=True)):
            place = (6 * FINENESS, (4 + row * (TEXT + 4)) * FINENESS)
            self.draw.text(place, name, colour, font, stroke_width=2 * FINENESS, stroke_fill="white")

    def picture(self) -> Picture:
        """What has been drawn: uint8, ``(size, size, 3)``."""
        return np.array(self.image.resize((self.size, self.size), Image.Resampling.BOX))

    def _pixels(self, points: Tensor) -> list[tuple[float, float]]:
        # A model that has gone astray makes points that lie far off, or nowhere.
        near = planar(points).nan_to_num(nan=math.inf).clamp(min(-1.0, 3.0 * self.low), max(1.0, 3.0 * self.high))
        x, y = ((near - self.low) / (self.high - self.low) * self.size * FINENESS).T
        # Rows of a picture run downwards, y upwards.
        return list(zip(x.tolist(), (self.size * FINENESS - y).tolist(), strict=True))


def names_in_colours(names: Sequence[str], colours: Sequence[Colour], height: int) -> Picture:
    """A column of so many pixels in height with names in their colours."""
    plane = Plane(0.0, 1.0, height)
    plane.legend(names, colours)
    width = round(max(ImageFont.load_default(TEXT).getlength(name) for name in names))
    return plane.picture()[:, : width + 12]


def planar(points: Tensor) -> Tensor:
    """The first two coordinates of points ``(N, D)``, float32 on the CPU; of numbers, the second is 0: ``(N, 2)``."""
    found = points.as_subclass(Tensor).detach().cpu().float()[:, :2]
    return functional.pad(found, (0, 2 - found.shape[1]))


def reach(points: Tensor, share: float = 1.0) -> float:
    """How far from 0 the first two coordinates of points ``(N, D)`` go, at most; of none, a little more than 0.

    Args:
        points: Those that are not finite do not count.
        share: Of the points, the nearest ones, that do.
    """
    farthest = planar(points).abs().amax(1)
    farthest = farthest[farthest.isfinite()]
    return max(float(farthest.quantile(share)), SMALLEST) if len(farthest) else SMALLEST
