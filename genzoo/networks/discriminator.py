"""The contract of a discriminator, features and a head, and the kind of it that is layers in turn."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, MutableMapping
from typing import Any, overload

import torch
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
        pack_size: How many consecutive items it judges together: in all methods N items make ``N / pack_size`` rows of
            features and logits. 1 unless it is `Packed`.
    """

    feature_shape: tuple[int, ...]
    head: nn.Module
    pack_size: int = 1

    @abstractmethod
    def features(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """What the head sees: ``(N, *data_shape)`` and ``(N, *condition_shape)`` to ``(N, *feature_shape)``."""

    def activations(self, x: Tensor, condition: Tensor | None = None) -> list[Tensor]:
        """The outputs of all nonlinearities on the way to the features, ``(N, ...)`` each, in their order."""
        found: list[Tensor] = []

        def note(layer: nn.Module, given: tuple[Any, ...], output: Tensor) -> None:
            # One that works in place overwrites its input, which is not kept; nothing overwrites its output.
            found.append(output)

        # By hooks, since some stand within the blocks of others.
        nonlinearities = [part for part in self.modules() if isinstance(part, NONLINEARITIES)]
        noting = [part.register_forward_hook(note) for part in nonlinearities]
        try:
            self.features(x, condition)
        finally:
            for each in noting:
                each.remove()
        return found

    def logits(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        """What is made of features, for whoever asks for both: ``(N, *feature_shape)`` to ``(N,)``.

        Args:
            features: What `features` gave.
            condition: The same as there, for discriminators that look at it only now; others leave it alone.
        """
        logits: Tensor = self.head(features)
        return logits.flatten(1).squeeze(1)

    @overload
    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor: ...

    @overload
    def forward(self, x: Tensor, condition: Tensor | None, beside: nn.Module) -> tuple[Tensor, Tensor]: ...

    def forward(
        self, x: Tensor, condition: Tensor | None = None, beside: nn.Module | None = None
    ) -> Tensor | tuple[Tensor, Tensor]:
        """``(N, *data_shape)`` and ``(N, *condition_shape)`` to logits ``(N,)``; with a head beside its own, `read`."""
        features = self.features(x, condition)
        logits = self.logits(features, condition)
        return logits if beside is None else (logits, beside(features))

    def read(self, head: nn.Module, x: Tensor, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Logits ``(N,)``, and what another head makes of the same features, ``(N, ...)``."""
        # A call, since that is what is compiled.
        both: tuple[Tensor, Tensor] = self(x, condition, head)
        return both

    def of_each(
        self, score: Callable[[Tensor, Tensor | None], Tensor], x: Tensor, condition: Tensor | None = None
    ) -> Tensor:
        """The logit of each item, that of its pack, for whoever measures items one by one.

        Args:
            score: Gives this discriminator's logits of items and their conditions, ``(N / pack_size,)``.
            x: Any number N of items, ``(N, *data_shape)``; the last pack is filled up with them, from the first on.
            condition: ``(N, *condition_shape)``.

        Returns:
            ``(N,)``.
        """
        if self.pack_size == 1:
            return score(x, condition)
        number = len(x)
        places = torch.arange(-(-number // self.pack_size) * self.pack_size, device=x.device) % max(number, 1)
        logits = score(x[places], None if condition is None else condition[places])
        return logits.repeat_interleave(self.pack_size)[:number]


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


class WrappedDiscriminator(Discriminator):
    """A discriminator around another one, whose features and head it has; a subclass changes what the other is given.

    Args:
        judge: The other one.
    """

    def __init__(self, judge: Discriminator) -> None:
        super().__init__()
        self.judge = judge
        self.feature_shape, self.pack_size = judge.feature_shape, judge.pack_size

    @property
    def head(self) -> nn.Module:  # type: ignore[override]
        """That of the other one."""
        return self.judge.head

    def __setattr__(self, name: str, value: Any) -> None:
        """Replaces the other one's head: a module would shadow the property, were it set as usual."""
        if name == "head":
            self.judge.head = value
        else:
            super().__setattr__(name, value)

    def features(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Those of the other one, ``(N, *feature_shape)``."""
        return self.judge.features(x, condition)

    def logits(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        """Those of the other one, ``(N,)``."""
        return self.judge.logits(features, condition)


def require_single_items(discriminator: Discriminator, owner: str) -> None:
    """Refuses a discriminator of packs where features of each item by itself are wanted.

    Args:
        discriminator: Any.
        owner: What wants them, for the message.

    Raises:
        ValueError: If it judges several items together.
    """
    if discriminator.pack_size > 1:
        raise ValueError(
            f"{owner} reads features of each item by itself, but these networks judge {discriminator.pack_size} items "
            "together; leave Packed out"
        )


def require_batches_of_packs(network: nn.Module, name: str, sizes: Collection[int]) -> None:
    """Refuses to train on batches that cannot be divided into packs.

    Args:
        network: With or without a discriminator of packs.
        name: What to call it.
        sizes: Those of the batches, per device, that it will be trained on.

    Raises:
        ValueError: If one of them is no multiple of how many items are judged together.
    """
    packs = {part.pack_size for part in network.modules() if isinstance(part, Discriminator)}
    for size in sizes:
        for pack in packs:
            if size % pack:
                raise ValueError(
                    f"a {name} that judges packs of {pack} items would be trained on a batch of {size}, but needs "
                    f"multiples of {pack} per device; choose such a batch_size, and drop an incomplete last batch"
                )


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
