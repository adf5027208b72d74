"""``genzoo report``: pages of runs from the command line, quickly, and refusals in one sentence."""

import subprocess
import sys

import pytest

from genzoo.cli import main
from tests.report.made import Page, make_run


@pytest.fixture
def runs(working_folder):
    return [make_run(working_folder / "runs" / "vae" / name) for name in ("first", "second")]


def ending(*arguments):
    """The exit code of a command."""
    try:
        return main(["report", *arguments])
    except SystemExit as end:
        return end.code


def test_a_run_gets_its_page(runs, capsys):
    for _ in range(2):
        assert ending("runs/vae/first") == 0
        assert capsys.readouterr().out == "written to runs/vae/first/report.html\n"
    page = Page((runs[0] / "report.html").read_text())
    assert "genzoo fit runs/vae/first " in page.shown


def test_runs_are_compared(runs, working_folder, capsys):
    assert ending("runs/vae/first", "runs/vae/second") == 0
    assert ending("runs/vae/first", "runs/vae/second", "--out", "pages/both.html") == 0
    assert capsys.readouterr().out == "written to comparison.html\nwritten to pages/both.html\n"
    assert "2 runs" in Page((working_folder / "pages" / "both.html").read_text()).shown


@pytest.mark.usefixtures("runs")
def test_what_is_there_is_replaced_only_if_that_is_asked_for(working_folder, capsys):
    (working_folder / "page.html").write_text("mine")
    assert ending("runs/vae/first", "--out", "page.html") == 2
    assert "page.html is there already; give --overwrite" in capsys.readouterr().err
    assert (working_folder / "page.html").read_text() == "mine"
    assert ending("runs/vae/first", "--out", "page.html", "--overwrite") == 0
    assert (working_folder / "page.html").read_text() != "mine"


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "genzoo report needs RUN"),
        (["gone"], "there is no run gone; give the folder of one, runs/MODEL/NAME"),
        (["runs/vae"], "runs/vae holds no config.yaml, no metrics.csv and no images, and thus no run"),
        (["runs/vae/first/config.yaml"], "config.yaml is a file; give the folder of a run"),
        (["runs/vae/first", "runs/vae/first"], "runs/vae/first is named twice; name each run once"),
        (["runs/vae/first", "--outt", "x"], "genzoo report has no option --outt; did you mean --out?"),
        (["runs/vae/first", "--out", "/proc/x/page.html"], "/proc/x/page.html cannot be written"),
    ],
)
def test_misuse_is_one_sentence(working_folder, capsys, arguments, said):
    before = sorted(working_folder.rglob("*"))
    assert ending(*arguments) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert said in printed.err
    assert sorted(working_folder.rglob("*")) == before


PROGRAM = """
import sys
from genzoo.cli import main
code = main(sys.argv[1:])
print(*sorted({"torch", "lightning", "torchmetrics", "wandb", "jsonargparse"} & sys.modules.keys()), file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.usefixtures("runs")
def test_nothing_heavy_is_imported():
    command = [sys.executable, "-c", PROGRAM, "report", "runs/vae/first", "runs/vae/second"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr.split()) == ("written to comparison.html\n", [])
