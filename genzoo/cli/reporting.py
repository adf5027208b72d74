"""``genzoo report``: what runs have left behind, as pages of HTML."""

import sys
from collections.abc import Sequence
from pathlib import Path

from genzoo.cli.plain_parser import PlainParser
from genzoo.cli.refusals import answer_plainly
from genzoo.files import require_free

EXAMPLES = """\
examples:
  genzoo report runs/dcgan/first                                       # runs/dcgan/first/report.html
  genzoo report runs/dcgan/first runs/dcgan/second --out comparison.html
"""


def report(arguments: Sequence[str]) -> int:
    """Writes the page of a run, or one that compares several.

    Args:
        arguments: What follows ``genzoo report``.

    Returns:
        The exit code: 0, or 1 after a failure that has been said. Misuse ends the program with 2.
    """
    parser = PlainParser("report", "Writes a page of HTML about a run, or one that compares several.", EXAMPLES)
    parser.add_argument("runs", metavar="RUN", nargs="+", help="folder of a run, or of a test")
    parser.add_argument("--out", metavar="FILE", help="the page (RUN/report.html; comparison.html of several runs)")
    parser.add_argument("--overwrite", action="store_true", help="replace the file that --out names")
    options = parser.parse_args(arguments)
    folders = [Path(run) for run in options.runs]
    from genzoo.report.writing import COMPARISON, write_comparison, write_report

    try:
        out = None if options.out is None else Path(options.out)
        if len(folders) > 1 or out is not None:
            out = out or Path(COMPARISON)
            require_free(out, options.overwrite)
        if len(folders) > 1:
            assert out is not None
            write_comparison(folders, out)
        else:
            out = write_report(folders[0], out)
    except Exception as error:
        return answer_plainly(error)
    sys.stdout.write(f"written to {out}\n")
    return 0
