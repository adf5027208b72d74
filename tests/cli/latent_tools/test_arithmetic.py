import pytest
import torch
from PIL import Image

from genzoo.latent.attributes import brightness
from genzoo.latent.codes import random_codes
from genzoo.metrics.extractors.embedded import embedded_extractor
from genzoo.spec import to_uint8
from tests.cli.latent_tools.small import DIGITS, DIGITS_SPEC, RING_SPEC, generator, refusal_of, run_tool

pytestmark = pytest.mark.usefixtures("working_folder")
FEW = ["--candidates", "60"]


def test_the_mean_codes_of_samples_are_added():
    sampler = generator(DIGITS_SPEC)
    found = run_tool("arithmetic", sampler, "#3,17 - #5 + #0", "--noise", "0", *FEW)
    assert [(each["sign"], each["samples"]) for each in found["concepts"]] == [(1, [3, 17]), (-1, [5]), (1, [0])]
    # The result is what the same codes become by hand.
    z = random_codes(sampler, 60, seed=0)
    code = z[[3, 17]].mean(0) - z[5] + z[0]
    assert found["code"] == pytest.approx(code.tolist(), abs=1e-6)
    expected = float(brightness(sampler.eval().decode(code[None]).detach()))
    assert [entry["brightness"] for entry in found["results"]] == pytest.approx([expected] * 9, abs=1e-5)


def test_measured_concepts_are_those_of_the_samples():
    sampler = generator(DIGITS_SPEC)
    found = run_tool("arithmetic", sampler, "Bright - dark", *FEW)
    values = brightness(sampler.sample(60, seed=0))
    bright = (values - values.mean() > values.std()).nonzero()[:, 0].tolist()
    assert found["concepts"][0]["name"] == "bright"
    assert found["concepts"][0]["samples"] == bright[:3]
    assert found["concepts"][0]["showing"] == len(bright)
    assert found["concepts"][0]["mean"]["brightness"] > found["concepts"][1]["mean"]["brightness"]
    assert len(found["results"]) == 9
    with Image.open("picture.png") as picture:
        assert picture.width > picture.height


def test_classes_are_told_by_the_classifier_of_the_data():
    sampler = generator(DIGITS_SPEC)
    logits = embedded_extractor("digits")(to_uint8(torch.Tensor(sampler.sample(60, seed=0)))).logits
    label = int(logits.softmax(1).mean(0).argmax())
    shows = (logits.softmax(1)[:, label] >= 0.2).nonzero()[:, 0].tolist()
    name = DIGITS_SPEC["class_names"][label]
    found = run_tool("arithmetic", sampler, name, "--sure", "0.2", "--examples", "1", *DIGITS, *FEW)
    assert found["concepts"][0]["samples"] == shows[:1]
    assert found["results"][4]["class"] in DIGITS_SPEC["class_names"]


def test_points_have_their_coordinates_as_attributes():
    found = run_tool("arithmetic", generator(RING_SPEC), "left - right + upper", *FEW)
    left, right, upper = (concept["mean"] for concept in found["concepts"])
    assert left["first coordinate"] < right["first coordinate"]
    assert {*found["results"][0]} == {"first coordinate", "second coordinate"}
    assert upper["second coordinate"] > min(left["second coordinate"], right["second coordinate"])


def test_conditional_models_add_under_one_condition(capsys):
    sampler = generator(DIGITS_SPEC, is_conditional=True)
    found = run_tool("arithmetic", sampler, "bright - dark", "--classes", "3", *FEW)
    assert found["condition"] == ["3"]
    assert "under one condition; give it" in refusal_of(capsys, "arithmetic", sampler, "bright", *FEW)
    assert "several were given" in refusal_of(capsys, "arithmetic", sampler, "bright", "--classes", "3,4", *FEW)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["brihgt - dark"], "there is no concept 'brihgt'; did you mean bright?"),
        (["bright -"], "lacks a concept"),
        (["#70"], "asks for sample 70, but only the first 60"),
        (["3", "--sure", "1", *DIGITS], "of 60 samples that were looked at 0 show '3' (digits gives it"),
        (["bright", "--examples", "50"], "but 50 are wanted"),
        (["3"], "not known which data"),
        (["3", "--classifier", "fashion-mnist-plain", *DIGITS], "choose another extractor"),
    ],
)
def test_concepts_that_cannot_be_shown_are_refused(arguments, said, capsys, working_folder):
    assert said in refusal_of(capsys, "arithmetic", generator(DIGITS_SPEC), *arguments, *FEW)
    assert [path.name for path in working_folder.iterdir()] == ["model.safetensors"]
