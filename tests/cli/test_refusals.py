"""Why a command ends that trains nothing, and with which code."""

import errno

import numpy as np
import pytest
import torch

from genzoo.cli.plain_parser import PlainParser
from genzoo.cli.refusals import answer_plainly
from genzoo.files import require_free, whole_file
from genzoo.hyperparameters import whole_number


def answered(failing, capsys):
    """The exit code and what is said."""
    try:
        failing()
    except Exception as error:
        try:
            code = answer_plainly(error)
        except SystemExit as end:
            code = end.code
    return code, capsys.readouterr().err


def test_what_genzoo_refuses_is_misuse(capsys):
    code, said = answered(lambda: whole_number("number", -1), capsys)
    assert (code, said) == (2, "genzoo: number must be at least 0, got -1\n")


def test_what_is_there_already_is_misuse(tmp_path, capsys):
    code, said = answered(lambda: require_free(tmp_path), capsys)
    assert code == 2
    assert said.count("\n") == 1


def test_a_full_disk_is_a_failure(tmp_path, capsys):
    def write():
        with whole_file(tmp_path / "file"):
            raise OSError(errno.ENOSPC, "No space left on device")

    code, said = answered(write, capsys)
    assert (code, said) == (1, f"genzoo: {tmp_path / 'file'} cannot be written (No space left on device); make room\n")


@pytest.mark.parametrize(
    "ask_for_much", [lambda: torch.empty(2**50, dtype=torch.int64), lambda: np.empty(2**55, dtype=np.int64)]
)
def test_used_up_memory_is_a_failure(ask_for_much, capsys):
    code, said = answered(ask_for_much, capsys)
    assert (code, said.count("\n")) == (1, 1)
    assert "not enough memory" in said


def test_a_folder_without_the_right_to_write_is_misuse(tmp_path, capsys):
    def write():
        with whole_file(tmp_path / "file"):
            raise OSError(errno.EACCES, "Permission denied")

    code, said = answered(write, capsys)
    assert code == 2
    assert "give the right to do so" in said


@pytest.mark.parametrize("failing", [lambda: int("x"), lambda: {}["key"], lambda: [].pop(), lambda: 1 / 0])
def test_faults_in_the_code_are_no_sentences(failing, capsys):
    with pytest.raises((ValueError, LookupError, ZeroDivisionError)):
        answered(failing, capsys)


@pytest.fixture
def parser():
    parser = PlainParser("draw", "Draws.", "examples:\n  genzoo draw MODEL")
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--number", type=int)
    parser.add_argument("--scale", type=float)
    parser.add_argument("--weights", choices=("raw", "averaged"))
    return parser


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["m", "--numbr", "3"], "genzoo draw has no option --numbr; did you mean --number? genzoo draw --help lists"),
        (["m", "--num", "3"], "has no option --num; did you mean --number?"),
        (["m", "--number", "three"], "--number should be a whole number, got three"),
        (["m", "--scale", "wide"], "--scale should be a number, got wide"),
        (["m", "--weights", "average"], "--weights cannot be average; did you mean averaged? choose one of raw, aver"),
        (["m", "--number"], "--number needs one value"),
        ([], "genzoo draw needs MODEL"),
    ],
)
def test_wrong_options_are_answered_in_a_sentence(arguments, expected, parser, capsys):
    with pytest.raises(SystemExit) as end:
        parser.parse_args(arguments)
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert expected in said
    assert said.count("\n") == 1


def test_help_shows_the_examples(parser, capsys):
    with pytest.raises(SystemExit) as end:
        parser.parse_args(["--help"])
    assert end.value.code == 0
    assert "genzoo draw MODEL" in capsys.readouterr().out
