"""Points in the plane, to count the modes that a model finds (Lin et al. 2018, PacGAN)."""

import math
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genzoo.data.splits import SPLIT_SEEDS, ArrayDataModule, Split
from genzoo.hyperparameters import whole_number
from genzoo.noise import BatchNoise
from genzoo.spec import DataSpec

Layout = Literal["ring", "grid"]

SIGMAS: dict[Layout, float] = {"ring": 0.01, "grid": 0.05}


def mode_means(layout: Layout) -> Tensor:
    """The means of the modes, in the order of the labels.

    Args:
        layout: ``ring``: 8 points on the unit circle, from (1, 0) anticlockwise; ``grid``: {-4, -2, 0, 2, 4}^2,
            row by row from the lowest.

    Returns:
        ``(modes, 2)``, float32.
    """
    if layout == "ring":
        angles = torch.arange(8, dtype=torch.float64) * (2 * math.pi / 8)
        return torch.stack([angles.cos(), angles.sin()], dim=1).float()
    # A product runs through its last coordinate first, the labels through the first: row by row.
    steps = torch.arange(-4.0, 5.0, 2.0)
    return torch.cartesian_prod(steps, steps).flip(1)


class GaussianMixture2D(ArrayDataModule):
    """Points ``(x, y)``: x float32 ``(B, 2)`` as they are, y the mode they are drawn from, int64 ``(B,)``.

    An even mixture of isotropic Gaussians: 8 on a ring of radius 1, with standard deviation 0.01, or 25 on a
    grid of spacing 2, with standard deviation 0.05.

    Args:
        layout: ``ring`` or ``grid``.
        training_points: How many points the training file has.
        test_points: How many the test file has.
        seed: Of the points.
        **kwargs: As for `ArrayDataModule`.
    """

    def __init__(
        self,
        layout: Layout = "grid",
        training_points: int = 100_000,
        test_points: int = 10_000,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if layout not in SIGMAS:
            raise ValueError(f"layout is {layout!r}, but must be one of {', '.join(SIGMAS)}")
        self.sigma = SIGMAS[layout]
        self.means = mode_means(layout)
        self.class_names = [f"mode_{number:02d}" for number in range(len(self.means))]
        self.numbers: dict[Split, int] = {
            "train": whole_number("training_points", training_points, 1),
            "test": whole_number("test_points", test_points, 1),
        }
        self.seed = whole_number("seed", seed)

    @property
    def spec(self) -> DataSpec:
        """What a model must know of this data; known before any of it is drawn."""
        return DataSpec(shape=[2], class_names=list(self.class_names))

    @property
    def identity(self) -> str:
        """Tells the training data from others; drawn on another machine, the same points may differ in a last digit."""
        return f"{self.numbers['train']}-{len(self.means)}-{self.seed}"

    def load(self, split: Split) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Draws one of the splits."""
        number = self.numbers[split]
        noise = BatchNoise("cpu", self.seed, SPLIT_SEEDS[split])
        modes = (noise.uniform(number) * len(self.means)).long()
        points = self.means[modes] + self.sigma * noise.normal(number, 2)
        return points.numpy(), modes.numpy()
