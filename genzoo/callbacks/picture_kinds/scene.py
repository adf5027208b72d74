"""What pictures are drawn of: a model, and some items of its data."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from genzoo.data.arrays import Batch
from genzoo.data.splits import ArrayDataModule
from genzoo.drawing import Picture, scatter
from genzoo.noise import ImageNoise, Stream
from genzoo.sampling.capabilities import Encodes
from genzoo.sampling.conditions import ClassCondition
from genzoo.sampling.sampler import Sampler
from genzoo.spec import is_image
from genzoo.training.model import GenerativeModel, evaluating

Result = TypeVar("Result")

# Of those that are encoded: enough for a picture of where codes lie. Large ones take no more memory than 64 MiB.
MOST_ITEMS, MOST_BYTES = 2000, 2**26
ITEMS_AT_ONCE = 256


class SeenItems:
    """Items of the data that have come by: held-out ones if there are any, else those of the first training batches.

    Attributes:
        first: The first of them, of one batch, with their labels; None before there are any.
        are_held_out: Whether they are.
    """

    def __init__(self) -> None:
        self.first: Batch | None = None
        self.are_held_out = False
        self._parts: list[Batch] = []
        self._number = 0

    @property
    def many(self) -> Batch | None:
        """Up to about 2,000 items and their labels."""
        if not self._parts:
            return None
        x, y = (torch.cat(values) for values in zip(*self._parts, strict=True))
        return x, y

    def see(self, batch: Batch, is_held_out: bool, place: int, batches: float, number_of_first: int) -> None:
        """Keeps some of a batch, unless enough of its part of the data is there.

        Args:
            batch: The items and their labels.
            is_held_out: Whether they are held out. Training items are kept until held-out ones come.
            place: Of the batch in its epoch.
            batches: How many the epoch has.
            number_of_first: How many of the first batch are kept as `first`.
        """
        if is_held_out and not self.are_held_out:
            self.are_held_out, self.first, self._parts, self._number = True, None, [], 0
        wanted = min(MOST_ITEMS, max(1, MOST_BYTES // max(1, batch[0][:1].nbytes)))
        # Batches of a later epoch, or of the one before whose beginning was a check of sanity, have been seen.
        if is_held_out != self.are_held_out or place < len(self._parts) or self._number >= wanted:
            return
        # Some of each, since those of a file may be in the order of their classes.
        some = -(-wanted // int(min(batches, wanted)))
        # Copies, which do not keep the rest of the batch.
        x, y = (values[: max(some, number_of_first)].detach().cpu().clone() for values in batch)
        self.first = self.first or (x[:number_of_first], y[:number_of_first])
        self._parts.append((x[:some], y[:some]))
        self._number += len(self._parts[-1][0])


@dataclass(frozen=True)
class Scene:
    """A model at one moment, and what is shown of its data.

    Attributes:
        model: The model.
        seen: Items of its data.
        data: Where all of them are; None if the trainer was given loaders in place of a data module.
        columns: Images in a row of samples.
        rows: Rows of samples of an unconditional model.
        seed: Of fixed noise.
    """

    model: GenerativeModel
    seen: SeenItems
    data: ArrayDataModule | None
    columns: int
    rows: int
    seed: int

    @property
    def shows_images(self) -> bool:
        """Whether items are images, rather than points."""
        return is_image(self.model.data_shape)

    def conditions(self, columns: int, most_rows: int | None = None) -> Tensor | None:
        """What pictures depend on, such as the data have it: ``(N, ...)``, one row per class where there are classes.

        Args:
            columns: How many pictures one row has.
            most_rows: Where there are no classes, how many conditions of items that were seen; all if left out.
        """
        labels = None if self.seen.first is None else self.seen.first[1]
        y = self.model.condition.grid(columns, labels)
        return y if y is None or isinstance(self.model.condition, ClassCondition) else y[:most_rows]

    def names(self, y: Tensor | None, number: int) -> list[str]:
        """The names of so many classes y; empty ones where there are none."""
        condition = self.model.condition
        if y is None or not isinstance(condition, ClassCondition):
            return [""] * number
        return [condition.class_names[int(label)] for label in y]

    def by_sampler(self, compute: Callable[[Sampler], Result]) -> Result:
        """Computes something by the weights that are shown, the averages if there are any, on all devices that must."""
        with evaluating(self.model):
            return self.model.together(lambda: compute(self.model.acting))

    def random_codes(self, number: int) -> Tensor:
        """The codes of the first samples of the picture of an unconditional model, ``(number, *latent_shape)``."""
        noise = ImageNoise(torch.arange(number), self.model.device, self.seed, Stream.SAMPLING)
        with evaluating(self.model):
            return self.model.together(lambda: self.model.prior_sample(number, noise))

    def codes_of(self, items: Batch) -> Tensor:
        """The codes of items by a model that encodes, posterior means if it has a posterior: ``(N, *latent_shape)``."""

        def encode(sampler: Sampler) -> Tensor:
            assert isinstance(sampler, Encodes)
            parts = (values.to(sampler.device).split(ITEMS_AT_ONCE) for values in items)
            return torch.cat([sampler.encode(x, y) for x, y in zip(*parts, strict=True)])

        return self.by_sampler(encode).float().cpu()

    def scattered(self, points: Tensor) -> Picture:
        """Points as dark pixels."""
        shown = points if self.seen.first is None else self.seen.first[0]
        # With a margin beyond the farthest real point, in which samples show that went astray.
        return scatter(points, 1.25 * float(shown.abs().max()))
