"""Pictures with captions, put side by side as terms of a sum."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from genzoo.cli.latent_tools.pictures import TEXT, Picture

SIGN, MARGIN = 22, 6


def captioned(picture: Picture, caption: str) -> Picture:
    """A picture with a line of text above its middle."""
    font = ImageFont.load_default(TEXT)
    width = max(picture.shape[1], round(font.getlength(caption)) + MARGIN)
    image = Image.new("RGB", (width, picture.shape[0] + TEXT + MARGIN), "white")
    ImageDraw.Draw(image).text((width / 2, TEXT / 2 + 1), caption, "black", font, anchor="mm")
    image.paste(Image.fromarray(picture), ((width - picture.shape[1]) // 2, TEXT + MARGIN))
    return np.array(image)


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
