"""The zoo from the command line: what is printed, what is refused, and that looking at it costs nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from genzoo.cli import main
from genzoo.zoo import shelves
from tests.zoo.made import make_entry
from tests.zoo.runs import fitted

SHIPPED = "cgan-fashion-mnist-mini"


@pytest.fixture(autouse=True)
def shelf(tmp_path, monkeypatch):
    """The user's folder of entries."""
    monkeypatch.setenv("GENZOO_HOME", str(tmp_path / "own"))
    return tmp_path / "own" / "zoo"


@pytest.fixture
def only_own(tmp_path, monkeypatch):
    """No entry comes with the package."""
    monkeypatch.setattr(shelves, "SHIPPED", tmp_path / "shipped")


@pytest.fixture
def run(tmp_path):
    return fitted(tmp_path / "runs")


def ending(*arguments):
    """The exit code of a command."""
    try:
        return main(list(map(str, arguments)))
    except SystemExit as end:
        return end.code


def test_the_list_is_a_table(shelf, capsys):
    make_entry(shelf / "clothes")
    assert ending("list") == 0
    head, shipped, own = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "model", "data", "items", "size", "score", "(real", "data)", "from"]
    assert shipped.startswith(
        f"{SHIPPED}  ConditionalGAN  FashionMNISTMini  28 x 28 grey  1.0 MB  fd/fashion-mnist-plain "
    )
    assert shipped.endswith("  genzoo")
    assert own.index("ConditionalGAN") == shipped.index("ConditionalGAN") == head.index("model")
    assert "fd/fashion-mnist-plain 1.25 (0.0625)" in own
    assert own.endswith(f"  {shelf}")


@pytest.mark.usefixtures("only_own")
def test_the_list_as_json(shelf, capsys):
    make_entry(shelf / "clothes")
    assert ending("list", "--json") == 0
    assert json.loads(capsys.readouterr().out) == [
        {
            "name": "clothes",
            "model": "ConditionalGAN",
            "data": "FashionMNISTMini",
            "items": "28 x 28 grey",
            "megabytes": 0.0,
            "scores": {
                "fd/fashion-mnist-plain": {"value": 1.25, "floor": 0.0625},
                "sharpness": {"value": None, "floor": None},
            },
            "folder": str(shelf / "clothes"),
            "from": str(shelf),
        }
    ]


@pytest.mark.usefixtures("only_own")
def test_a_list_of_nothing_has_a_head(capsys):
    assert ending("list") == 0
    assert capsys.readouterr().out.count("\n") == 1


@pytest.mark.usefixtures("only_own")
def test_a_damaged_entry_is_told_of_beside_the_others(shelf, capsys):
    for name in "ab":
        make_entry(shelf / name, scores=())
    (shelf / "a" / "model.json").write_text("{")
    assert ending("list") == 0
    printed = capsys.readouterr()
    assert [line.split()[0] for line in printed.out.splitlines()] == ["name", "b"]
    assert printed.err.startswith(f"genzoo: left out: {shelf / 'a' / 'model.json'} cannot be read")


def test_a_card_is_shown_without_its_head_and_with_its_files(shelf, capsys):
    folder = make_entry(shelf / "clothes")
    for place in ("clothes", folder):
        assert ending("show", place) == 0
        printed = capsys.readouterr().out
        assert "Clothes" in printed
        assert "Drawn by a network." in printed
        assert "library_name" not in printed
        named = [Path(line) for line in printed.splitlines() if line.startswith("/")]
        assert named == [folder / name for name in ("model.json", "model.safetensors", "README.md", "scores.json")]


def test_a_card_in_another_encoding_is_shown_as_far_as_it_can_be_read(shelf, capsys):
    folder = make_entry(shelf / "clothes")
    (folder / "README.md").write_bytes(b"# Clothes\n\nd\xe9j\xe0 vu\n")
    assert ending("show", "clothes") == 0
    assert "vu" in capsys.readouterr().out


def test_a_published_run_is_listed_and_shown(run, shelf, capsys):
    assert ending("publish", run, "mine", "--license", "mit", "--title", "Some clothes", "--weights", "raw") == 0
    printed = capsys.readouterr()
    assert printed.out == f"published: {shelf / 'mine'}\n"
    assert (
        printed.err
        == f"genzoo: there are no scores of it; to have them in its card, give `genzoo test {run}` and publish again\n"
    )
    assert ending("list") == 0
    assert "mine " in capsys.readouterr().out
    assert ending("show", "mine") == 0
    assert "Some clothes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "--jsom"], "genzoo list has no option --jsom; did you mean --json?"),
        (["show"], "genzoo show needs NAME"),
        (["show", "cgan-fashion-mnist-min"], f"did you mean {SHIPPED}?"),
        (["show", "RUN"], "is no entry of the zoo"),
        (["publish"], "genzoo publish needs RUN, NAME"),
        (["publish", "RUN", "a.b"], "'a.b' is no name of an entry"),
        (["publish", "RUN", "../up"], "'../up' is no name of an entry"),
        (["publish", "RUN", SHIPPED], f"{SHIPPED} is the name of an entry that comes with genzoo"),
        (["publish", "RUN", "clothes"], "is there already; give --overwrite to replace it, or choose another NAME"),
        (["publish", "RUN", "new", "--weights", "mean"], "--weights cannot be mean"),
        (["publish", "RUN", "new", "--weights", "averaged"], "holds no averaged weights"),
        (["publish", "RUN", "new", "--out", "RUN/config.yaml/e"], "is no folder; choose another --out"),
        (["publish", "RUN", "new", "--out", "/proc/e"], "/proc/e cannot be written"),
        (["publish", "gone", "new"], "there is no checkpoint gone"),
        (["publish", "EMPTY", "new"], "last.ckpt; give the folder of a run that has written one"),
        (["publish", "RUN/config.yaml", "new"], "is no checkpoint; give one that a run has written"),
        (["publish", "FOREIGN", "new"], "which does not say how samplers are made"),
        (["publish", "RUN", "hub:alone"], "'hub:alone' is no repository of the Hugging Face Hub; give hub:USER/NAME"),
        (["publish", "RUN", "hub:a/b", "--out", "e"], "an entry goes either to the Hub or into a folder"),
    ],
)
def test_misuse_is_one_sentence(run, shelf, tmp_path, working_folder, capsys, arguments, said):
    make_entry(shelf / "clothes")
    (tmp_path / "EMPTY" / "checkpoints").mkdir(parents=True)
    torch.save({"state_dict": {}, "pytorch-lightning_version": "2.6.0"}, tmp_path / "foreign.ckpt")
    places = {"RUN": str(run), "EMPTY": str(tmp_path / "EMPTY"), "FOREIGN": str(tmp_path / "foreign.ckpt")}
    for name, place in places.items():
        arguments = [argument.replace(name, place) for argument in arguments]
    assert ending(*arguments) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert said in printed.err
    assert [path.name for path in shelf.iterdir()] == ["clothes"]
    assert [*working_folder.iterdir()] == []


PROGRAM = """
import sys
from genzoo.cli import main
code = main(sys.argv[1:])
heavy = {"torch", "numpy", "lightning", "torchmetrics", "torchvision", "wandb", "jsonargparse", "huggingface_hub"}
print(*sorted(heavy & sys.modules.keys()), file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["show", SHIPPED]])
def test_looking_at_the_zoo_imports_nothing_heavy(arguments):
    command = [sys.executable, "-c", PROGRAM, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stderr.split() == []
    assert SHIPPED in result.stdout
