"""Runs as entries: what is in the files, and that what is loaded from them is what was trained."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

import genzoo
from genzoo.cli import main
from genzoo.sampling.stored import load_sampler
from genzoo.zoo import publishing, shelves
from genzoo.zoo.entry import FILES, hash_of, read_entry
from genzoo.zoo.publishing import Told, publish
from tests.zoo.runs import CLASSES, QUIET, SCORES, fitted, with_scores

AUTOENCODER = ("--model", "AutoEncoder", "--model.networks", "MLPEncoderDecoder", "--model.latent_dim", "2")
AVERAGED = ("--model", "GAN", *CLASSES, "--model.average_decay", "0.5")


@pytest.fixture(autouse=True)
def shelf(tmp_path, monkeypatch):
    """The user's folder of entries."""
    monkeypatch.setenv("GENZOO_HOME", str(tmp_path / "own"))
    return tmp_path / "own" / "zoo"


@pytest.fixture
def run(tmp_path):
    return fitted(tmp_path / "runs")


def test_what_is_loaded_is_what_was_trained(run, shelf):
    published = publish(run, "clothes")
    assert published.place == str(shelf / "clothes")
    trained = load_sampler(run / "checkpoints" / "last.ckpt")
    for place in ("clothes", shelf / "clothes", str(shelf / "clothes" / "model.safetensors")):
        loaded = genzoo.load(place)
        assert not loaded.training
        assert torch.equal(loaded.sample(5, seed=1), trained.sample(5, seed=1))


def test_the_files_say_what_the_run_knows(run, shelf):
    with_scores(run)
    told = Told("Clothes", "Made by a small network.", "mit")
    assert publish(run, "clothes", told=told).notes == []
    entry = read_entry(shelf / "clothes")
    assert {path.name for path in entry.folder.iterdir()} == {*FILES}
    training = entry.record["training"]
    assert 0.0 < training.pop("seconds") < 600.0
    assert training == {"epochs": 2, "steps": 4, "seed": 3}
    assert entry.record["model"] == "genzoo.ConditionalGAN"
    assert entry.record["sampler"]["init_args"]["latent_shape"] == [3]
    assert entry.record["data_spec"]["native_size"] == 28
    assert entry.record["data"]["init_args"]["batch_size"] == 8
    assert entry.record["weights"]["sha256"] == hash_of(entry.folder / "model.safetensors")
    assert entry.record["weights"]["kind"] == "raw"
    trained = load_sampler(run / "checkpoints" / "last.ckpt")
    assert entry.record["weights"]["parameters"] == sum(p.numel() for p in trained.parameters())
    assert [score["value"] for score in entry.scores] == [1.25, 0.5, None]
    card = (entry.folder / "README.md").read_text()
    assert "# Clothes\n\nMade by a small network.\n" in card
    assert "| epochs | 2 |" in card
    assert "| fd/fashion-mnist-plain | 1.25 | 0.0625 | low |" in card


@pytest.mark.parametrize("is_scored", [True, False])
def test_no_path_of_this_machine_is_in_the_files(run, shelf, tmp_path, is_scored):
    score = SCORES[0]
    score = type(score)(score.name, 1.0, protocol={"weights": "raw", "command": f"genzoo test {run}"})
    if is_scored:
        with_scores(run, [score])
    publish(run, "clothes")
    texts = [path.read_text() for path in (shelf / "clothes").iterdir() if path.suffix in (".json", ".yaml", ".md")]
    assert len(texts) == 3 + is_scored
    assert not [text for text in texts if str(tmp_path) in text or "/tmp" in text or str(Path.home()) in text]
    assert any("genzoo test small" in text for text in texts) == is_scored


def test_the_settings_train_the_same_weights_again(run, shelf, working_folder):
    publish(run, "clothes")
    again = ["fit", "--config", str(shelf / "clothes" / "config.yaml"), *QUIET[:2], "--run.name", "again"]
    assert main(again) == 0
    publish(working_folder / "runs" / "conditionalgan" / "again", "again")
    first, second = (read_entry(shelf / name).record["weights"]["sha256"] for name in ("clothes", "again"))
    assert first == second


def test_the_picture_is_of_the_samples_of_every_class(run, shelf):
    publish(run, "clothes")
    picture = np.asarray(Image.open(shelf / "clothes" / "samples.png"))
    y = torch.arange(10).repeat_interleave(8)
    assert np.array_equal(picture, genzoo.load("clothes").sample(80, y, seed=0).grid(8))


def test_a_model_that_cannot_sample_is_shown_by_its_reconstructions(tmp_path, shelf):
    publish(fitted(tmp_path / "runs", AUTOENCODER), "codes")
    card = (shelf / "codes" / "README.md").read_text()
    head = yaml.safe_load(card.split("---\n")[1])
    assert head["pipeline_tag"] == "image-feature-extraction"
    assert "and below each its reconstruction; the model draws no samples" in card
    assert "model.encode(images)" in card
    assert ".sample(" not in card
    height, width, _ = np.asarray(Image.open(shelf / "codes" / "samples.png")).shape
    assert (height, width) == (2 + 8 * 30, 2 + 8 * 30)


@pytest.mark.parametrize(("weights", "kind"), [(None, "averaged"), ("averaged", "averaged"), ("raw", "raw")])
def test_the_chosen_weights_are_published(tmp_path, shelf, weights, kind):
    run = fitted(tmp_path / "runs", AVERAGED)
    with_scores(run)
    notes = publish(run, "clothes", weights=weights, told=Told(license="mit")).notes
    assert read_entry(shelf / "clothes").record["weights"]["kind"] == kind
    trained = load_sampler(run / "checkpoints" / "last.ckpt", kind)
    assert torch.equal(genzoo.load("clothes").sample(3, seed=0), trained.sample(3, seed=0))
    # The scores are those of the raw weights.
    assert len(notes) == (kind == "averaged")


def test_what_an_entry_lacks_is_said(run, shelf):
    notes = publish(run, "clothes").notes
    assert [f"`genzoo test {run}`" in notes[0], "--license" in notes[1], len(notes)] == [True, True, 2]
    assert "## Scores\n\nNone: these weights had not been scored" in (shelf / "clothes" / "README.md").read_text()


def test_a_checkpoint_alone_is_published_without_what_only_the_run_knows(run, shelf, tmp_path):
    alone = tmp_path / "alone.ckpt"
    (run / "checkpoints" / "last.ckpt").rename(alone)
    publish(alone, "clothes")
    entry = read_entry(shelf / "clothes")
    assert (entry.data, entry.record["training"]["seed"]) == ("", None)
    assert "not recorded: the checkpoint was published without its run" in (entry.folder / "README.md").read_text()
    assert genzoo.load("clothes").sample(2).shape == (2, 1, 32, 32)


@pytest.mark.usefixtures("working_folder")
def test_an_entry_goes_where_it_is_told_to(run, shelf):
    publish(run, "clothes", out="here/e")
    assert {path.name for path in Path("here/e").iterdir()} == {*FILES} - {"scores.json"}
    assert read_entry(Path("here/e")).record["name"] == "clothes"
    assert not shelf.exists()
    assert torch.equal(genzoo.load("here/e").sample(2, seed=0), genzoo.load(run).sample(2, seed=0))


def test_an_entry_is_not_overwritten_unasked(run, shelf, tmp_path):
    publish(run, "clothes")
    before = hash_of(shelf / "clothes" / "model.json")
    other = fitted(tmp_path / "runs", AVERAGED)
    with pytest.raises(FileExistsError, match="is there already; give --overwrite"):
        publish(other, "clothes")
    assert hash_of(shelf / "clothes" / "model.json") == before
    publish(other, "clothes", overwrite=True)
    assert read_entry(shelf / "clothes").model == "GAN"
    assert [path.name for path in shelf.iterdir()] == ["clothes"]


def test_a_folder_of_other_files_is_not_replaced(run, tmp_path, monkeypatch):
    before = {path: path.is_file() and path.read_bytes() for path in run.rglob("*")}
    monkeypatch.chdir(run)
    for place in (run, "."):
        with pytest.raises(ValueError, match=r"holds other files than those of an entry, such as checkpoints, and is"):
            publish(run, "clothes", out=place, overwrite=True)
    assert {path: path.is_file() and path.read_bytes() for path in run.rglob("*")} == before


def test_the_working_folder_becomes_an_entry(run, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    publish(run, "clothes", out=".", overwrite=True)
    assert read_entry(tmp_path / "empty").record["name"] == "clothes"


def test_the_name_of_a_shipped_entry_is_taken(run, tmp_path, monkeypatch):
    publish(run, "clothes", out=tmp_path / "shipped" / "clothes")
    monkeypatch.setattr(shelves, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setattr(publishing, "SHIPPED", tmp_path / "shipped")
    with pytest.raises(FileExistsError, match="comes with genzoo"):
        publish(run, "clothes", overwrite=True)


def test_nothing_is_left_of_an_entry_that_failed(run, shelf, monkeypatch):
    def fail(*args):
        raise ValueError("drawing failed")

    monkeypatch.setattr(publishing, "picture_of", fail)
    with pytest.raises(ValueError, match="drawing failed"):
        publish(run, "clothes")
    assert [*shelf.iterdir()] == []


@pytest.mark.parametrize(
    "name", ["", "a/b", "..", "../up", "a.b", "a b", "hub:", "hub:alone", "hub:a/b/c", "hub:a/b@c"]
)
def test_what_is_no_name_is_refused(run, shelf, name):
    with pytest.raises(ValueError, match=r"is no name of an entry|is no repository of the Hugging Face Hub"):
        publish(run, name)
    assert not shelf.exists()


def spoil_class(record):
    record["sampler"]["class_path"] = "os.path.Path"


def spoil_shape(record):
    record["sampler"]["init_args"]["latent_shape"] = [4]


def spoil_kind(record):
    record["sampler"] = record["data"]


def spoil_arguments(record):
    record["sampler"]["init_args"]["colour"] = "red"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (spoil_class, "is no class of genzoo"),
        (spoil_shape, "do not fit the GeneratorSampler that it describes"),
        (spoil_kind, "describes a FashionMNISTMini, not a sampler"),
        (spoil_arguments, "cannot be made from the arguments"),
    ],
)
def test_a_record_that_does_not_fit_the_weights_is_refused(run, shelf, spoil, said):
    publish(run, "clothes")
    record = json.loads((shelf / "clothes" / "model.json").read_text())
    spoil(record)
    (shelf / "clothes" / "model.json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match=said):
        genzoo.load("clothes")


def test_weights_that_are_a_pickle_are_never_run(run, shelf, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    publish(run, "clothes")
    weights = shelf / "clothes" / "model.safetensors"
    torch.save({"trap": Trap()}, weights)
    with pytest.raises(ValueError, match="by its SHA-256"):
        genzoo.load("clothes")
    # Even where the record is of the same hand.
    record = json.loads((shelf / "clothes" / "model.json").read_text())
    record["weights"]["sha256"] = hash_of(weights)
    (shelf / "clothes" / "model.json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match="is no safetensors file"):
        genzoo.load("clothes")
    assert not (tmp_path / "sprung").exists()


def test_weights_that_are_cut_off_are_refused(run, shelf):
    publish(run, "clothes")
    os.truncate(shelf / "clothes" / "model.safetensors", 1000)
    with pytest.raises(ValueError, match="cut off, damaged or exchanged"):
        genzoo.load("clothes")


def test_an_entry_has_one_set_of_weights(run):
    publish(run, "clothes")
    with pytest.raises(ValueError, match="leave weights out"):
        genzoo.load("clothes", weights="averaged")


def test_classes_of_another_package_are_made_where_it_is_allowed(run, shelf, working_folder):
    (working_folder / "mine.py").write_text(
        "from genzoo.sampling.generators import GeneratorSampler\n\n\nclass Mine(GeneratorSampler):\n    pass\n"
    )
    checkpoint = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    checkpoint["sampler"]["class_path"] = "mine.Mine"
    torch.save(checkpoint, run / "checkpoints" / "last.ckpt")
    sys.path.insert(0, str(working_folder))
    with pytest.raises(ValueError, match="if you trust its package, allow that too"):
        publish(run, "clothes")
    assert not (shelf / "clothes").exists()
    publish(run, "clothes", allow=("mine",))
    with pytest.raises(ValueError, match="if you trust its package, allow that too"):
        genzoo.load("clothes")
    assert type(genzoo.load("clothes", allow=("mine",))).__name__ == "Mine"


def test_a_run_of_version_0_1_0_is_refused_with_a_way_out(shelf):
    run = Path(__file__).parents[1] / "fixtures" / "runs_of_0_1" / "vae" / "earlier"
    with pytest.raises(ValueError, match=r"was written by version 0\.1\.0"):
        publish(run, "clothes")
    assert not (shelf / "clothes").exists()


def test_all_functions_are_found_at_the_top():
    assert {name: getattr(genzoo.zoo, name).__name__ for name in dir(genzoo.zoo)} == {
        "entries": "entries",
        "load": "load",
        "publish": "publish",
    }
