"""What a run knows of itself, and which scores are its own."""

import os

import pytest
import torch
import yaml

from genzoo.evaluation.score import Score
from genzoo.zoo.entry import EntryError
from genzoo.zoo.runs import data_module, read_run, scores_of, without_paths
from tests.zoo.runs import CLASSES, fitted, with_scores


@pytest.fixture
def run(tmp_path):
    return fitted(tmp_path / "runs")


@pytest.fixture
def checkpoint(run):
    return run / "checkpoints" / "last.ckpt"


def test_numbers_and_settings_are_those_of_the_command(checkpoint, tmp_path):
    known = read_run(checkpoint)
    assert (known.epochs, known.steps, known.has_averages, known.has_changed) == (2, 4, False, False)
    assert 0.0 < known.seconds < 600.0
    assert known.model == "genzoo.ConditionalGAN"
    assert known.data["class_path"] == "genzoo.FashionMNISTMini"
    assert data_module(known.data).batch_size == 8
    settings = known.published_settings()
    assert settings["seed_everything"] == 3
    assert settings["model"]["init_args"]["latent_dim"] == 3
    assert settings["trainer"]["max_epochs"] == 2
    assert not {"run", "ckpt_path", "weights_only"} & settings.keys()
    assert not {"logger", "default_root_dir"} & settings["trainer"].keys()
    assert str(tmp_path) not in str(settings)


def test_a_checkpoint_away_from_its_run_knows_its_model_alone(checkpoint, tmp_path):
    moved = tmp_path / "elsewhere" / "deep" / "alone.ckpt"
    moved.parent.mkdir(parents=True)
    checkpoint.rename(moved)
    known = read_run(moved)
    assert (known.folder, known.data, known.epochs) == (None, {}, 2)
    assert known.settings["model"]["init_args"]["latent_dim"] == 3
    assert "data_spec" not in known.settings["model"]["init_args"]
    assert scores_of(known, "raw")[0] == []
    assert data_module(known.data) is None


def test_averages_are_noticed(tmp_path):
    run = fitted(tmp_path / "runs", ["--model", "GAN", *CLASSES, "--model.average_decay", "0.9"])
    assert read_run(run / "checkpoints" / "last.ckpt").has_averages


def test_that_the_settings_changed_is_noticed(run, checkpoint):
    (run / "config_until_step_0000002.yaml").write_text("{}")
    assert read_run(checkpoint).has_changed


@pytest.mark.parametrize("content", ["a: [", "just words", "\xff\xfe"])
def test_a_config_that_is_none_is_refused(run, checkpoint, content):
    (run / "config.yaml").write_text(content, encoding="latin-1")
    with pytest.raises(ValueError, match=r"config\.yaml of the run"):
        read_run(checkpoint)


def test_scores_are_found_beside_the_run(run, checkpoint):
    with_scores(run)
    scores, reason = scores_of(read_run(checkpoint), "raw")
    assert [(score["name"], score["value"], score["floor"]) for score in scores] == [
        ("fd/fashion-mnist-plain", 1.25, 0.0625),
        ("recall/fashion-mnist-plain", 0.5, 0.75),
        ("sharpness", None, None),
    ]
    assert reason == ""


def test_the_newest_scores_count(run, checkpoint):
    older, newer = with_scores(run), with_scores(run, [Score("nll", 2.0)], suffix="_test_2")
    later = older.stat().st_mtime + 5
    os.utime(newer, (later, later))
    assert [score["name"] for score in scores_of(read_run(checkpoint), "raw")[0]] == ["nll"]


def test_scores_of_another_run_or_checkpoint_do_not_count(run, checkpoint):
    with_scores(run, checkpoint="last.ckpt")
    config = run.with_name("small_test") / "config.yaml"
    for other in ("runs/conditionalgan/other/checkpoints/last.ckpt", "runs/small/checkpoints/best.ckpt"):
        config.write_text(yaml.safe_dump({"ckpt_path": other}))
        scores, reason = scores_of(read_run(checkpoint), "raw")
        assert scores == []
        assert f"`genzoo test {run}`" in reason


def test_scores_that_are_older_than_the_weights_are_left_out(run, checkpoint):
    scores = with_scores(run)
    now = scores.stat().st_mtime + 10
    os.utime(checkpoint, (now, now))
    found, reason = scores_of(read_run(checkpoint), "raw")
    assert found == []
    assert "is older than the checkpoint" in reason


def test_scores_of_other_weights_are_left_out(run, checkpoint):
    with_scores(run)
    found, reason = scores_of(read_run(checkpoint), "averaged")
    assert found == []
    assert "not those of the averaged weights" in reason


def test_scores_on_other_data_are_left_out(run, checkpoint):
    with_scores(run, [Score("sharpness", 1.0, None, None, {"data": "KMNIST"})])
    found, reason = scores_of(read_run(checkpoint), "raw")
    assert found == []
    assert "its scores are on KMNIST, while the model was trained on FashionMNISTMini; give `genzoo test" in reason


def test_a_file_of_scores_that_holds_something_else_is_refused(run, checkpoint):
    with_scores(run).write_text('{"fd": 1}')
    later = checkpoint.stat().st_mtime + 1
    os.utime(run.with_name("small_test") / "scores.json", (later, later))
    with pytest.raises(EntryError, match="holds no scores"):
        scores_of(read_run(checkpoint), "raw")


def test_paths_are_cut():
    given = {
        "root": "/home/somebody/photos",
        "cache": "~/cache",
        "nested": [{"file": "/data/a b/c.npz"}],
        "command": "genzoo test /home/somebody/runs/a --data.root=/home/somebody/photos --x 'two words'",
        "relative": "configs/vae.yaml",
        "words": "either/or, and 1/2",
        "address": "https://example.org/x",
        "number": 0.5,
    }
    assert without_paths(given) == given | {
        "root": "photos",
        "cache": "cache",
        "nested": [{"file": "c.npz"}],
        "command": "genzoo test a --data.root=photos --x 'two words'",
    }


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("file:///home/me/photos", "file://photos"),
        ("hf:/home/me/photos", "hf:photos"),
        ("https://me:secret@host/photos", "https://host/photos"),
        ("genzoo test --ckpt_path https://me:secret@host/a.ckpt", "genzoo test --ckpt_path https://host/a.ckpt"),
        ("C:\\Users\\me\\photos", "photos"),
        ("~/photos", "photos"),
        ("https://host/photos", "https://host/photos"),
        ("T-shirt/top", "T-shirt/top"),
        ("runs/gan", "runs/gan"),
        ({"/home/me/a": 1}, {"a": 1}),
    ],
)
def test_what_is_private_in_texts_is_left_out(given, kept):
    assert without_paths(given) == kept


def test_a_checkpoint_is_never_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    torch.save({"state_dict": {}, "trap": Trap()}, tmp_path / "trap.ckpt")
    with pytest.raises(ValueError, match="could run code; nothing of it was run"):
        read_run(tmp_path / "trap.ckpt")
    assert not (tmp_path / "sprung").exists()
