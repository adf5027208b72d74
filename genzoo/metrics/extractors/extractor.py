"""Feature extractors: the networks in whose features samples are compared with data.

A score in features means nothing without the extractor, so each has a name and a hash of its weights.
"""

import hashlib
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from genzoo.hyperparameters import whole_number
from genzoo.metrics.inputs import require_images
from genzoo.spec import to_float


class Embedding(NamedTuple):
    """What an extractor sees in images.

    Attributes:
        features: ``(N, feature_dim)``, float32.
        logits: Of the classes, ``(N, number_of_classes)``, float32; None if the extractor has no classes.
    """

    features: Tensor
    logits: Tensor | None


class FeatureExtractor:
    """Turns images into features: always in eval mode, without gradient, and never a part of a model.

    It is no module itself, so that a model or metric that holds it neither trains, saves nor counts its weights.

    Args:
        network: Images, as ``prepare`` leaves them, to features ``(N, feature_dim)``. Any module.
        name: What scores in its features are called after.
        channels: Of the images; None for any number.
        size: Height and width of the images in pixels; None for any.
        head: Features to the logits of classes, ``(N, number_of_classes)``; None without classes.
        prepare: Brings bytes to what the network takes; by default float32 in [-1, 1].
        resize: How the network resizes images, for the protocol.

    Attributes:
        feature_dim: Number of features.
        number_of_classes: Of the head, 0 without.
        hash: SHA-256 of the weights, their names and shapes, as they are at present.
        device: Where the network is.

    Raises:
        ValueError: If the network does not give one row of features per image.

    Example:
        >>> import torch
        >>> from genzoo.metrics import FeatureExtractor
        >>> pixels = FeatureExtractor(torch.nn.Flatten(), "pixels", channels=1, size=28)
        >>> pixels(torch.zeros(5, 1, 28, 28, dtype=torch.uint8)).features.shape
        torch.Size([5, 784])
    """

    def __init__(
        self,
        network: nn.Module,
        name: str,
        channels: int | None = None,
        size: int | None = None,
        head: nn.Module | None = None,
        prepare: Callable[[Tensor], Tensor] = to_float,
        resize: str = "none",
    ) -> None:
        self._network = network.eval().requires_grad_(False)
        self._head = None if head is None else head.eval().requires_grad_(False)
        self.name = name
        self.channels = None if channels is None else whole_number("channels", channels, 1)
        self.size = None if size is None else whole_number("size", size, 1)
        self._prepare = prepare
        self.resize = resize
        # Two images, so that a network that loses the dimension of the batch is found out.
        example = self(torch.zeros(2, channels or 3, size or 32, size or 32, dtype=torch.uint8))
        if example.features.ndim != 2 or len(example.features) != 2:
            raise ValueError(
                f"the network of extractor {name} gave {tuple(example.features.shape)} for 2 images, but an extractor "
                "gives features (N, feature_dim); flatten or average what it gives"
            )
        self.feature_dim = example.features.shape[1]
        self.number_of_classes = 0 if example.logits is None else example.logits.shape[1]

    @property
    def device(self) -> torch.device:
        """Where the network is; the CPU if it has no weights."""
        return next((parameter.device for parameter in self._network.parameters()), torch.device("cpu"))

    @property
    def hash(self) -> str:
        """SHA-256 of the weights, their names and shapes, in hexadecimal."""
        return weights_hash(self._network, self._head)

    @property
    def computation(self) -> str:
        """What is done with weights and images, as text: the parts, their settings and their code."""
        parts = [part for whole in (self._network, self._head) if whole is not None for part in whole.modules()]
        kinds = {f"{type(part).__module__}.{type(part).__qualname__}": type(part) for part in parts}
        code = [f"{name}\n{_source(kinds[name])}" for name in sorted(kinds)]
        shape = f"{self.channels} channels, {self.size} pixels, resize {self.resize}, on {self.device.type}"
        return "\n".join([repr(self._network), repr(self._head), shape, _source(self._prepare), *code])

    @property
    def frechet_name(self) -> str:
        """What the Frechet distance in its features is called: ``fid`` for Inception-v3 alone."""
        return "fid" if self.name == INCEPTION else f"fd/{self.name}"

    def to(self, device: torch.device | str) -> "FeatureExtractor":
        """Moves the network, and returns the extractor."""
        for part in (self._network, self._head):
            if part is not None:
                part.to(device)
        return self

    @torch.no_grad()
    def __call__(self, images: Tensor, images_at_once: int = 256) -> Embedding:
        """Features and logits of images.

        Args:
            images: ``(N, C, H, W)``, uint8 in [0, 255], in their native size.
            images_at_once: How many go through the network together, which bounds memory.

        Returns:
            On the CPU.

        Raises:
            ValueError: If type or shape of the images is wrong.
        """
        require_images(images, self.channels, self.size, f"the extractor {self.name}")
        # A user may have switched the network to training since.
        self._network.eval()
        features, logits = [], []
        for chunk in images.split(images_at_once):
            found = self._network(self._prepare(chunk.to(self.device)))
            features.append(found.float().cpu())
            if self._head is not None:
                logits.append(self._head(found).float().cpu())
        return Embedding(torch.cat(features), torch.cat(logits) if logits else None)


INCEPTION = "inception-v3"


def _source(code: Any) -> str:
    """The source of a class or function; nothing where there is none, as for what was typed in by hand."""
    try:
        return inspect.getsource(code)
    except (OSError, TypeError):
        return ""


def weights_hash(*modules: nn.Module | None) -> str:
    """SHA-256 of the names, shapes and values of all weights and buffers, in hexadecimal."""
    digest = hashlib.sha256()
    for module in modules:
        for name, weights in () if module is None else sorted(module.state_dict().items()):
            digest.update(f"{name} {tuple(weights.shape)} {weights.dtype} ".encode())
            # NumPy does not know all types that weights may have.
            digest.update(weights.detach().cpu().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
