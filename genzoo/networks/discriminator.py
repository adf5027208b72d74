"""The contract of a discriminator, features and a head, and the kind of it that is layers in turn."""

from abc import ABC, abstractmethod
from collections.abc import MutableMapping
from typing import Any

from torch import Tensor, nn

from genzoo.networks.conditioning import ConditionedLayers
from genzoo.networks.maxout import Maxout

NONLINEARITIES = (nn.LeakyReLU, nn.ReLU, nn.SiLU, Maxout)


class Discriminator(nn.Module, ABC):
    """Tells real items from generated ones: features of an item, and a head that makes them a logit.

    What asks for more than a logit (a class, a code, features to match) reads the features, with a head of its own.

    Attributes:
        feature_shape: Of the features of one item.
        head: From ``(N, *feature_shape)`` to one number per item, ``(N, 1, ...)``; it may be replaced, as by one of
            K + 1 numbers for K classes and generated ones, which then come out as ``(N, K + 1)``.
    """

    feature_shape: tuple[int, ...]
    head: nn.Module

    @abstractmethod
    def features(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """What the head sees: ``(N, *data_shape)`` and ``(N, *condition_shape)`` to ``(N, *feature_shape)``."""

    @abstractmethod
    def activations(self, x: Tensor, condition: Tensor | None = None) -> list[Tensor]:
        """The outputs of all nonlinearities, ``(N, ...)`` each, in the order in which they are computed."""

    def logits(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        """What is made of features, for whoever asks for both: ``(N, *feature_shape)`` to ``(N,)``.

        Args:
            features: What `features` gave.
            condition: The same as there, for discriminators that look at it only now; others leave it alone.
        """
        logits: Tensor = self.head(features)
        return logits.flatten(1).squeeze(1)

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """``(N, *data_shape)`` and ``(N, *condition_shape)`` to logits ``(N,)``."""
        return self.logits(self.features(x, condition), condition)


class LayeredDiscriminator(Discriminator):
    """A discriminator whose features are the output of layers in turn.

    Args:
        layers: From items and conditions to features.
        head: From features to one number per item.
        feature_shape: Of the features of one item.
    """

    def __init__(self, layers: ConditionedLayers, head: nn.Module, feature_shape: tuple[int, ...]) -> None:
        super().__init__()
        # The layers first: optimisers keep their states by the order of parameters.
        self.layers = layers
        self.head = head
        self.feature_shape = feature_shape
        self.register_load_state_dict_pre_hook(rename_head)  # type: ignore[no-untyped-call]

    def features(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """The output of the last layer, ``(N, *feature_shape)``."""
        features: Tensor = self.layers(x, condition)
        return features

    def activations(self, x: Tensor, condition: Tensor | None = None) -> list[Tensor]:
        """The outputs of all nonlinearities, ``(N, ...)`` each, from the first layer to the last."""
        found: list[Tensor] = []
        output = self.layers.join(x, condition)
        for layer in self.layers:
            output = layer(output)
            if isinstance(layer, NONLINEARITIES):
                # One that works in place overwrites its input, which is not kept; nothing overwrites its output.
                found.append(output)
        return found


def rename_head(
    discriminator: LayeredDiscriminator, state: MutableMapping[str, Any], prefix: str, *others: object
) -> None:
    """Gives the head of a stored discriminator its name where, as in version 0.1.0, it was the last of the layers.

    Args:
        discriminator: That is to be loaded.
        state: Weights by their names; changed in place.
        prefix: Of the discriminator's names in it, such as ``discriminator.``.
        *others: What else torch hands to a hook.
    """
    earlier = f"{prefix}layers.{len(discriminator.layers)}."
    for name in [name for name in state if name.startswith(earlier)]:
        state[f"{prefix}head.{name.removeprefix(earlier)}"] = state.pop(name)
