r"""Discriminators that are told the condition behind their features, in a hidden layer that joins both.

Source: Mirza and Osindero, "Conditional generative adversarial nets", 2014, section 4.1: features of the image and the
condition meet in a hidden layer of maxout units of four pieces, behind which stands the logit.

.. math:: h_i = \max_j (w_{ij}^T \phi(x) + u_{ij}^T y + b_{ij})

Not from the paper: the condition has no hidden layer of its own; phi are the features of any players; units are fewer.
At the start u outweighs what all features add, so that the condition chooses which piece reads the features: a class
has readings of its own from the first step on. Where it stands beside the image, as constant maps, it has to come
through every layer first.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genzoo.hyperparameters import whole_number
from genzoo.networks.architectures import WrappedPlayers
from genzoo.networks.conditioning import Shape, concatenate, numbers_of
from genzoo.networks.discriminator import Discriminator, WrappedDiscriminator, require_single_items
from genzoo.networks.embedded import require_vectors
from genzoo.networks.maxout import Maxout
from genzoo.networks.maxout_players import initialise

PIECES = 4
OUTWEIGHING = 2.0
"""Standard deviation at the start of what a class adds to a piece, as a multiple of that of unit features."""


class JoinedDiscriminator(WrappedDiscriminator):
    """Puts a hidden layer of features and condition behind a discriminator's features, and a new head behind that.

    A missing label, all zeros, adds nothing.

    Args:
        judge: A discriminator without a condition.
        condition_shape: Of the conditions that are joined.
        units: Of the hidden layer.
    """

    def __init__(self, judge: Discriminator, condition_shape: Shape, units: int) -> None:
        super().__init__(judge)
        numbers = math.prod(judge.feature_shape)
        self.joint = Maxout(numbers + numbers_of(condition_shape), units, PIECES)
        head = judge.head = nn.Linear(units, 1)
        for layer in (self.joint.linear, head):
            initialise(layer)
        with torch.no_grad():
            self.joint.linear.weight[:, numbers:] *= OUTWEIGHING * math.sqrt(numbers)
        self.feature_shape = (units,)

    def features(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Of the hidden layer: ``(N, *data_shape)`` and ``(N, *condition_shape)`` to ``(N, units)``."""
        features = self.judge.features(x)
        if condition is None:
            condition = features.new_zeros(len(features), self.joint.linear.in_features - features[0].numel())
        joined: Tensor = self.joint(concatenate(features, condition))
        return joined


@dataclass(frozen=True)
class Joined(WrappedPlayers):
    """The generator of some players, conditioned as theirs is, against a discriminator that is told at its end.

    Args:
        players: The players, whose discriminator is built without the condition.
        units: Of the hidden layer in which features and condition meet, at least 1; the paper has 240.
    """

    units: int = 64

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", whole_number("units of Joined", self.units, 1))

    def discriminator(self, data_shape: Shape, condition_shape: Shape = ()) -> Discriminator:
        """A network from ``(N, *data_shape)`` and ``(N, *condition_shape)`` to logits ``(N,)``."""
        require_vectors(condition_shape, self)
        judge = self.players.discriminator(data_shape)
        require_single_items(judge, "the hidden layer of Joined")
        return JoinedDiscriminator(judge, condition_shape, self.units)
