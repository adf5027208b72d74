r"""Discriminators that judge several items at once, so that too little variety shows.

Source: Lin et al., "PacGAN: the power of two samples in generative adversarial networks", NeurIPS 2018, section 3.

.. math:: D(x_1, \dots, x_m), \qquad x_1, \dots, x_m \sim P \text{ or } Q

The items of a pack are all real or all generated, drawn independently. A generator that drops modes makes packs whose
items are more alike than those of real packs. From the paper: the items of a pack are concatenated, images as channels,
and only the first layer of the discriminator is wider. Not from the paper: packs are made of one batch, so that a batch
of N items makes N / m terms of the loss, where the authors draw m batches for N terms.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from genzoo.hyperparameters import whole_number
from genzoo.networks.architectures import WrappedPlayers
from genzoo.networks.conditioning import Shape
from genzoo.networks.discriminator import Discriminator, WrappedDiscriminator


class PackedDiscriminator(WrappedDiscriminator):
    """Concatenates the items of each pack, and their conditions, for a discriminator of packs.

    Args:
        judge: Of packs, which are to it one item with more channels.
        number: How many consecutive items are a pack; of a batch of N items all packs are judged, none overlapping.
    """

    def __init__(self, judge: Discriminator, number: int) -> None:
        super().__init__(judge)
        self.number, self.pack_size = number, number * judge.pack_size

    def features(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """``(N, *data_shape)`` and ``(N, *condition_shape)`` to those of packs, ``(N / number, *feature_shape)``.

        Raises:
            ValueError: If the items cannot be divided into packs.
        """
        return self.judge.features(self._packs(x), self._condition_of_packs(condition))

    def activations(self, x: Tensor, condition: Tensor | None = None) -> list[Tensor]:
        """The outputs of all nonlinearities, ``(N, ...)`` each: those of a pack that is one item over and over."""
        copies = x.repeat_interleave(self.number, 0)
        conditions = None if condition is None else condition.repeat_interleave(self.number, 0)
        return self.judge.activations(self._packs(copies), self._condition_of_packs(conditions))

    def logits(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        """Features of packs and conditions of items, ``(N, *condition_shape)``, to one logit per pack."""
        return self.judge.logits(features, self._condition_of_packs(condition))

    def _packs(self, items: Tensor) -> Tensor:
        """``(N, C, ...)`` to ``(N / number, number * C, ...)``."""
        if len(items) % self.number:
            raise ValueError(
                f"{len(items)} items cannot be divided into packs of {self.number}; give a multiple of "
                f"{self.number}, as by a batch_size that is one"
            )
        return items.reshape(len(items) // self.number, *_shape_of_pack(items.shape[1:], self.number))

    def _condition_of_packs(self, condition: Tensor | None) -> Tensor | None:
        return None if condition is None else self._packs(condition)


@dataclass(frozen=True)
class Packed(WrappedPlayers):
    """The generator of some players, and their discriminator made for packs.

    In training every batch must be a multiple of ``number``. In evaluation each item's logit is that of its pack, the
    last of which is filled up with items of its batch.

    Args:
        players: The players, of images or points, with or without a condition.
        number: m, how many items are judged at once, at least 1.
    """

    number: int = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "number", whole_number("number of Packed", self.number, 1))

    def discriminator(self, data_shape: Shape, condition_shape: Shape = ()) -> Discriminator:
        """A network from ``(N, *data_shape)`` to logits ``(N / number,)``."""
        shapes = (_shape_of_pack(shape, self.number) for shape in (data_shape, condition_shape))
        return PackedDiscriminator(self.players.discriminator(*shapes), self.number)


def _shape_of_pack(shape: Sequence[int], number: int) -> tuple[int, ...]:
    """``(C, ...)`` to ``(number * C, ...)``; ``()``, that of no condition, stays."""
    return tuple(number * size if place == 0 else size for place, size in enumerate(shape))
