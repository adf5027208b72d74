import json
import shutil
import subprocess

import numpy as np
import pytest

from genzoo.latent.codes import random_codes
from genzoo.latent.rows import step_sizes
from genzoo.latent.walk import walk
from genzoo.zoo.loading import load


def test_a_gif_goes_round_for_ever(drawn, run_of):
    picture, record = drawn(
        "walk", "cgan", "--walks", "4", "--frames", "7", "--codes", "3", "--fps", "10", ending=".gif"
    )
    assert (picture.n_frames, picture.info["loop"], picture.info["duration"]) == (7, 0, 100)
    # Two by two images of 28 pixels, each enlarged three times, with lines between and around them.
    assert picture.size == (2 * 86 + 2, 2 * 86 + 2)
    sampler = load(run_of("cgan"))
    codes = random_codes(sampler, 12).unflatten(0, (4, 3))
    expected = walk(sampler, codes, 7, [0, 1, 2, 3])
    np.testing.assert_allclose(record["walks"][1]["step_sizes"], step_sizes(expected.items)[1], rtol=1e-4)
    np.testing.assert_allclose(record["walks"][2]["codes"], codes[2], rtol=1e-6)
    assert record["conditions"] == ["T-shirt/top", "Trouser", "Pullover", "Dress"]


def test_a_walk_goes_through_items(drawn):
    _, record = drawn("walk", "autoencoder", "--through", "1", "2", "3", "--frames", "5", ending=".gif")
    assert record["codes"] == "by the encoder"
    assert record["through"] == ["1", "2", "3"]
    assert len(record["walks"]) == 1


def test_points_walk_on_their_ways(drawn, pixels):
    picture, _ = drawn("walk", "points", "--walks", "1", "--frames", "4", "--codes", "3", ending=".gif")
    assert picture.n_frames == 4
    picture.seek(2)
    assert picture.size == (480, 480)
    # A dot, a line and samples.
    assert len({tuple(colour) for colour in pixels(picture).reshape(-1, 3)}) >= 4


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_an_mp4_is_one(drawn):
    path, _ = drawn("walk", "vae", "--out", "walk.mp4", "--frames", "10", "--walks", "1", "--fps", "5", ending=".mp4")
    asked = "stream=codec_name,width,height,pix_fmt,nb_frames,r_frame_rate"
    probe = ["ffprobe", "-v", "error", "-show_entries", asked, "-of", "json", str(path)]
    (stream,) = json.loads(subprocess.run(probe, capture_output=True, check=True).stdout)["streams"]
    assert stream["codec_name"] == "h264"
    assert (stream["width"], stream["height"], stream["nb_frames"]) == (84, 84, "10")
    assert (stream["pix_fmt"], stream["r_frame_rate"]) == ("yuv420p", "5/1")


def test_an_mp4_without_ffmpeg_is_refused(refused, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert "needs the program ffmpeg" in (said := refused("walk", "vae", "--out", "walk.mp4"))
    assert ".gif, which works without" in said


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        ("vae", ["--out", "walk.png"], "walk.png should end in .gif or .mp4"),
        ("vae", ["--codes", "2"], "--codes must be at least 3"),
        ("vae", ["--walks", "0"], "--walks must be at least 1"),
        ("vae", ["--frames", "1"], "--frames must be at least 2"),
        ("vae", ["--fps", "60"], "--fps must be at most 50"),
        ("vae", ["--through", "1", "2"], "at least 3 codes, got 2"),
        ("autoencoder", [], "no prior to draw codes from"),
    ],
)
def test_what_does_not_fit_is_refused(model, options, words, refused):
    assert words in refused("walk", model, *options)
