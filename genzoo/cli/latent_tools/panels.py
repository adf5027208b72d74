"""Pictures side by side, as terms of a sum, and one below the other."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from genzoo.drawing import MARGIN, Picture

SIGN = 22


def signed(pictures: Sequence[Picture], signs: Sequence[str]) -> Picture:
    """Pictures side by side, their tops at one height, each with a sign in front; an empty sign takes no room."""
    font = ImageFont.load_default(SIGN)
    rooms = [SIGN + MARGIN if sign else 0 for sign in signs]
    height = max(picture.shape[0] for picture in pictures)
    image = Image.new("RGB", (sum(rooms) + sum(picture.shape[1] for picture in pictures), height), "white")
    draw, left = ImageDraw.Draw(image), 0
    for picture, sign, room in zip(pictures, signs, rooms, strict=True):
        draw.text((left + room / 2, height / 2), sign, "black", font, anchor="mm")
        image.paste(Image.fromarray(picture), (left + room, 0))
        left += room + picture.shape[1]
    return np.array(image)


def stacked(pictures: Sequence[Picture]) -> Picture:
    """Pictures one below the other, each in the middle."""
    width = max(picture.shape[1] for picture in pictures)
    rests = [width - picture.shape[1] for picture in pictures]
    padded = [
        np.pad(picture, ((0, 0), (rest // 2, rest - rest // 2), (0, 0)), constant_values=255)
        for picture, rest in zip(pictures, rests, strict=True)
    ]
    return np.concatenate(padded, axis=0)
