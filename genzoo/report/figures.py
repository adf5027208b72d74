"""Plots and pictures of a page: what stands in it, and the data that its program draws them from."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from genzoo.report.curves import Curve, aligned, finite, thinned
from genzoo.report.markup import Markup, element, number
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

    def curves(self, title: str, curves: Mapping[str, Curve]) -> Markup:
        """Curves over the steps.

        Args:
            title: Of the plot.
            curves: By what the legend calls them.
        """
        steps, values = aligned([thinned(curve, self._most) for curve in curves.values()])
        latest = [f"{label} {number(curve.values[-1])}" for label, curve in curves.items()]
        return self._plot(
            title, f"Latest: {', '.join(latest)}", "step", "lines", steps, dict(zip(curves, values, strict=True))
        )

    def by_number(self, title: str, values: Mapping[str, Mapping[int, float]]) -> Markup:
        """Values of parts that have numbers, such as latent variables.

        Args:
            title: Of the plot.
            values: By number, and those by what the legend calls them.
        """
        numbers = sorted({place for found in values.values() for place in found})
        shown = {label: [finite(found.get(place, math.nan)) for place in numbers] for label, found in values.items()}
        kind = "bars" if len(values) == 1 else "lines"
        return self._plot(title, f"Latest values of {len(numbers)}", "number", kind, numbers, shown)

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
        axis: str,
        kind: str,
        places: Sequence[int],
        values: Mapping[str, Sequence[float | None]],
    ) -> Markup:
        series = [{"label": label, "values": list(numbers)} for label, numbers in values.items()]
        self.plots.append({"axis": axis, "kind": kind, "places": list(places), "series": series})
        return element(
            "figure",
            element("h3", title),
            element("div", class_="plot", role="group", aria_label=f"Plot of {title}", data_plot=len(self.plots) - 1),
            element("figcaption", caption),
        )
