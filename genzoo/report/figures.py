"""Plots and pictures of a page: what stands in it, and the data that its program draws them from."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from genzoo.report.curves import Curve, aligned, finite, thinned
from genzoo.report.markup import Markup, breakable, element, number
from genzoo.report.pictures import Picture

# All curves of a page together, and each by itself.
MOST_POINTS, MOST_POINTS_OF_A_CURVE, FEWEST_POINTS_OF_A_CURVE = 60_000, 600, 20
# A small picture is shown larger than it is, up to this many times.
LARGER = 2


class Figures:
    """Collects the figures of a page.

    Args:
        curves: How many curves there will be: the more, the fewer points each has.

    Attributes:
        plots: What the page's program draws, one dict for each plot.
        frames: The pictures that a slider goes through, one dict for each picture that has one: their names, and the
            addresses of all but the last, which stands in the page.
    """

    def __init__(self, curves: int) -> None:
        self.plots: list[dict[str, Any]] = []
        self.frames: list[dict[str, list[str]]] = []
        self._most = min(MOST_POINTS_OF_A_CURVE, max(FEWEST_POINTS_OF_A_CURVE, MOST_POINTS // max(1, curves)))

    @property
    def data(self) -> dict[str, Any]:
        """What the page's program gets."""
        return {"plots": self.plots, "frames": self.frames}

    def curves(
        self,
        title: str,
        curves: Mapping[str, Curve],
        bounds: tuple[float | None, float | None] = (None, None),
        is_logarithmic: bool = False,
        colours: Sequence[int] | None = None,
    ) -> Markup:
        """Curves over the steps.

        Args:
            title: Of the plot.
            curves: By what the legend calls them.
            bounds: As of `genzoo.report.plots.Plot`.
            is_logarithmic: Whether the vertical axis is, where all values are positive.
            colours: The number of the colour of each curve; in their order if left out.
        """
        steps, values = aligned([thinned(curve, self._most) for curve in curves.values()])
        latest = ", ".join(f"{label} {number(curve.values[-1])}" for label, curve in curves.items())
        series = dict(zip(curves, values, strict=True))
        settings = {"axis": "step", "kind": "lines", "bounds": list(bounds), "logarithmic": is_logarithmic}
        return self._plot(title, f"Latest: {latest}", settings, steps, series, colours)

    def by_number(
        self, title: str, values: Mapping[str, Mapping[int, float]], colours: Sequence[int] | None = None
    ) -> Markup:
        """Values of parts that have numbers, such as latent variables.

        Args:
            title: Of the plot.
            values: By number, and those by what the legend calls them.
            colours: As for `curves`.
        """
        numbers = sorted({place for found in values.values() for place in found})
        shown = {label: [finite(found.get(place, math.nan)) for place in numbers] for label, found in values.items()}
        kind = "bars" if len(values) == 1 else "lines"
        settings = {"axis": "number", "kind": kind, "bounds": [0, None], "logarithmic": False}
        return self._plot(title, f"Latest values of {len(numbers)}", settings, numbers, shown, colours)

    def pictures(self, pictures: Sequence[Picture], kept: Sequence[Picture], caption: str) -> Markup:
        """A picture with a slider over how it was before.

        Args:
            pictures: All there are, in their order.
            kept: Those that the page has room for.
            caption: What they show.
        """
        if not kept:
            return element("p", f"{caption}: {pictures[-1].path.name} is too large for this page.", class_="note")
        last = kept[-1]
        described = f"{caption}, {last.when}" if last.when else caption
        image = element(
            "img", src=last.address(), alt=described, width=last.width * LARGER, height=last.height * LARGER
        )
        if len(kept) == 1:
            return element(
                "figure", image, element("figcaption", described), self._left_out(pictures, kept), class_="picture"
            )
        self.frames.append(
            {"names": [picture.when for picture in kept], "addresses": [picture.address() for picture in kept[:-1]]}
        )
        slider = element(
            "div",
            element("button", "Play", type="button"),
            element(
                "input", type="range", min=0, max=len(kept) - 1, value=len(kept) - 1, aria_label=f"{caption}: epoch"
            ),
            class_="slider",
            hidden=True,
        )
        return element(
            "figure",
            image,
            element("figcaption", f"{caption}, ", element("output", last.when)),
            slider,
            self._left_out(pictures, kept),
            class_="picture",
            data_frames=len(self.frames) - 1,
            data_caption=caption,
        )

    @staticmethod
    def _left_out(pictures: Sequence[Picture], kept: Sequence[Picture]) -> Markup:
        if len(kept) == len(pictures):
            return Markup("")
        return element(
            "p", f"{len(kept)} of {len(pictures)} epochs have room on this page; images/ has all.", class_="note"
        )

    def _plot(
        self,
        title: str,
        caption: str,
        settings: Mapping[str, Any],
        places: Sequence[int],
        values: Mapping[str, Sequence[float | None]],
        colours: Sequence[int] | None,
    ) -> Markup:
        series = [
            {"label": label, "values": list(numbers), "colour": colour}
            for (label, numbers), colour in zip(values.items(), colours or range(len(values)), strict=True)
        ]
        self.plots.append({**settings, "places": list(places), "series": series})
        return element(
            "figure",
            element("div", element("h3", breakable(title)), class_="head"),
            element("div", class_="plot", role="group", aria_label=f"Plot: {title}", data_plot=len(self.plots) - 1),
            element("figcaption", caption),
        )
