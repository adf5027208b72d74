"""Animations, as GIF by Pillow and as MP4 by ffmpeg."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from genzoo.files import whole_file

ENDINGS = (".gif", ".mp4")


def require_writable_form(path: Path) -> None:
    """Asks for a form of animation that can be written here.

    Raises:
        ValueError: If the file's name ends otherwise.
        FileNotFoundError: If it is an MP4 and there is no ffmpeg.
    """
    if path.suffix not in ENDINGS:
        raise ValueError(f"{path} should end in {' or '.join(ENDINGS)}, the forms in which animations are written")
    if path.suffix == ".mp4" and shutil.which("ffmpeg") is None:
        raise FileNotFoundError(
            f"{path} needs the program ffmpeg, which is not installed; install it, or write a .gif, which works without"
        )


def real_frame_rate(path: Path, frames_per_second: int) -> float:
    """How many frames a second an animation has: the delays of a GIF are hundredths of a second."""
    return 100 / round(100 / frames_per_second) if path.suffix == ".gif" else float(frames_per_second)


def save_animation(path: Path, frames: NDArray[np.uint8], frames_per_second: int) -> None:
    """Writes an animation; the file is either whole or not there.

    A GIF goes round for ever, in 256 colours for all frames together, its delays in hundredths of a
    second.

    Args:
        path: Where to, ending in ``.gif`` or ``.mp4``; its folder is made if need be.
        frames: uint8, ``(frames, height, width, 3)``.
        frames_per_second: How fast they follow one another.

    Raises:
        ValueError: If the file's name ends otherwise.
        FileNotFoundError: If it is an MP4 and there is no ffmpeg.
        OSError: If it cannot be written.
    """
    require_writable_form(path)
    with whole_file(path) as unfinished:
        if path.suffix == ".gif":
            _write_gif(unfinished, frames, frames_per_second)
        else:
            _write_mp4(unfinished, frames, frames_per_second)


def _write_gif(path: Path, frames: NDArray[np.uint8], frames_per_second: int) -> None:
    first, *others = _indexed(frames)
    first.save(
        path,
        format="GIF",
        save_all=True,
        append_images=others,
        duration=10 * round(100 / frames_per_second),
        loop=0,
        optimize=True,
    )


def _indexed(frames: NDArray[np.uint8]) -> Iterator[Image.Image]:
    """Frames in 256 colours that do well for all of them: with colours of its own for each, still parts would flicker.

    Those of grey frames are all that there are.
    """
    if (frames == frames[..., :1]).all():
        yield from (Image.fromarray(frame) for frame in frames[..., 0])
        return
    # Some of the frames, one above the other, are enough to know the colours.
    some = frames[:: max(1, len(frames) // 16)]
    palette = Image.fromarray(some.reshape(-1, *some.shape[2:])).quantize(256, method=Image.Quantize.MEDIANCUT)
    # Without dithering, whose noise would flicker and compress badly.
    yield from (Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames)


def _write_mp4(path: Path, frames: NDArray[np.uint8], frames_per_second: int) -> None:
    _, height, width, _ = frames.shape
    command = [
        *("ffmpeg", "-loglevel", "error", "-nostdin", "-y"),
        *("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(frames_per_second), "-i", "-"),
        # What every player and browser shows: H.264 with halved colour planes, for which sides must be even.
        *("-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2:color=white", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "16"),
        *("-movflags", "+faststart", "-f", "mp4", str(path)),
    ]
    ended = subprocess.run(command, input=np.ascontiguousarray(frames).tobytes(), capture_output=True, check=False)
    if ended.returncode:
        said = ended.stderr.decode(errors="replace").strip().splitlines()
        raise RuntimeError(
            f"ffmpeg could not write an MP4 ({said[-1] if said else f'it ended with {ended.returncode}'}); write a "
            ".gif, which works without"
        )
