"""What a tool of ``genzoo latent`` has made, and how it is written: a picture and a JSON file, or neither."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genzoo.animations import save_animation
from genzoo.drawing import save_picture
from genzoo.files import whole_file


@dataclass(frozen=True)
class Drawn:
    """A picture, or an animation, and what is known of it.

    Attributes:
        picture: uint8, ``(height, width, 3)``; or ``(frames, height, width, 3)`` for an animation.
        record: What goes into the JSON file: plain data, no tensors.
        frames_per_second: Of an animation.
    """

    picture: NDArray[np.uint8]
    record: dict[str, Any]
    frames_per_second: int = 25


def record_beside(picture: Path) -> Path:
    """Where the JSON file of a picture lies."""
    return picture.with_suffix(".json")


def write_drawn(drawn: Drawn, place: Path, about: dict[str, Any]) -> None:
    """Writes a picture and its record, or, where one cannot be written, neither.

    Args:
        drawn: What was made.
        place: The picture's file.
        about: What all tools record, in front of the tool's own record.

    Raises:
        ValueError: If the record holds numbers that are not finite.
        OSError: If one of them cannot be written.
    """
    try:
        text = json.dumps(about | drawn.record, indent=2, allow_nan=False)
    except ValueError as error:
        raise ValueError(
            "the model makes numbers that are not finite, as after a training that went astray; give another checkpoint"
        ) from error
    # Rows of numbers, which `indent` would put one below the other.
    text = re.sub(r"\[[^\[\]{}\"]+\]", lambda numbers: " ".join(numbers[0].split()), text) + "\n"
    # The picture moves to its place within: where that fails, the record does not get to its own.
    with whole_file(record_beside(place)) as record:
        record.write_text(text, encoding="utf-8")
        if drawn.picture.ndim == 4:
            save_animation(place, drawn.picture, drawn.frames_per_second)
        else:
            save_picture(place, drawn.picture)
