"""Which images and which extractors scores of a data set are made with."""

import pydoc
from typing import Any

import torch
from torch import Tensor, nn

from genzoo.data.splits import ArrayDataModule, Part
from genzoo.metrics.embedded import EMBEDDED, embedded_extractor
from genzoo.metrics.extractors import INCEPTION, FeatureExtractor
from genzoo.metrics.inception import inception_extractor
from genzoo.spec import to_native


def real_images(data: ArrayDataModule, part: Part) -> Tensor:
    """The images of a part that is loaded, ``(N, C, H, W)``, uint8 in native size."""
    return to_native(torch.from_numpy(data.array(part).images[:]), data.spec)


def extractors_for(data: ArrayDataModule, name: str | None = None) -> list[FeatureExtractor]:
    """The extractors in whose features images of a data set are compared.

    Args:
        data: The data set.
        name: Of an embedded one, ``inception-v3``, or the path of a class or function without arguments that makes a
            module or a `FeatureExtractor`. None: all that are embedded for these data, which may be none.

    Raises:
        ValueError: If there is no extractor of that name.
        RuntimeError: If the weights of Inception-v3 are not to be had.
    """
    if name is None:
        return [embedded_extractor(key) for key, entry in EMBEDDED.items() if _is_of(data, entry.data)]
    if name in EMBEDDED:
        return [embedded_extractor(name)]
    if name == INCEPTION:
        return [inception_extractor()]
    make: Any = pydoc.locate(name)
    if not callable(make):
        raise ValueError(
            f"there is no extractor {name}; choose one of {', '.join(EMBEDDED)}, {INCEPTION}, or give the path of a "
            "class or function that makes a network, such as mine.MyNetwork"
        )
    made = make()
    if isinstance(made, nn.Module):
        shape = data.spec["shape"]
        return [FeatureExtractor(made, name.rpartition(".")[2], shape[0], data.spec.get("native_size", shape[-1]))]
    if not isinstance(made, FeatureExtractor):
        raise ValueError(f"{name} gave a {type(made).__name__}, but an extractor is a module or a FeatureExtractor")
    return [made]


def _is_of(data: ArrayDataModule, name: str) -> bool:
    """Whether a data set is the one of a name or a part of it."""
    return any(cls.__name__.startswith(name) for cls in type(data).__mro__)
