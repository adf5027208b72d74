"""Makes a folder of colour images to try `ImageFolder` with: discs, squares and triangles.

    python scripts/make_shapes.py data/shapes --number 3000

There is a subfolder for each shape; sizes, colours, file formats and modes are mixed. The same seed makes the same
images.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SHAPES = ("disc", "square", "triangle")


def draw(shape: str, random: np.random.Generator) -> Image.Image:
    """One shape in a random colour, place and size on a ground of another colour."""
    width, height = (int(side) for side in random.integers(48, 160, 2))
    ground, colour = (tuple(int(value) for value in random.integers(low, low + 128, 3)) for low in (0, 128))
    image = Image.new("RGB", (width, height), ground)
    side = min(width, height)
    radius = side * random.uniform(0.2, 0.4)
    x, y = width / 2 + side * random.uniform(-0.1, 0.1), height / 2 + side * random.uniform(-0.1, 0.1)
    canvas = ImageDraw.Draw(image)
    if shape == "disc":
        canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    elif shape == "square":
        canvas.rectangle((x - radius, y - radius, x + radius, y + radius), fill=colour)
    else:
        canvas.polygon(((x, y - radius), (x - radius, y + radius), (x + radius, y + radius)), fill=colour)
    return image


def main() -> None:
    """Makes the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--number", type=int, default=3000, help="how many images in all")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    for place in range(arguments.number):
        shape = SHAPES[place % len(SHAPES)]
        image = draw(shape, random)
        file = arguments.folder / shape / f"{place:05d}"
        file.parent.mkdir(parents=True, exist_ok=True)
        if place % 2 == 0:
            image.save(file.with_suffix(".jpg"), quality=90)
        else:
            image.convert(("RGB", "RGBA", "P")[place % 3]).save(file.with_suffix(".png"))
    print(f"made {arguments.number} images in {arguments.folder}")


if __name__ == "__main__":
    main()
