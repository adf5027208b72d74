"""Pieces of HTML, each of whose values is escaped, and the page around them."""

import json
import math
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from genzoo import __version__

ASSETS = Path(__file__).parent / "assets"
NONE = "\N{EN DASH}"


class Markup(str):
    """HTML that is safe to stand in a page as it is."""

    __slots__ = ()


def text(value: object) -> Markup:
    """A value as it is to be read; what is `Markup` already stays as it is."""
    return value if isinstance(value, Markup) else Markup(escape(str(value)))


def breakable(name: object) -> Markup:
    """A name such as ``train/generator_loss``, which ends a line behind its parts rather than anywhere."""
    return name if isinstance(name, Markup) else Markup(re.sub(r"([/_.])", r"\1<wbr>", text(name)))


def element(name: str, *content: object, **attributes: object) -> Markup:
    """An element of HTML.

    Args:
        name: Of the element, such as ``p``.
        content: What stands in it, one after the other.
        attributes: By name; ``_`` stands for ``-`` in a name, and a last one is dropped. True gives the name alone,
            None and False nothing.
    """
    given = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    shown = "".join(
        f" {key}" if value is True else f' {key}="{escape(str(value))}"'
        for key, value in given.items()
        if value is not None and value is not False
    )
    inner = "".join(map(text, content))
    return Markup(f"<{name}{shown}>{inner}" if name in ("img", "input") else f"<{name}{shown}>{inner}</{name}>")


def joined(parts: Iterable[object]) -> Markup:
    """Pieces one after the other."""
    return Markup("\n".join(map(text, parts)))


def table(rows: Iterable[Sequence[object]], head: Sequence[object] = (), caption: str = "") -> Markup:
    """A table whose first column says what its rows are; it scrolls by itself where it is too wide."""
    body = [
        element("tr", element("th", breakable(row[0]), scope="row"), *(element("td", cell) for cell in row[1:]))
        for row in rows
    ]
    return element(
        "div",
        element(
            "table",
            element("caption", caption) if caption else "",
            element("thead", element("tr", *(element("th", cell, scope="col") for cell in head))) if head else "",
            element("tbody", *body),
        ),
        class_="wide",
        tabindex=0,
        role="region",
        aria_label=caption or "table",
    )


def section(title: str, *content: object) -> Markup:
    """A section under a heading; nothing where it would be empty."""
    return element("section", element("h2", title), *content, id=anchor(title)) if any(content) else Markup("")


def folded(summary: object, *content: object) -> Markup:
    """What is shown once it is asked for."""
    return element("details", element("summary", summary), *content)


def anchor(title: str) -> str:
    """By which a section is linked to."""
    return title.lower().replace(" ", "-")


def number(value: float | None) -> str:
    """A number with 4 digits; a dash for none, or for one that is not finite."""
    return NONE if value is None or not math.isfinite(value) else f"{value:.4g}"


def duration(seconds: float | None) -> str:
    """A time in words, such as ``0:16:50 (hours, minutes, seconds)``; empty for none."""
    return "" if seconds is None else f"{timedelta(seconds=round(seconds))} (hours, minutes, seconds)"


def moment(when: datetime | None) -> str:
    """A date and the time of day; empty for none."""
    return "" if when is None else when.strftime("%Y-%m-%d %H:%M")


def page(title: str, parts: Sequence[Markup], sections: Sequence[str], data: Any) -> str:
    """A whole page, which asks no network for anything.

    Args:
        title: Of the page.
        parts: What it shows, one below the other.
        sections: Titles of the sections that it begins with links to.
        data: What its program gets, plain data without NaN.
    """
    # As JSON < stands in strings alone, where it may be written so: nothing in them can end the element.
    encoded = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    links = [element("a", name, href=f"#{anchor(name)}") for name in sections]
    return Template(_asset("page.html")).substitute(
        title=escape(title),
        version=escape(__version__),
        plot_licence=_asset("uplot/LICENSE"),
        plot_style=_asset("uplot/uPlot.min.css"),
        style=_asset("page.css"),
        links=element("nav", *links, aria_label="Sections") if len(links) > 1 else "",
        content=joined(parts),
        data=encoded,
        plot_program=_asset("uplot/uPlot.iife.min.js"),
        program=_asset("page.js"),
    )


@cache
def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8").strip()
