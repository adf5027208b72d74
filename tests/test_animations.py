import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from genzoo.animations import save_animation


def frames(number=6, height=31, width=45):
    """A square that moves to the right."""
    found = np.full((number, height, width, 3), 255, np.uint8)
    for place, frame in enumerate(found):
        frame[10:20, 5 * place : 5 * place + 10] = (200, 30, 60)
    return found


def test_a_gif_has_all_frames_and_goes_round_for_ever(tmp_path):
    save_animation(tmp_path / "new" / "a.gif", frames(), 25)
    with Image.open(tmp_path / "new" / "a.gif") as opened:
        assert (opened.format, opened.n_frames, opened.size) == ("GIF", 6, (45, 31))
        assert (opened.info["loop"], opened.info["duration"]) == (0, 40)
        for place, expected in enumerate(frames()):
            opened.seek(place)
            np.testing.assert_allclose(np.asarray(opened.convert("RGB")), expected, atol=4)


def test_frames_that_are_alike_are_kept(tmp_path):
    save_animation(tmp_path / "a.gif", frames(1).repeat(5, 0), 10)
    with Image.open(tmp_path / "a.gif") as opened:
        total = 0
        for place in range(opened.n_frames):
            opened.seek(place)
            total += opened.info["duration"]
    # Pillow keeps one of them, and shows it for as long.
    assert total == 500


def test_grey_keeps_its_shades(tmp_path):
    shades = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(2, 0).repeat(3, 3)
    shades[1] = shades[1, ::-1]
    save_animation(tmp_path / "a.gif", shades, 10)
    with Image.open(tmp_path / "a.gif") as opened:
        np.testing.assert_array_equal(np.asarray(opened.convert("RGB")), shades[0])


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_an_mp4_shows_the_frames(tmp_path):
    path = tmp_path / "a.mp4"
    save_animation(path, frames(), 10)
    # Sides that are not even get a white line more.
    command = ["ffmpeg", "-loglevel", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    shown = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.uint8)
    shown = shown.reshape(6, 32, 46, 3)[:, :31, :45]
    assert np.abs(shown.astype(int) - frames()).mean() < 5


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_what_ffmpeg_refuses_is_said_and_nothing_is_written(tmp_path):
    with pytest.raises(RuntimeError, match="ffmpeg could not write an MP4"):
        save_animation(tmp_path / "new" / "a.mp4", np.zeros((2, 0, 4, 3), np.uint8), 10)
    assert list((tmp_path / "new").iterdir()) == []


def test_an_mp4_needs_ffmpeg(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileNotFoundError, match=r"needs the program ffmpeg, .* write a .gif, which works without"):
        save_animation(tmp_path / "new" / "a.mp4", frames(), 10)
    assert not (tmp_path / "new").exists()


def test_other_forms_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"should end in .gif or .mp4"):
        save_animation(tmp_path / "a.webm", frames(), 10)
