"""``genzoo latent``: what all tools share."""

import json
import math
import subprocess
import sys

import pytest

from genzoo.cli import main
from genzoo.cli.latent import TOOLS
from tests.cli.latent_tools.small import DIGITS_SPEC, refusal_of, variational

SMALL = ("--rows", "1", "--steps", "2")


def test_help_lists_the_tools_and_each_has_its_own(capsys):
    assert main(["latent", "--help"]) == 0
    listed = capsys.readouterr().out
    for tool in TOOLS:
        assert f"\n  {tool} " in listed
        with pytest.raises(SystemExit) as end:
            main(["latent", tool, "--help"])
        assert end.value.code == 0
        assert "--seed" in capsys.readouterr().out


def test_an_unknown_tool_is_refused_with_the_nearest(capsys):
    with pytest.raises(SystemExit) as end:
        main(["latent", "interpolation", "runs/vae/NAME"])
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert "'interpolation' is not a tool of genzoo latent; did you mean interpolate?" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("place", ["picture.png", "picture.json"])
def test_what_is_there_is_kept_unless_told_otherwise(place, run_of, refused, working_folder):
    (working_folder / place).write_text("mine")
    out = ("--out", "picture.png", *SMALL)
    assert f"{place} is there already; give --overwrite" in refused("interpolate", "vae", *out)
    assert (working_folder / place).read_text() == "mine"
    assert main(["latent", "interpolate", str(run_of("vae")), *out, "--overwrite"]) == 0
    assert (working_folder / "picture.png").read_bytes()[1:4] == b"PNG"


def test_the_record_says_how_it_was_made(run_of, working_folder, capsys):
    run = str(run_of("vae"))
    command = ["latent", "interpolate", run, "--out", "a b/c.png", "--seed", "4", *SMALL]
    assert main(command) == 0
    assert capsys.readouterr().out == "written to a b/c.png and a b/c.json\n"
    record = json.loads((working_folder / "a b" / "c.json").read_text())
    assert (record["tool"], record["seed"], record["model"]) == ("interpolate", 4, run)
    assert record["command"] == f"genzoo latent interpolate {run} --out 'a b/c.png' --seed 4 --rows 1 --steps 2"


def test_the_same_seed_draws_the_same_picture(run_of, working_folder):
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert main(["latent", "interpolate", str(run_of("vae")), "--out", f"{name}.png", "--seed", seed, *SMALL]) == 0
    a, b, c = ((working_folder / f"{name}.png").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_where_the_picture_cannot_be_written_neither_can_the_record(run_of, working_folder, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("genzoo.cli.latent_tools.drawn.save_picture", full)
    assert main(["latent", "interpolate", str(run_of("vae")), *SMALL]) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert list(working_folder.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--seed", "-1"], "--seed is -1, but must be a whole number from 0"),
        (["--seed", "x"], "--seed should be a whole number, got x"),
        (
            ["--out", "walk.gif"],
            "which is what genzoo latent interpolate writes (walk writes .gif)",
        ),
        (["--device", "nonsense"], "torch cannot compute on nonsense here"),
        (["--weights", "averaged"], "no averaged weights"),
        (["--weights", "avreaged"], "did you mean averaged"),
    ],
)
def test_wrong_options_are_refused(options, words, refused):
    assert words in refused("interpolate", "vae", *options)


@pytest.mark.parametrize(
    ("tool", "options", "said"),
    [
        ("arithmetic", ["wide", "--noise", "nan"], "--noise should be a finite number, got nan"),
        ("arithmetic", ["wide", "--sure", "inf"], "--sure should be a finite number, got inf"),
        ("invert", ["--learning_rate", "nan"], "--learning_rate should be a finite number, got nan"),
        ("invert", ["--prior_weight", "inf"], "--prior_weight should be a finite number, got inf"),
    ],
)
def test_numbers_are_finite(tool, options, said, working_folder, capsys):
    assert said in refusal_of(capsys, tool, variational(DIGITS_SPEC), *options)


def test_a_model_that_went_astray_is_told_of_and_leaves_nothing(working_folder, capsys):
    sampler = variational(DIGITS_SPEC)
    for parameter in sampler.parameters():
        parameter.data.fill_(math.nan)
    said = refusal_of(capsys, "interpolate", sampler, "--out", "astray.png")
    assert "makes numbers that are not finite" in said
    assert not any(working_folder.glob("astray*"))


def test_a_model_that_is_not_there_is_refused(working_folder, capsys):
    with pytest.raises(SystemExit) as end:
        main(["latent", "walk", "runs/nowhere/last.ckpt"])
    assert end.value.code == 2
    assert "runs/nowhere/last.ckpt" in capsys.readouterr().err


def test_tools_need_no_lightning(run_of, working_folder):
    heavy = ["lightning", "torchmetrics", "torchvision", "wandb", "jsonargparse"]
    program = f"""
import sys
from genzoo.cli import main
main(["latent", "interpolate", {str(run_of("vae"))!r}, "--steps", "2"])
print(*sorted({{*{heavy}}} & sys.modules.keys()))
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == ""
