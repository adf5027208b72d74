"""Publishing to the Hugging Face Hub and loading from it, against a Hub of this machine."""

import json
import os
import subprocess
import sys

import pytest
import torch
import yaml

import genzoo
from genzoo.cli import main
from genzoo.zoo import hub as ours
from genzoo.zoo.entry import EntryError
from genzoo.zoo.publishing import Told, publish
from tests.zoo.hub_stub import TOKEN
from tests.zoo.runs import fitted, with_scores

PLACE = "hub:user/clothes"


@pytest.fixture
def run(tmp_path):
    return fitted(tmp_path / "runs")


def files_of(hub, name="user/clothes"):
    return hub.repositories[name].commits[-1][2]


def test_samples_of_what_was_published_are_the_same_to_the_bit(hub, run):
    with_scores(run)
    published = publish(run, PLACE, told=Told(license="mit"))
    repository = hub.repositories["user/clothes"]
    assert published.place == f"{hub.url}/user/clothes/commit/{repository.commits[-1][0]}"
    # The one that made the repository, and ours.
    assert [message for _, message, _ in repository.commits] == [
        "initial commit",
        f"Publish with genzoo {genzoo.__version__}",
    ]
    assert files_of(hub).keys() == {
        *(".gitattributes", "model.json", "model.safetensors", "README.md", "samples.png", "config.yaml", "scores.json")
    }
    for place in ("user/clothes", PLACE, "user/clothes@main", f"user/clothes@{repository.commits[-1][0]}"):
        assert torch.equal(genzoo.load(place).sample(5, seed=1), genzoo.load(run).sample(5, seed=1))


def test_only_what_is_needed_is_fetched_and_only_once(hub, run):
    publish(run, PLACE)
    hub.requests.clear()
    genzoo.load("user/clothes")
    assert {line.rpartition("/")[2] for line in hub.requests if "/resolve/" in line} == {
        "model.json",
        "model.safetensors",
    }
    assert sum(line.startswith("GET /lfs/") for line in hub.requests) == 1
    hub.requests.clear()
    genzoo.load("user/clothes")
    assert not [line for line in hub.requests if line.startswith("GET") and "/api/" not in line]


def test_the_card_is_addressed_to_readers_of_the_hub(hub, run):
    publish(run, PLACE)
    card = files_of(hub)["README.md"].decode()
    assert 'genzoo.load("user/clothes")' in card
    assert "# clothes\n" in card
    assert json.loads(files_of(hub)["model.json"])["name"] == "clothes"
    assert yaml.safe_load(card.split("---\n")[1])["library_name"] == "genzoo"


@pytest.mark.parametrize(("private", "kept"), [(True, True), (False, False), (None, False)])
def test_a_repository_is_private_if_that_is_asked_for(hub, run, private, kept):
    publish(run, PLACE, private=private)
    assert hub.repositories["user/clothes"].private == kept


def test_a_private_one_is_there_for_its_owner_alone(hub, run, monkeypatch, tmp_path):
    publish(run, PLACE, private=True)
    genzoo.load("user/clothes")
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "of_somebody_else"))
    with pytest.raises(ValueError, match="or it is private and you may not see it; correct the name, or log in with"):
        genzoo.load("user/clothes")


def test_what_a_repository_holds_is_not_replaced_unasked(hub, run, tmp_path):
    with_scores(run)
    publish(run, PLACE)
    before = len(hub.repositories["user/clothes"].commits)
    with pytest.raises(FileExistsError, match=r"holds files already .* give --overwrite to add a commit that replaces"):
        publish(run, PLACE)
    assert len(hub.repositories["user/clothes"].commits) == before
    (run.with_name("small_test") / "scores.json").unlink()
    publish(run, PLACE, overwrite=True)
    assert len(hub.repositories["user/clothes"].commits) == before + 1
    # Those of the entry before are not left beside the new one.
    assert "scores.json" not in files_of(hub)
    assert ".gitattributes" in files_of(hub)


def test_somebody_elses_files_are_not_replaced_unasked(hub, run):
    hub.create("user/clothes", {"pytorch_model.bin": b"weights"})
    with pytest.raises(FileExistsError, match=r"holds files already \(pytorch_model\.bin"):
        publish(run, PLACE)


def test_a_new_repository_with_a_card_alone_is_free(hub, run):
    hub.create("user/clothes", {"README.md": b"---\nlicense: mit\n---\n"})
    publish(run, PLACE)
    assert b"# clothes" in files_of(hub)["README.md"]


def test_a_repository_that_is_not_there(hub):
    with pytest.raises(ValueError, match="there is no repository user/gone on the Hugging Face Hub"):
        genzoo.load("user/gone")


def test_a_revision_that_is_not_there(hub, run):
    publish(run, PLACE)
    with pytest.raises(ValueError, match="has no such revision"):
        genzoo.load("user/clothes@v2")


def test_a_repository_of_something_else_is_not_downloaded(hub):
    hub.create("user/bert", {"config.json": b"{}", "model.safetensors": b"gigabytes"})
    with pytest.raises(EntryError, match="holds no model of genzoo"):
        genzoo.load("user/bert")
    hub.create("user/other", {"model.json": b'{"model_type": "gpt"}', "model.safetensors": b"gigabytes"})
    with pytest.raises(EntryError, match="is no sound record of a model"):
        genzoo.load("user/other")
    assert not [line for line in hub.requests if "model.safetensors" in line or line.startswith("GET /lfs")]


def test_weights_that_were_exchanged_on_the_hub_are_not_used(hub, run):
    publish(run, PLACE)
    files_of(hub)["model.safetensors"] = files_of(hub)["model.safetensors"][:-4] + b"\0\0\0\1"
    with pytest.raises(EntryError, match="by its SHA-256"):
        genzoo.load("user/clothes")


def test_who_is_not_logged_in_is_told_before_anything_is_made(hub, run, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(
        PermissionError, match="you are not logged in to the Hugging Face Hub; log in with `hf auth login`"
    ):
        publish(run, PLACE)
    assert hub.repositories == {}


def test_a_token_that_is_not_known_is_refused(hub, run, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_of_nobody")
    with pytest.raises(PermissionError, match="the Hugging Face Hub refuses this for user/clothes"):
        publish(run, PLACE)
    assert hub.repositories == {}


def test_a_place_of_somebody_else_is_refused(hub, run):
    with pytest.raises(PermissionError, match="your token has not the right to it"):
        publish(run, "hub:somebody/clothes")
    assert hub.repositories == {}


def test_without_a_network_what_is_in_the_cache_is_taken(hub, run, monkeypatch):
    publish(run, PLACE)
    expected = genzoo.load("user/clothes").sample(3, seed=0)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    assert torch.equal(genzoo.load("user/clothes").sample(3, seed=0), expected)
    with pytest.raises(ConnectionError, match="cannot be reached for user/other; see to the network"):
        genzoo.load("user/other")
    with pytest.raises(ConnectionError, match="cannot be reached for user/clothes"):
        publish(run, PLACE, overwrite=True)


def test_without_its_package_it_says_what_to_install(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match="the Hugging Face Hub needs the package huggingface_hub"):
        genzoo.load("user/clothes")


@pytest.mark.parametrize("place", ["a/b", "hub:a/b", "a.b/c-d_e", "a/b@v1", "a/b@refs/pr/1"])
def test_addresses(place):
    assert ours.is_address(place)


@pytest.mark.parametrize("place", ["", "a", "a/b/c", "/a/b", "./a", "../a", "a/", "a/.b", "https://x/y", "a b/c"])
def test_what_is_no_address(place):
    assert not ours.is_address(place)


def test_an_upload_is_refused_in_one_sentence_where_the_hub_has_a_fault(hub, run, monkeypatch):
    monkeypatch.setattr(hub.RequestHandlerClass, "preupload", fault)
    with pytest.raises(ConnectionError, match="the Hugging Face Hub answers for user/clothes: "):
        publish(run, PLACE)


def fault(handler, files):
    handler.answer(400, {"error": "no"})


@pytest.mark.slow
def test_the_command_line_publishes_as_a_program_of_its_own(hub, run, tmp_path):
    settings = {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(tmp_path / "hf"),
        "HF_TOKEN": TOKEN,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    command = [sys.executable, "-m", "genzoo", "publish", str(run), PLACE, "--license", "mit", "--private"]
    result = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert f"published: {hub.url}/user/clothes/commit/" in result.stdout
    assert hub.repositories["user/clothes"].private
    assert torch.equal(genzoo.load("user/clothes").sample(3, seed=0), genzoo.load(run).sample(3, seed=0))


@pytest.mark.parametrize(
    ("variables", "constants", "arguments", "code", "said"),
    [
        ({}, {}, ["show", "user/gone"], 2, "there is no repository user/gone"),
        ({"HF_TOKEN": ""}, {}, ["publish", "RUN", PLACE], 2, "you are not logged in"),
        ({}, {"ENDPOINT": "http://127.0.0.1:9"}, ["publish", "RUN", PLACE], 1, "cannot be reached for user/clothes"),
        ({}, {"ENDPOINT": "http://127.0.0.1:9"}, ["show", "user/clothes"], 1, "cannot be reached for user/clothes"),
    ],
)
@pytest.mark.usefixtures("hub")
def test_the_command_line_ends_with_a_sentence_and_its_code(
    run, monkeypatch, capsys, variables, constants, arguments, code, said
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for name, value in constants.items():
        monkeypatch.setattr(f"huggingface_hub.constants.{name}", value)
    try:
        ended = main([str(run) if each == "RUN" else each for each in arguments])
    except SystemExit as end:
        ended = end.code
    errors = capsys.readouterr().err
    assert (ended, errors.count("\n")) == (code, 1)
    assert said in errors


def test_the_card_of_a_model_of_the_hub_is_shown_without_its_weights(hub, run, capsys):
    publish(run, PLACE, told=Told(title="Drawn clothes"))
    hub.requests.clear()
    assert main(["show", "user/clothes"]) == 0
    assert "Drawn clothes" in capsys.readouterr().out
    assert not [line for line in hub.requests if "model.safetensors" in line]
