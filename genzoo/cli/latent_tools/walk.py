"""``genzoo latent walk``: an animated closed walk through codes."""

import argparse
import math

import numpy as np
import torch
from torch import Tensor

from genzoo.animations import real_frame_rate, require_writable_form
from genzoo.cli.latent_tools.drawn import Drawn
from genzoo.cli.latent_tools.items import (
    add_condition_options,
    add_data_option,
    asked_for,
    condition_names,
    given_items,
)
from genzoo.cli.plain_parser import PlainParser
from genzoo.drawing import Picture, tiled, tiles
from genzoo.hyperparameters import whole_number
from genzoo.latent.codes import codes_of, origin_of_given_codes, origin_of_random_codes, random_codes
from genzoo.latent.drawn import plane_behind
from genzoo.latent.rows import step_sizes
from genzoo.latent.walk import walk
from genzoo.plane import COLOURS
from genzoo.sampling.sampler import Sampler
from genzoo.spec import is_image

# Walks are watched, where rows are compared: their images are larger.
SHOWN_SIZE = 64
# The delays of a GIF are whole hundredths of a second, and browsers slow down those of less than two.
MOST_FRAMES_PER_SECOND = 50


def add_options(parser: PlainParser) -> None:
    """Adds the options of this tool."""
    parser.add_argument("--walks", type=int, default=9, help="how many walks at once (default: %(default)s)")
    parser.add_argument("--codes", type=int, default=5, help="random codes on each way (default: %(default)s)")
    parser.add_argument(
        "--through",
        nargs="+",
        metavar="ITEM",
        help="image files, or places in the test set: one walk through their codes, in place of random ones",
    )
    parser.add_argument("--frames", type=int, default=120, help="how many pictures (default: %(default)s)")
    parser.add_argument("--fps", type=int, default=20, help="how many of them a second (default: %(default)s)")
    add_data_option(parser)
    add_condition_options(parser)


def draw(sampler: Sampler, options: argparse.Namespace) -> Drawn:
    """Draws the frames."""
    require_writable_form(options.out)
    frames = whole_number("--frames", options.frames, 2)
    per_second = whole_number("--fps", options.fps, 1)
    if per_second > MOST_FRAMES_PER_SECOND:
        raise ValueError(f"--fps must be at most {MOST_FRAMES_PER_SECOND}, got {per_second}")
    if options.through is None:
        walks, stations = whole_number("--walks", options.walks, 1), whole_number("--codes", options.codes, 3)
        codes = random_codes(sampler, walks * stations, options.seed).unflatten(0, (walks, stations))
        y, origin = asked_for(sampler, walks, options), origin_of_random_codes(sampler)
    else:
        items = given_items(options.through, sampler, options)
        codes = codes_of(sampler, items.x, items.y, options.seed)[None]
        # A walk is of one condition, which those of the items it passes may not all be.
        y, origin = None if items.y is None else items.y[:1], origin_of_given_codes(sampler)
    found = walk(sampler, codes, frames, y)
    record = {
        "codes": origin,
        "through": options.through,
        "conditions": condition_names(sampler, y, options),
        "frames": frames,
        "frames_per_second": real_frame_rate(options.out, per_second),
        "step_size": "root of the mean squared difference of the values of neighbouring frames",
        "walks": [
            {"step_sizes": steps.tolist(), "codes": stations.flatten(1).tolist()}
            for steps, stations in zip(step_sizes(found.items), codes, strict=True)
        ],
    }
    draw_frames = _images if is_image(sampler.data_shape) else _points
    return Drawn(draw_frames(sampler, found.items, options.seed), record, per_second)


def _images(sampler: Sampler, items: Tensor, seed: int) -> Picture:
    """All walks side by side, as nearly as possible in a square."""
    columns = math.ceil(math.sqrt(len(items)))
    shown = tiles(items, sampler.data_spec, shown_size=SHOWN_SIZE)
    return np.stack([tiled(frame, columns) for frame in shown.transpose(0, 1)])


def _points(sampler: Sampler, items: Tensor, seed: int) -> Picture:
    """A dot for each walk on its way, which is closed."""
    ways = plane_behind(sampler, items.flatten(0, 1), seed)
    colours = [COLOURS[number % len(COLOURS)] for number in range(len(items))]
    for way, colour in zip(items, colours, strict=True):
        ways.way(torch.cat([way, way[:1]]), colour, width=1)
    frames = []
    for places in items.transpose(0, 1):
        plane = ways.copy()
        for place, colour in zip(places, colours, strict=True):
            plane.dots(place[None], colour, radius=6)
        frames.append(plane.picture())
    return np.stack(frames)
