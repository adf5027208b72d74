import numpy as np
import pytest
import torch
from PIL import Image

from genzoo.data.digits import Digits
from genzoo.latent.inversion import invert
from genzoo.spec import to_float
from tests.cli.latent_tools.small import (
    DIGITS,
    DIGITS_SPEC,
    RING,
    RING_SPEC,
    generator,
    refusal_of,
    run_tool,
    variational,
)

pytestmark = pytest.mark.usefixtures("working_folder")
SHORTLY = ["--steps", "3", "--starts", "2"]


def some_items():
    data = Digits(image_size=8)
    data.setup("test")
    return to_float(data.array("test").__getitems__([4, 9])[0]), to_float(torch.tensor(data.array("test").images))


def test_errors_are_printed_and_written_with_what_to_compare_them_with(capsys):
    sampler = variational(DIGITS_SPEC)
    found = run_tool("invert", sampler, "--items", "4", "9", *SHORTLY, *DIGITS)
    x, whole = some_items()
    expected = invert(sampler, x, starts=2, steps=3)
    assert [item["item"] for item in found["items"]] == ["4", "9"]
    for row, item in enumerate(found["items"]):
        assert item["errors"]["inversion"] == pytest.approx(float(expected.errors[row]), rel=1e-5)
        assert item["errors_of_starts"] == pytest.approx(expected.errors_of_starts[row].tolist(), rel=1e-5)
        assert item["code"] == pytest.approx(expected.codes[row].tolist(), abs=1e-5)
    reconstructed = (sampler.eval().reconstruct(x).detach() - x).square().mean((1, 2, 3))
    of_mean = (whole.mean(0) - x).square().mean((1, 2, 3))
    assert found["mean_errors"]["reconstruction"] == pytest.approx(float(reconstructed.mean()), rel=1e-5)
    assert found["mean_errors"]["mean of the test set"] == pytest.approx(float(of_mean.mean()), rel=1e-5)
    said = capsys.readouterr().out
    assert f"reconstruction {float(reconstructed.mean()):21.4f}" in said
    # Three rows: what was given, its reconstruction, and what was found.
    with Image.open("picture.png") as picture:
        assert picture.height == 3 * (48 + 2) + 2


def test_files_need_no_data():
    Image.fromarray(np.full((20, 30), 128, np.uint8)).save("grey.png")
    found = run_tool("invert", generator(DIGITS_SPEC), "--items", "grey.png", *SHORTLY)
    assert {*found["mean_errors"]} == {"inversion"}


def test_labels_are_those_of_the_data():
    found = run_tool("invert", generator(DIGITS_SPEC, is_conditional=True), "--number", "3", *SHORTLY, *DIGITS)
    data = Digits(image_size=8)
    data.setup("test")
    assert [item["condition"] for item in found["items"]] == [str(label) for label in data.labels("test")[:3]]


def test_points_are_inverted_too():
    found = run_tool("invert", generator(RING_SPEC), "--number", "2", *SHORTLY, *RING)
    assert len(found["items"][1]["code"]) == 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--items", "nowhere.png"], "there is no file nowhere.png"),
        (["--items", "99999", *DIGITS], "but 99999 was asked for"),
        (["--number", "2"], "not known which data"),
        (["--learning_rate", "0", *DIGITS], "--learning_rate is 0, but must be more than 0"),
        (["--prior_weight", "-1", *DIGITS], "--prior_weight is -1, but must be at least 0"),
        (["--starts", "0", *DIGITS], "--starts must be at least 1"),
        (["--data", "GaussianMixture2D"], "trained on data of shape 1 x 8 x 8, but these have 2"),
    ],
)
def test_what_cannot_be_inverted_is_refused(arguments, said, capsys):
    assert said in refusal_of(capsys, "invert", generator(DIGITS_SPEC), *arguments)


def test_a_conditional_model_needs_the_labels_of_files(capsys):
    Image.fromarray(np.full((20, 30), 128, np.uint8)).save("grey.png")
    sampler = generator(DIGITS_SPEC, is_conditional=True)
    assert "name them with --classes" in refusal_of(capsys, "invert", sampler, "--items", "grey.png")
