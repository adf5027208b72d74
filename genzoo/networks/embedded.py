"""Players that are given a learned embedding of the condition in place of the condition itself."""

from dataclasses import dataclass

from torch import Tensor, nn

from genzoo.hyperparameters import whole_number
from genzoo.networks.architectures import Players
from genzoo.networks.conditioning import Shape
from genzoo.networks.discriminator import Discriminator, WrappedDiscriminator
from genzoo.spec import is_image


class ConditionEmbedding(nn.Linear):
    """A linear map without a bias: ``(N, K)`` to ``(N, dim)``, and of tokens ``(N, L, V)`` each to ``(N, L, dim)``.

    Of one-hot vectors it is a table with a row for each class, in which a missing label, all zeros, finds zeros. The
    numbers are drawn from N(0, 1 / dim): a row is then about as long as the one-hot vector in whose place it stands.
    From N(0, 1) an image would be one faint channel beside 32 strong ones, and the game would not start.

    Args:
        condition_shape: ``(K,)`` or ``(L, V)``.
        dim: How many numbers an embedding has.
    """

    def __init__(self, condition_shape: Shape, dim: int) -> None:
        super().__init__(condition_shape[-1], dim, bias=False)
        nn.init.normal_(self.weight, std=dim**-0.5)


class EmbeddedGenerator(nn.Module):
    """A generator that gets the embedding of a condition.

    Args:
        network: The generator.
        embedding: From conditions to what it gets.
    """

    def __init__(self, network: nn.Module, embedding: ConditionEmbedding) -> None:
        super().__init__()
        self.network, self.embedding = network, embedding

    def forward(self, z: Tensor, condition: Tensor) -> Tensor:
        """``(N, *latent_shape)`` and ``(N, *condition_shape)`` to ``(N, *data_shape)``."""
        output: Tensor = self.network(z, self.embedding(condition))
        return output


class EmbeddedDiscriminator(WrappedDiscriminator):
    """A discriminator that gets the embedding of a condition.

    Args:
        judge: The discriminator.
        embedding: From conditions to what it gets.
    """

    def __init__(self, judge: Discriminator, embedding: ConditionEmbedding) -> None:
        super().__init__(judge)
        self.embedding = embedding

    def features(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """``(N, *data_shape)`` and ``(N, *condition_shape)`` to ``(N, *feature_shape)``."""
        return self.judge.features(x, self._embedded(condition))

    def logits(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        """``(N, *feature_shape)`` and ``(N, *condition_shape)`` to logits ``(N,)``."""
        return self.judge.logits(features, self._embedded(condition))

    def _embedded(self, condition: Tensor | None) -> Tensor | None:
        return None if condition is None else self.embedding(condition)


@dataclass(frozen=True)
class Embedded(Players):
    """Players who get, each by an embedding of its own, ``dim`` numbers in place of a condition.

    Useful where classes are many: a one-hot vector of 1,000 classes would stand beside an image as 1,000 maps. The idea
    is that of Denton et al. 2015 (LAPGAN, section 3.2), who map the one-hot vector linearly before it joins the image.

    Args:
        players: The players, which can take a vector (or tokens) as their condition.
        dim: How many numbers the embedding of a condition, or of each of its tokens, has, at least 1.
    """

    players: Players
    dim: int = 32

    def __post_init__(self) -> None:
        object.__setattr__(self, "dim", whole_number("dim of Embedded", self.dim, 1))

    def generator(self, latent_shape: Shape, data_shape: Shape, condition_shape: Shape = ()) -> nn.Module:
        """A network from ``(N, *latent_shape)`` and ``(N, *condition_shape)`` to ``(N, *data_shape)``."""
        network = self.players.generator(latent_shape, data_shape, self._shape(condition_shape))
        return EmbeddedGenerator(network, ConditionEmbedding(condition_shape, self.dim))

    def discriminator(self, data_shape: Shape, condition_shape: Shape = ()) -> Discriminator:
        """A network from ``(N, *data_shape)`` and ``(N, *condition_shape)`` to logits; without a condition, theirs."""
        if not condition_shape:
            return self.players.discriminator(data_shape)
        judge = self.players.discriminator(data_shape, self._shape(condition_shape))
        return EmbeddedDiscriminator(judge, ConditionEmbedding(condition_shape, self.dim))

    def _shape(self, condition_shape: Shape) -> Shape:
        """That of an embedding."""
        require_vectors(condition_shape, self)
        return *condition_shape[:-1], self.dim


def require_vectors(condition_shape: Shape, players: Players) -> None:
    """Refuses what is no condition of vectors or tokens.

    Args:
        condition_shape: Of one item.
        players: Who need one, for the message.

    Raises:
        ValueError: If there is no condition, or it is an image.
    """
    if not condition_shape or is_image(condition_shape):
        found = f"images of shape {tuple(condition_shape)}" if condition_shape else "none"
        name = type(players).__name__
        raise ValueError(
            f"{name} networks need a condition of labels, attributes or tokens, but got {found}; choose such data and "
            f"a conditional model, or leave {name} out"
        )
