"""Which extractors the images of a data set are compared in."""

import inspect
import pydoc
from typing import Any

from torch import nn

from genzoo.data.splits import ArrayDataModule
from genzoo.evaluation.compared import size_protocol
from genzoo.metrics.extractors.embedded import EMBEDDED, embedded_extractor
from genzoo.metrics.extractors.extractor import INCEPTION, FeatureExtractor
from genzoo.metrics.extractors.inception import inception_extractor


def extractors_for(data: ArrayDataModule, name: str | None = None) -> list[FeatureExtractor]:
    """The extractors in whose features images of a data set are compared.

    Args:
        data: The data set.
        name: Of an embedded one, ``inception-v3``, or the path of a class or function without arguments that makes a
            module or a `FeatureExtractor`. None: all that are embedded for these data, which may be none.

    Raises:
        ValueError: If there is no extractor of that name, or it cannot be made without arguments.
        RuntimeError: If the weights of Inception-v3 are neither there nor can be downloaded.
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
    # Asked of its signature, not by calling it: a TypeError may also come from within.
    try:
        inspect.signature(make).bind()
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} cannot be called without arguments ({error}); give the path of a class or function that makes a "
            "network, such as mine.MyNetwork"
        ) from None
    made = make()
    if isinstance(made, nn.Module):
        shape = data.spec["shape"]
        return [FeatureExtractor(made, name.rpartition(".")[2], shape[0], data.spec.get("native_size", shape[-1]))]
    if not isinstance(made, FeatureExtractor):
        raise ValueError(f"{name} gave a {type(made).__name__}, but an extractor is a module or a FeatureExtractor")
    return [made]


def suited_extractors(data: ArrayDataModule, name: str | None, how_to_choose: str) -> list[FeatureExtractor]:
    """As `extractors_for`, but at least one, and only such as take the images.

    Args:
        data: The data set.
        name: As for `extractors_for`.
        how_to_choose: What the user does to name one, for the message.

    Raises:
        ValueError: If there is none, or one does not take the images.
        RuntimeError: If the weights of Inception-v3 are neither there nor can be downloaded.
    """
    extractors = extractors_for(data, name)
    if not extractors:
        raise ValueError(
            f"no extractor is embedded for {type(data).__name__}; {how_to_choose}: inception-v3, or the path of a "
            "network"
        )
    for extractor in extractors:
        require_suited(extractor, data)
    return extractors


def require_suited(extractor: FeatureExtractor, data: ArrayDataModule, channels: int | None = None) -> None:
    """Refuses an extractor that does not take the images of a data set.

    Args:
        extractor: What is to take them.
        data: The data set.
        channels: Of what it is shown of each image; the data's own if left out.

    Raises:
        ValueError: If it takes images of other channels or another size.
    """
    found = (channels or data.spec["shape"][0], size_protocol(data)["native_size"])
    taken = tuple(own or given for own, given in zip((extractor.channels, extractor.size), found, strict=True))
    if taken != found:
        raise ValueError(
            f"the extractor {extractor.name} looks at images of {taken[0]} x {taken[1]} x {taken[1]}, but "
            f"{type(data).__name__} shows it {found[0]} x {found[1]} x {found[1]} (channels, height, width); choose "
            "another extractor"
        )


def _is_of(data: ArrayDataModule, name: str) -> bool:
    """Whether a data set is the one of a name or a part of it."""
    # A part is named after the whole: FashionMNISTMini.
    return any(cls.__name__.startswith(name) for cls in type(data).__mro__)
