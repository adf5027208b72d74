"""Pages of runs as files."""

from collections.abc import Sequence
from pathlib import Path

from genzoo.files import write_whole
from genzoo.report.comparison import comparison_page
from genzoo.report.run_page import run_page
from genzoo.report.story import read_story, run_tested_in

# In the folder of a run, and where several are compared in the working folder.
PAGE, COMPARISON = "report.html", "comparison.html"


def write_report(folder: Path, out: Path | None = None) -> Path:
    """Writes the page of a run, in the place of an earlier one.

    Args:
        folder: Of the run, or of a test.
        out: The file; ``report.html`` in the folder if left out.

    Returns:
        The file.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If it is none of a run.
        OSError: If the page cannot be written.
    """
    out = folder / PAGE if out is None else out
    write_whole(out, run_page(read_story(folder)))
    return out


def refresh_tested(folder: Path) -> Path | None:
    """Writes the page of the run that was tested anew, if it has one: it then shows the scores.

    Args:
        folder: Of the test.

    Returns:
        The file; None if there is none.

    Raises:
        OSError: If it cannot be written.
    """
    run = run_tested_in(folder)
    return write_report(run) if run is not None and (run / PAGE).is_file() else None


def write_comparison(folders: Sequence[Path], out: Path) -> None:
    """Writes the page that compares several runs.

    Args:
        folders: Of the runs.
        out: The file.

    Raises:
        FileNotFoundError: If one of them is not there.
        ValueError: If one is none of a run, or is named twice.
        OSError: If the page cannot be written.
    """
    twice = [folder for place, folder in enumerate(folders) if folder.resolve() in map(Path.resolve, folders[:place])]
    if twice:
        raise ValueError(f"{twice[0]} is named twice; name each run once")
    write_whole(out, comparison_page([read_story(folder) for folder in folders]))
