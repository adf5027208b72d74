"""``genzoo list``, ``genzoo show`` and ``genzoo publish``: the zoo from the command line."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from genzoo.cli.plain_parser import PlainParser
from genzoo.cli.refusals import answer_plainly, say
from genzoo.zoo.entry import CARD, FILES, Entry
from genzoo.zoo.shelves import entries, entry_at


def list_entries(arguments: Sequence[str]) -> int:
    """Prints the entries on this machine.

    Args:
        arguments: What follows ``genzoo list``.

    Returns:
        The exit code.
    """
    parser = PlainParser("list", "Lists the models of the zoo on this machine.")
    parser.add_argument("--json", action="store_true", help="print them as JSON")
    options = parser.parse_args(arguments)
    found = entries(unreadable=lambda error: say(f"left out: {error}"))
    if options.json:
        sys.stdout.write(json.dumps([_facts(entry) for entry in found], indent=2) + "\n")
        return 0
    rows = [
        (entry.name, entry.model, entry.data, entry.items, f"{entry.megabytes:.1f} MB", _headline(entry), entry.shelf)
        for entry in found
    ]
    sys.stdout.write(_aligned([("name", "model", "data", "items", "size", "score (real data)", "from"), *rows]))
    return 0


def show_entry(arguments: Sequence[str]) -> int:
    """Prints the card of an entry and where its files lie.

    Args:
        arguments: What follows ``genzoo show``.

    Returns:
        The exit code; misuse ends the program with 2.
    """
    parser = PlainParser("show", "Shows the card of a model.")
    parser.add_argument("name", metavar="NAME", help="a name (genzoo list), a folder, or user/name of the Hub")
    options = parser.parse_args(arguments)
    try:
        entry = entry_at(options.name, CARD)
        text = (entry.folder / CARD).read_text("utf-8", "replace") if (entry.folder / CARD).is_file() else ""
    except Exception as error:
        return answer_plainly(error)
    from rich.console import Console
    from rich.markdown import Markdown

    # Below its head, which is for machines.
    body = text.split("---\n", 2)[2] if text.startswith("---\n") else text
    # A terminal shows no pictures; where they lie is said below.
    lines = [line for line in body.splitlines() if not line.startswith("![")]
    console = Console()
    console.print(Markdown("\n".join(lines)))
    console.print()
    files = [name for name in FILES if (entry.folder / name).is_file()]
    # Paths are printed whole, so that they can be copied.
    sys.stdout.write("".join(f"{entry.folder / name}\n" for name in files))
    return 0


def publish_entry(arguments: Sequence[str]) -> int:
    """Makes an entry of a run.

    Args:
        arguments: What follows ``genzoo publish``.

    Returns:
        The exit code: 0, or 1 after a failure that has been said. Misuse ends the program with 2.
    """
    parser = PlainParser("publish", "Makes an entry of the zoo of a finished run.")
    parser.add_argument("run", metavar="RUN", help="folder of a run, or a checkpoint")
    parser.add_argument("name", metavar="NAME", help="of the entry; hub:USER/NAME pushes it to the Hugging Face Hub")
    parser.add_argument("--title", default="", help="heading of the card (the name)")
    parser.add_argument("--description", default="", help="what the card says first")
    parser.add_argument("--license", default="", help="of the weights, as the Hub names it: mit, cc-by-4.0, ...")
    parser.add_argument("--data_license", default="", help="of the data, where genzoo does not know it")
    parser.add_argument("--weights", choices=("raw", "averaged"), help="which ones (averages, if there are any)")
    parser.add_argument("--out", metavar="FOLDER", help="the entry's folder (one in your own zoo)")
    parser.add_argument("--overwrite", action="store_true", help="replace an entry of the name")
    parser.add_argument("--private", action="store_true", default=None, help="make a repository that only you see")
    parser.add_argument(
        "--allow", metavar="PACKAGE", action="append", default=[], help="trust classes of a package too"
    )
    options = parser.parse_args(arguments)
    from genzoo.zoo.publishing import Told, publish

    told = Told(options.title, options.description, options.license, options.data_license)
    try:
        published = publish(
            options.run,
            options.name,
            told=told,
            weights=options.weights,
            out=options.out,
            overwrite=options.overwrite,
            private=options.private,
            allow=options.allow,
        )
    except Exception as error:
        return answer_plainly(error)
    for note in published.notes:
        say(note)
    sys.stdout.write(f"published: {published.place}\n")
    return 0


def _headline(entry: Entry) -> str:
    """The first score, and what real data get."""
    if not entry.scores:
        return ""
    name, value, floor = (entry.scores[0].get(key) for key in ("name", "value", "floor"))
    text = f"{name} {'none' if value is None else f'{value:.3g}'}"
    return text if floor is None else f"{text} ({floor:.3g})"


def _facts(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "model": entry.model,
        "data": entry.data,
        "items": entry.items,
        "megabytes": round(entry.megabytes, 3),
        "scores": {score["name"]: {"value": score["value"], "floor": score.get("floor")} for score in entry.scores},
        "folder": str(entry.folder),
        "from": entry.shelf,
    }


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows as lines whose columns stand below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "".join(f"{line}\n" for line in lines)
