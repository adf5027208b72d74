"""``genzoo sample``: samples of a trained model, as one picture, a folder of pictures or an archive of arrays."""

import re
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genzoo.cli.plain_parser import PlainParser
from genzoo.cli.refusals import answer_plainly
from genzoo.files import require_free

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genzoo.cli.sample_files import SampleFile, Series

ENDINGS = (".png", ".npz", "")
EXAMPLES = """\
examples:
  genzoo sample runs/dcgan/NAME --out grid.png
  genzoo sample runs/cgan/NAME --classes sneaker,bag
  genzoo sample runs/vae/NAME --number 100000 --out samples.npz
"""
# From where on drawing takes long enough to be watched.
WATCHED = 2000


def sample(arguments: Sequence[str]) -> int:
    """Draws samples and writes them.

    Args:
        arguments: What follows ``genzoo sample``.

    Returns:
        The exit code: 0, or 1 after a failure that has been said. Misuse ends the program with 2, before anything is
        drawn.
    """
    options = _parser().parse_args(list(arguments))
    try:
        place = _place(options)
        form, series, blocks = _prepared(options, place)
        form.write(place, series, _watched(blocks, series.number))
    except Exception as error:
        return answer_plainly(error)
    sys.stdout.write(f"written to {place}\n")
    return 0


def _parser() -> PlainParser:
    parser = PlainParser("sample", "Draws samples from a trained model and writes them.", EXAMPLES)
    parser.add_argument("model", help="a checkpoint, a run folder, or the name of a model of the zoo")
    parser.add_argument("--number", type=int, default=64, help="how many samples (64)")
    parser.add_argument("--classes", help="classes that come in turn, by number or name: 3,7 or sneaker,bag")
    parser.add_argument(
        "--condition",
        metavar="FILE",
        help="vectors, tokens or condition images: .npy, one for all or one for each; a condition image as PNG, too",
    )
    parser.add_argument("--seed", type=int, default=0, help="the same one draws the same samples again (0)")
    parser.add_argument(
        "--truncation",
        type=float,
        help="latent variables nearer to their middle: normal ones within +- this, uniform ones scaled by it",
    )
    parser.add_argument("--weights", choices=["raw", "averaged"], help="if left out, averages where there are any")
    parser.add_argument("--allow", action="append", default=[], metavar="PACKAGE", help="makes classes of this too")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, mps, ... (cpu)")
    parser.add_argument(
        "--out",
        help="grid.png, a folder of PNGs (images/) or arrays.npz; if left out samples.png, or the next free number",
    )
    parser.add_argument("--overwrite", action="store_true", help="replaces what is there")
    return parser


def _place(options: Namespace) -> Path:
    """Where samples go, which is free and can be written, once it is clear that some are asked for."""
    for name, least in (("number", 1), ("seed", 0)):
        if (value := getattr(options, name)) < least:
            raise ValueError(f"--{name} should be at least {least}, got {value}")
    path, further = Path(options.out or "samples.png"), 1
    while options.out is None and path.exists() and not options.overwrite:
        further += 1
        path = Path(f"samples_{further}.png")
    ending = _ending(options)
    if ending not in ENDINGS:
        raise ValueError(
            f"--out {options.out} ends in {ending}, which stands for no form of samples; give it .png for one picture, "
            ".npz for arrays, or / for a folder of pictures"
        )
    require_free(path, options.overwrite)
    if path.exists() and path.is_dir() != (ending == ""):
        kind, other = ("a folder", "a file") if path.is_dir() else ("a file", "a folder")
        raise ValueError(f"{path} is {kind} and cannot be replaced by {other}; choose another --out")
    if others := [] if ending else _other_files(path):
        raise ValueError(
            f"{path} holds other files too, such as {others[0]}, and is not replaced; choose another --out"
        )
    return path


def _other_files(folder: Path) -> list[str]:
    """What lies in a folder beside such files as samples are written to."""
    names = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    return [name for name in names if not re.fullmatch(r"\d+\.png", name)]


def _ending(options: Namespace) -> str:
    """What the form of the samples is chosen by."""
    out = options.out or "samples.png"
    return "" if out.endswith("/") else Path(out).suffix.lower()


def _prepared(options: Namespace, place: Path) -> tuple["SampleFile", "Series", Iterator["NDArray[Any]"]]:
    """All that can be refused is done here: model, conditions and form, up to the first block of samples."""
    # Only now: whatever is wrong with the options themselves is said without waiting for torch.
    from genzoo.cli.asked_conditions import asked_labels
    from genzoo.cli.devices import move
    from genzoo.cli.sample_files import FORMS, Series, as_written
    from genzoo.sampling.conditions import ClassCondition
    from genzoo.zoo.loading import load

    sampler = load(options.model, weights=options.weights, allow=tuple(options.allow))
    labels = asked_labels(sampler, options.number, options.classes, options.condition)
    is_classes = isinstance(sampler.condition, ClassCondition)
    series = Series(sampler.data_spec, options.number, labels.numpy() if is_classes and labels is not None else None)
    form = FORMS[_ending(options)]()
    if reason := form.misfit(series):
        raise ValueError(reason)
    move(sampler, options.device)
    batches = sampler.batches(options.number, labels, options.seed, options.truncation)
    # The first one shows whether there is anything to draw from.
    return form, series, map(as_written, chain([next(batches)], batches))


def _watched(blocks: Iterable["NDArray[Any]"], number: int) -> Iterator["NDArray[Any]"]:
    """The same blocks, with a progress bar where it takes a while and somebody is there to see it."""
    if number < WATCHED or not sys.stderr.isatty():
        yield from blocks
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Drawing samples", total=number)
        for block in blocks:
            yield block
            progress.advance(task, len(block))
