r"""Projection discriminators: the condition enters by an inner product with the features.

Source: Miyato and Koyama, "cGANs with projection discriminator", ICLR 2018, equation 3.

.. math:: f(x, y) = y^T V \phi(x) + \psi(\phi(x))

From the paper: phi is a network without the condition, psi a head of its features; in the inner product features that
are maps are summed over space. Not from the paper: the head psi is that of the players, which need not sum over space;
V starts as Glorot and Bengio 2010 propose, as in the authors' code, without spectral norm unless it is asked for.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from genzoo.networks.architectures import WrappedPlayers
from genzoo.networks.conditioning import Shape, numbers_of
from genzoo.networks.discriminator import Discriminator, WrappedDiscriminator, require_single_items
from genzoo.networks.embedded import require_vectors


class ProjectedDiscriminator(WrappedDiscriminator):
    """Adds to a discriminator's logits the inner product of features and condition.

    A missing label, all zeros, adds nothing: the logit is then that of an image, whatever its class.

    Args:
        judge: A discriminator without a condition.
        condition_shape: Of the conditions that are projected.
    """

    def __init__(self, judge: Discriminator, condition_shape: Shape) -> None:
        super().__init__(judge)
        self.projection = nn.Linear(numbers_of(condition_shape), judge.feature_shape[0], bias=False)
        nn.init.xavier_uniform_(self.projection.weight)

    def features(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """phi(x): ``(N, *data_shape)`` to ``(N, *feature_shape)``, whatever the condition is."""
        return self.judge.features(x)

    def logits(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        """f(x, y): ``(N, *feature_shape)`` and ``(N, *condition_shape)`` to ``(N,)``; psi alone without a condition."""
        logits = self.judge.logits(features)
        if condition is None:
            return logits
        pooled = features.flatten(2).sum(2) if features.ndim > 2 else features
        projected: Tensor = self.projection(condition.flatten(1))
        return logits + (projected * pooled).sum(1)


@dataclass(frozen=True)
class Projected(WrappedPlayers):
    """The generator of some players, conditioned as theirs is, against a projection discriminator.

    Args:
        players: The players, whose discriminator is built without the condition.
    """

    def discriminator(self, data_shape: Shape, condition_shape: Shape = ()) -> Discriminator:
        """A network from ``(N, *data_shape)`` and ``(N, *condition_shape)`` to logits ``(N,)``."""
        require_vectors(condition_shape, self)
        judge = self.players.discriminator(data_shape)
        require_single_items(judge, "the projection of Projected")
        return ProjectedDiscriminator(judge, condition_shape)
