"""What a run tells of itself, and what is said where it does not."""

import json
import os
import platform
import subprocess
import sys

import pytest

from genzoo.cli.run_folder import held
from genzoo.report.story import read_story, run_tested_in
from tests.report.made import make_run, make_test, settings_of


def test_a_run_and_its_test(tmp_path):
    run = make_run(tmp_path / "vae" / "first", epochs=2)
    test = make_test(run)
    make_run(tmp_path / "vae" / "first_test_of_mine")
    story = read_story(run)
    assert (story.name, story.model, story.data) == ("first", "VAE", "FashionMNISTMini")
    assert (story.steps, story.epochs, story.seconds) == (8, 2, None)
    assert story.setting("seed_everything") == 7
    assert story.setting("model.latent_dim") == 32
    assert story.setting("data.batch_size") == 64
    assert story.setting("data.batch_size.more") is None
    assert [*story.pictures] == ["samples", "reconstructions", "nearest_training_images"]
    assert [found.folder for found in story.scores] == [test]
    assert (story.scores[0].weights, story.scores[0].is_outdated) == ("last.ckpt", False)
    assert (story.tested, story.is_in_training, story.notes) == (None, False, [])
    assert run_tested_in(test) == run
    assert run_tested_in(run) is None
    assert read_story(test).tested == run / "checkpoints" / "last.ckpt"


def test_time_counts_only_for_the_steps_that_it_was_measured_for(tmp_path):
    run = make_run(tmp_path / "run", epochs=2)
    (run / "training.json").write_text(json.dumps({"steps": 8, "epochs": 2, "seconds": 12.5}))
    assert read_story(run).seconds == 12.5
    (run / "training.json").write_text(json.dumps({"steps": 4, "epochs": 1, "seconds": 6.5}))
    story = read_story(run)
    assert (story.seconds, story.steps, story.epochs) == (None, 8, 2)


def test_scores_of_a_checkpoint_that_was_written_anew_are_outdated(tmp_path):
    run = make_run(tmp_path / "run")
    scores = make_test(run) / "scores.json"
    earlier = scores.stat().st_mtime - 10
    os.utime(scores, (earlier, earlier))
    assert read_story(run).scores[0].is_outdated


def test_a_lock_of_a_living_process_means_training(tmp_path):
    run = make_run(tmp_path / "run")
    with held(run):
        # This process may write the page of the run that it has trained.
        assert not read_story(run).is_in_training
        program = (
            "import sys; from pathlib import Path; from genzoo.report.story import read_story;"
            "print(read_story(Path(sys.argv[1])).is_in_training)"
        )
        command = [sys.executable, "-c", program, str(run)]
        seen = subprocess.run(command, capture_output=True, text=True, check=True)
        assert seen.stdout == "True\n"
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    (run / ".lock").write_text(f"{ended.pid}\n{platform.node()}\n")
    assert not read_story(run).is_in_training
    (run / ".lock").write_text("1\nanother.host\n")
    assert not read_story(run).is_in_training


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no run .*gone; give the folder of one"):
        read_story(tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"empty holds no config\.yaml, no metrics\.csv and no images"):
        read_story(tmp_path / "empty")
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="file is a file; give the folder of a run"):
        read_story(tmp_path / "file")


def test_damaged_files_are_left_out_with_a_sentence(tmp_path):
    run = make_run(tmp_path / "run")
    test = make_test(run)
    (run / "config.yaml").write_text("model: [")
    (run / "training.json").write_text("[]")
    (run / "alarms.json").write_text("{")
    (run / "images" / "samples_epoch_0001.png").write_bytes(b"")
    (test / "scores.json").write_text("[1]")
    story = read_story(run)
    assert (story.model, story.settings, story.training, story.alarms, story.scores) == ("", {}, {}, [], [])
    assert [picture.epoch for picture in story.pictures["samples"]] == [2, 3]
    begun = ("config.yaml cannot", f"{test / 'scores.json'} holds no", "images/samples", "alarms.json", "training.json")
    assert len(story.notes) == len(begun)
    assert all(note.startswith(start) and note.endswith(".") for note, start in zip(story.notes, begun, strict=True))


def test_a_model_named_by_its_class_alone(tmp_path):
    assert read_story(make_run(tmp_path / "run", settings=settings_of(model="genzoo.DCGAN"))).model == "DCGAN"
