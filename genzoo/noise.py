"""All randomness of a run as a function of counters: nothing to save, nothing to disturb.

Training noise is a function of (seed, stream, rank, batch), so that ranks differ and a resumed run draws
what the uninterrupted one would have drawn. Evaluation noise is a function of (seed, stream, image), so
that neither the batch size nor the number of devices changes a score or a picture.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import IntEnum

import numpy as np
import torch
from torch import Tensor


class Stream(IntEnum):
    """What noise is drawn for; each purpose has a stream of its own.

    ``AUGMENTATION`` is that of the data, ``SHOWN`` that of what the discriminator is shown. The numbers enter every
    draw: new streams go to the end.
    """

    TRAINING = 0
    GLOBAL = 1
    AUGMENTATION = 2
    EVALUATION = 3
    SAMPLING = 4
    PENALTY = 5
    SHOWN = 6
    INVERSION = 7
    SURROUNDING = 8


def run_seed() -> int:
    """The seed of this run: what `lightning.seed_everything` was given, else 0 (as Lightning's samplers do)."""
    return int(os.environ.get("PL_GLOBAL_SEED", 0))


def counter_seed(*counters: int) -> int:
    """A well-mixed 63-bit seed from non-negative integers below 2**32.

    Other integers give an unrelated seed, but for zeros at the end: ``(1,)`` and ``(1, 0)`` are the same.
    """
    # 63 bits, so that the seed fits signed integers too.
    return int(np.random.SeedSequence(counters).generate_state(1, np.uint64)[0] >> np.uint64(1))


class Noise(ABC):
    """Where random numbers come from; the first entry of a shape counts the images.

    They are drawn in float32 whatever the model computes in: models of all types meet the same numbers.

    Args:
        *counters: What the numbers are a function of, for instance seed and stream.
    """

    def __init__(self, *counters: int) -> None:
        self.counters = counters
        self._branches: dict[Stream, Noise] = {}

    def branch(self, stream: Stream) -> "Noise":
        """Noise for another purpose: a function of the same counters and the stream.

        What is added to a model draws from a branch, so that all else meets the numbers that it would meet without.
        Asked for again, a branch is the same object and goes on where it was.

        Args:
            stream: The purpose.
        """
        if stream not in self._branches:
            # Counters with zeros at their end are those without, and images count draws and blocks behind theirs: the
            # 1 keeps a branch apart from its stem in either case.
            self._branches[stream] = self._with_counters(*self.counters, stream, 1)
        return self._branches[stream]

    @abstractmethod
    def _with_counters(self, *counters: int) -> "Noise":
        """The same kind of noise as a function of other counters."""

    @abstractmethod
    def normal(self, *shape: int) -> Tensor:
        """Draws from N(0, 1), float32."""

    @abstractmethod
    def uniform(self, *shape: int) -> Tensor:
        """Draws from the uniform distribution on [0, 1), float32."""


class BatchNoise(Noise):
    """Fresh noise for one batch, drawn on the device that uses it.

    Args:
        device: Where the noise is drawn.
        *counters: What the noise is a function of, for instance seed, stream, rank and batch index.
    """

    def __init__(self, device: torch.device | str, *counters: int) -> None:
        super().__init__(*counters)
        self.generator = torch.Generator(device).manual_seed(counter_seed(*counters))

    def _with_counters(self, *counters: int) -> Noise:
        return BatchNoise(self.generator.device, *counters)

    def normal(self, *shape: int) -> Tensor:
        """Draws from N(0, 1), float32."""
        return torch.randn(shape, generator=self.generator, device=self.generator.device, dtype=torch.float32)

    def uniform(self, *shape: int) -> Tensor:
        """Draws from the uniform distribution on [0, 1), float32."""
        return torch.rand(shape, generator=self.generator, device=self.generator.device, dtype=torch.float32)


class ImageNoise(Noise):
    """Noise that belongs to images: row i is a function of the counters and of the i-th image's index alone.

    It is drawn in blocks of 64 images on the CPU, so that every device sees the same.

    Args:
        indices: ``(N,)``, int64: the images' places in their data set, or in the series of samples.
        device: Where the noise is wanted.
        *counters: What else it is a function of, for instance seed and stream.
    """

    # To seed a generator takes about as long as to draw 2,000 numbers: with one per image it would take most of the
    # time, while much larger blocks would mostly be drawn in vain. Every stored score and picture depends on the size.
    block_size = 64

    def __init__(self, indices: Tensor, device: torch.device | str, *counters: int) -> None:
        super().__init__(*counters)
        self.indices = indices.cpu()
        self.device = device
        self.draws = 0

    @property
    def _is_whole_block(self) -> bool:
        size = self.block_size
        if len(self.indices) != size or self.indices[0] % size:
            return False
        return torch.equal(self.indices - self.indices[0], torch.arange(size))

    def _with_counters(self, *counters: int) -> Noise:
        return ImageNoise(self.indices, self.device, *counters)

    def normal(self, *shape: int) -> Tensor:
        """Draws from N(0, 1), float32."""
        return self._rows(torch.randn, shape)

    def uniform(self, *shape: int) -> Tensor:
        """Draws from the uniform distribution on [0, 1), float32."""
        return self._rows(torch.rand, shape)

    def _rows(self, draw: Callable[..., Tensor], shape: tuple[int, ...]) -> Tensor:
        if shape[0] != len(self.indices):
            raise ValueError(f"noise for {len(self.indices)} images was asked for {shape[0]} of them")
        # The number of the draw is one of the counters: asked twice for one shape, the noise is not the same.
        self.draws += 1
        size = (self.block_size, *shape[1:])

        def block(place: int) -> Tensor:
            generator = torch.Generator().manual_seed(counter_seed(*self.counters, self.draws, place))
            return draw(size, generator=generator, dtype=torch.float32)

        # Samples come as whole blocks, and gathering rows would take longer than drawing them.
        if self._is_whole_block:
            return block(int(self.indices[0]) // self.block_size).to(self.device)
        blocks, block_of_row = torch.unique(self.indices // self.block_size, return_inverse=True)
        table = torch.stack([block(place) for place in blocks.tolist()])
        return table[block_of_row, self.indices % self.block_size].to(self.device)
