"""Model cards: heads that the Hub's own reader reads, and text that says what the files say."""

import json

import numpy as np
import pytest
import yaml
from huggingface_hub import ModelCard
from PIL import Image

import genzoo
from genzoo.zoo.cards import Facts, card
from genzoo.zoo.shelves import SHIPPED
from tests.zoo.made import SCORES, record

FACTS = Facts(
    address="clothes",
    title="Clothes",
    description="",
    license="cc-by-4.0",
    record=record(),
    settings={"seed_everything": 0, "model": {"init_args": {"width": 4, "density": None}}, "trainer": {"devices": 1}},
    scores=SCORES,
    model_line="A network.",
    data_line="Pictures | of clothes.",
    data_license="mit",
    data_on_hub="somebody/clothes",
    condition="2 classes",
    is_conditional=True,
    has_default=True,
    task="unconditional-image-generation",
    caption="Samples.",
    can_sample=True,
    has_changed=False,
)


def changed(**changes):
    return card(Facts(**(vars(FACTS) | changes)))


def test_the_head_is_what_the_hub_reads():
    data = ModelCard(card(FACTS)).data
    assert (data.license, data.library_name, data.pipeline_tag) == ("cc-by-4.0", "genzoo", FACTS.task)
    assert data.datasets == ["somebody/clothes"]
    assert "genzoo" in data.tags
    # A score that is no number is left out.
    (result,) = data.eval_results
    assert (result.metric_type, result.metric_value) == ("fd/fashion-mnist-plain", 1.25)
    assert result.metric_args == {"real_data": 0.0625}
    assert (result.dataset_type, result.dataset_name) == ("somebody/clothes", "FashionMNISTMini")
    assert result.task_type == FACTS.task


def test_a_head_says_nothing_that_is_not_known():
    head = yaml.safe_load(changed(license="", data_on_hub="", task="", scores=[]).split("---\n")[1])
    assert head.keys() == {"library_name", "tags"}


def test_a_card_says_what_the_record_says():
    text = card(FACTS)
    for line in (
        "A ConditionalGAN trained on FashionMNISTMini.",
        "![Samples.](samples.png)",
        "| epochs | 30 |",
        "| steps | 4200 |",
        "| seed | 0 |",
        "| batch size | 64 |",
        "| what they are | Pictures \\| of clothes. |",
        "| classes | coat, bag |",
        "| fd/fashion-mnist-plain | 1.25 | 0.0625 | low |",
        "| sharpness |  |  |  |",
        "genzoo fit --config config.yaml",
        'model = genzoo.load("clothes")',
        'model.sample(8, y="bag", seed=0).save("one_class.png")',
        "genzoo sample clothes",
        "Of the weights: cc-by-4.0. Of the data: mit.",
    ):
        assert f"{line}\n" in text
    assert "width: 4" in text
    assert "density" not in text
    assert "went on with other settings" not in text
    assert "went on with other settings" in changed(has_changed=True)


def test_what_is_not_known_is_said():
    text = changed(scores=[], data_license="", license="", caption="", settings={})
    assert "None: these weights had not been scored" in text
    assert "nothing is known of how good it is" in text
    assert "Of the weights: none is stated. Of the data: not recorded." in text
    assert "samples.png)" not in text
    assert "config.yaml" not in text


@pytest.mark.parametrize(
    ("changes", "said", "unsaid"),
    [
        ({"can_sample": False}, "model.encode(images)", "genzoo sample"),
        ({"has_default": False, "condition": "vectors of 3 numbers"}, "y: vectors of 3 numbers", 'samples.png")'),
        ({"is_conditional": False}, 'model.sample(64, seed=0).save("samples.png")', "y="),
    ],
)
def test_how_to_use_it_depends_on_what_it_can(changes, said, unsaid):
    use = changed(**changes).partition("## Use")[2].partition("## Data")[0]
    assert said in use
    assert unsaid not in use


FOLDER = SHIPPED / "cgan-fashion-mnist-mini"


def test_the_shipped_entry_has_the_scores_of_its_files():
    scores = json.loads((FOLDER / "scores.json").read_text())
    results = {result.metric_type: result for result in ModelCard.load(FOLDER / "README.md").data.eval_results}
    assert {name: result.metric_value for name, result in results.items()} == {s["name"]: s["value"] for s in scores}
    assert all(results[s["name"]].metric_args == {"real_data": s["floor"]} for s in scores)
    assert {"fd/fashion-mnist-plain", "agreement/fashion-mnist-plain"} <= results.keys()


def test_the_shipped_entry_draws_what_its_card_says(working_folder):
    text = (FOLDER / "README.md").read_text()
    python = text.partition("```python\n")[2].partition("```")[0]
    exec(python, {})
    assert {path.name for path in working_folder.iterdir()} == {"samples.png", "one_class.png"}
    sampler = genzoo.load(FOLDER.name)
    y = sampler.condition.grid(8, None)
    sampler.sample(len(y), y, seed=0).save("again.png")
    # Other processors may round otherwise in the last bit, which can move a pixel by one.
    shipped, drawn = (np.asarray(Image.open(path)).astype(int) for path in (FOLDER / "samples.png", "again.png"))
    assert np.abs(shipped - drawn).max() <= 1


def test_the_shipped_entry_is_small_and_knows_no_machine():
    files = {path.name: path for path in FOLDER.iterdir()}
    assert files.keys() == {"model.json", "model.safetensors", "README.md", "samples.png", "config.yaml", "scores.json"}
    assert sum(path.stat().st_size for path in files.values()) < 3e6
    texts = [files[name].read_text() for name in ("model.json", "README.md", "config.yaml", "scores.json")]
    assert not [place for place in ("/root", "/tmp", "/home") for text in texts if place in text]
    settings = yaml.safe_load(files["config.yaml"].read_text())
    assert not {"run", "ckpt_path"} & settings.keys()
    assert "logger" not in settings["trainer"]
