"""The extractors that come with the package: classifiers of the data sets that do too.

`scripts/train_extractors.py` trains them; their card is `assets/README.md` beside this file.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from genzoo.metrics.extractors.classifiers import ImageClassifier, PlainClassifier, ResidualClassifier
from genzoo.metrics.extractors.extractor import FeatureExtractor

ASSETS = Path(__file__).parent / "assets"


@dataclass(frozen=True)
class EmbeddedExtractor:
    """A classifier that comes with the package.

    Args:
        build: Makes the network without its weights.
        data: Name of the data module whose classes it tells apart.
        channels: Of the images.
        size: Height and width of the images in pixels.
        hash: SHA-256 of the weights, as `FeatureExtractor` tells it.
    """

    build: Callable[[], ImageClassifier]
    data: str
    channels: int
    size: int
    hash: str


EMBEDDED = {
    "fashion-mnist-plain": EmbeddedExtractor(
        build=lambda: PlainClassifier(1, [[16], [32, 64], [128], [128]], 10),
        data="FashionMNIST",
        channels=1,
        size=28,
        hash="738025032b98ff39c1c2cb7aebd96d6eef50c1d5d2a42e890a98a11c25114b49",
    ),
    "fashion-mnist-residual": EmbeddedExtractor(
        build=lambda: ResidualClassifier(1, [32, 64], 128, 10),
        data="FashionMNIST",
        channels=1,
        size=28,
        hash="e5a829fad414c362ede761e8637e40e5e1432f3d54af4dded7f7c2beb7b821fa",
    ),
    "digits": EmbeddedExtractor(
        build=lambda: PlainClassifier(1, [[32, 32], [64]], 10),
        data="Digits",
        channels=1,
        size=8,
        hash="8cd91bd5e5eaa666b3034415b8b4b716a7e44280872484b898112b3425358c7a",
    ),
}


def embedded_extractor(name: str) -> FeatureExtractor:
    """Loads an extractor that comes with the package.

    Args:
        name: A key of ``EMBEDDED``.

    Raises:
        ValueError: If there is none of that name, or its file is not the one that was shipped.

    Example:
        >>> from genzoo.metrics.extractors.embedded import embedded_extractor
        >>> embedded_extractor("fashion-mnist-plain").feature_dim
        128
    """
    if name not in EMBEDDED:
        raise ValueError(f"there is no embedded extractor {name!r}; choose one of {', '.join(EMBEDDED)}")
    entry = EMBEDDED[name]
    network = entry.build()
    path = ASSETS / f"{name}.npz"
    read_weights(network, path)
    extractor = FeatureExtractor(network.body, name, entry.channels, entry.size, head=network.head)
    if extractor.hash != entry.hash:
        raise ValueError(f"{path} is not the file that was shipped with genzoo; install genzoo again")
    return extractor


def write_weights(network: torch.nn.Module, path: Path) -> None:
    """Writes the weights of a network: those of layers in half precision, those of norms in single."""
    # Running variances may lie outside the range of half precision, and are few.
    arrays = {
        name: weights.half().numpy() if weights.ndim > 1 else weights.numpy()
        for name, weights in network.state_dict().items()
    }
    np.savez_compressed(path, **arrays)


def read_weights(network: torch.nn.Module, path: Path) -> None:
    """Gives a network the weights that `write_weights` wrote."""
    with np.load(path) as arrays:
        # Loading copies them into the single precision of the network.
        network.load_state_dict({name: torch.from_numpy(arrays[name]) for name in arrays.files})
