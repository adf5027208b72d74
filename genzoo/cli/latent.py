"""``genzoo latent TOOL MODEL``: pictures of what the latent variables of a trained model mean.

Each tool has a module of its own in `genzoo.cli.latent_tools`; a new one is an entry in `TOOLS` and such a module.
"""

import argparse
import math
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from genzoo import __version__
from genzoo.cli.plain_parser import PlainParser
from genzoo.cli.refusals import answer_plainly, refuse
from genzoo.names import nearest


@dataclass(frozen=True)
class Tool:
    """An entry of the list of tools.

    Attributes:
        purpose: What it shows, behind its name in the list.
        endings: Of the files that it writes; the first is that of the default.
    """

    purpose: str
    endings: tuple[str, ...] = (".png",)


TOOLS = {
    "interpolate": Tool("from one code, or one image, to another, on a straight line and on the sphere"),
    "traverse": Tool("what each latent dimension changes, those that carry most information first"),
    "manifold": Tool("the plane of a model with two latent variables, at equal quantiles of its prior"),
    "walk": Tool("an animated closed walk through random codes, as GIF or MP4", (".gif", ".mp4")),
    "arithmetic": Tool("sums and differences of concepts, which are picked by a classifier, a measure or by hand"),
    "invert": Tool("the latent variables of given items, found by descent, and what the model makes of them"),
    "neighbours": Tool("the training items that lie nearest to samples"),
}
USAGE = """\
genzoo latent: what the latent variables of a trained model mean

usage: genzoo latent TOOL MODEL [--out FILE] [...]

tools:
{tools}

examples:
  genzoo latent interpolate runs/vae/NAME --between 3 17
  genzoo latent walk runs/dcgan/NAME --out walk.mp4
  genzoo latent arithmetic runs/dcgan/NAME "sandal - sneaker + ankle boot"

MODEL is a run folder, a checkpoint or the name of a model of the zoo. Each tool writes a picture and beside it a JSON
file with what it shows; `genzoo latent TOOL --help` lists its options.
"""


def latent(arguments: Sequence[str]) -> int:
    """Runs one tool.

    Args:
        arguments: What follows ``genzoo latent``.

    Returns:
        The exit code: 0, or 1 after a failure that has been said. Misuse ends the program with 2, and nothing is
        written.
    """
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        width = max(map(len, TOOLS))
        sys.stdout.write(USAGE.format(tools="\n".join(f"  {n:{width}}  {t.purpose}" for n, t in TOOLS.items())))
        return 0
    name = arguments[0]
    if name not in TOOLS:
        refuse(
            f"'{name}' is not a tool of genzoo latent; {nearest(name, TOOLS)}the tool comes first and is one of "
            f"{', '.join(TOOLS)} (genzoo latent --help says what they show)"
        )
    tool = import_module(f"genzoo.cli.latent_tools.{name}")
    parser = _parser(name)
    tool.add_options(parser)
    options = parser.parse_args(arguments[1:])
    try:
        _run(tool, name, options, shlex.join(["genzoo", "latent", *arguments]))
    except Exception as error:
        return answer_plainly(error)
    return 0


def _parser(name: str) -> PlainParser:
    """A parser with the options that all tools share."""
    tool = TOOLS[name]
    parser = PlainParser(f"latent {name}", f"Draws {tool.purpose}.")
    parser.add_argument("model", metavar="MODEL", help="run folder, checkpoint, or name of a model of the zoo")
    endings = " or ".join(tool.endings)
    parser.add_argument(
        "--out", type=Path, default=Path(f"{name}{tool.endings[0]}"), metavar="FILE",
        help=f"the picture, {endings}, beside which a JSON file is written (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there already")
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (default: %(default)s)")
    parser.add_argument("--weights", choices=("raw", "averaged"), help="left out, the averages if there are any")
    parser.add_argument(
        "--allow", action="append", default=[], metavar="PACKAGE",
        help="also make classes of this package; only genzoo's own are made otherwise",
    )  # fmt: skip
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, mps, ... (default: %(default)s)")
    return parser


def _run(tool: Any, name: str, options: argparse.Namespace, command: str) -> None:
    from genzoo.cli.devices import move
    from genzoo.cli.latent_tools.drawn import record_beside, write_drawn
    from genzoo.files import require_free
    from genzoo.zoo.loading import load

    ending = options.out.suffix
    if ending not in TOOLS[name].endings:
        others = [other for other, entry in TOOLS.items() if ending in entry.endings]
        hint = f" ({others[0]} writes {ending})" if len(others) == 1 else ""
        raise ValueError(
            f"{options.out} should end in {' or '.join(TOOLS[name].endings)}, which is what genzoo latent {name} "
            f"writes{hint}; choose another --out"
        )
    for option, value in vars(options).items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"--{option} should be a finite number, got {value:g}")
    if options.seed < 0:
        raise ValueError(f"--seed is {options.seed}, but must be a whole number from 0")
    places = options.out, record_beside(options.out)
    for place in places:
        require_free(place, options.overwrite)
    sampler = load(options.model, options.weights, tuple(options.allow))
    move(sampler, options.device)
    drawn = tool.draw(sampler, options)
    about = {"tool": name, "model": options.model, "command": command, "genzoo": __version__, "seed": options.seed}
    write_drawn(drawn, options.out, about)
    sys.stdout.write(f"written to {places[0]} and {places[1]}\n")
