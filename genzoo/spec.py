"""The data spec: what a model must know of its data, as plain data that a checkpoint can carry.

A data module knows its spec without loading anything; the command line hands it to the model.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional
from typing_extensions import Required, TypedDict

from genzoo.hyperparameters import whole_number

MISSING_LABEL = -1
"""The label of an item whose class is not known."""


class DataSpec(TypedDict, total=False):
    """What a model must know of its data.

    Attributes:
        shape: Of one item as the model sees it, ``[C, H, W]`` for images. The only required entry.
        native_size: Height and width of the images as they came; pictures and samples are shown in it.
            Left out, it is the height in ``shape``.
        class_names: One name per class, in the order of the integer labels; empty without labels.
        range: Lowest and highest value of an item, ``[-1.0, 1.0]`` for images; left out, there is none, as for
            points in the plane.
        binarised: Whether items take the lowest and the highest value only.
        attribute_names: Of the entries of label vectors ``(N, K)``, where these stand for classes.
        condition_image: Shape ``[C, H, W]`` of the image in [-1, 1] that comes with each item in place of a label.
        tokens: ``[length, vocabulary]`` of the sequence of tokens that comes with each item in place of a label:
            labels are int64 ``(N, length)``, from 0 to ``vocabulary - 1``.
    """

    shape: Required[list[int]]
    native_size: int
    class_names: list[str]
    range: list[float]
    binarised: bool
    attribute_names: list[str]
    condition_image: list[int]
    tokens: list[int]


def image_spec(channels: int, size: int, native_size: int | None = None, class_names: Sequence[str] = ()) -> DataSpec:
    """The spec of square images in [-1, 1].

    Args:
        channels: 1 for grey, 3 for colour.
        size: Height and width in pixels as the model sees them.
        native_size: Height and width before padding or resizing; ``size`` if left out.
        class_names: One name per class; empty without labels.
    """
    return DataSpec(
        shape=[whole_number("channels", channels, 1), *2 * [whole_number("size", size, 1)]],
        native_size=whole_number("native_size", size if native_size is None else native_size, 1),
        class_names=list(class_names),
        range=[-1.0, 1.0],
    )


def is_image(shape: Sequence[int]) -> bool:
    """Whether items of a shape are images, ``(C, H, W)`` in [-1, 1], rather than points, ``(D,)`` without bounds."""
    return len(shape) == 3


def is_padded(native_size: int, size: int) -> bool:
    """Whether images are padded rather than resized on their way from ``native_size`` to ``size`` pixels.

    28 pixels become 32 with a black margin of 2, which keeps every pixel as it was; all else is resized.
    """
    return (native_size, size) == (28, 32)


def to_size(images: Tensor, native_size: int, size: int) -> Tensor:
    """Brings images from their native size to the model's.

    Args:
        images: ``(N, C, native_size, native_size)``, uint8 in [0, 255].
        native_size: Height and width in pixels as the images came.
        size: Height and width in pixels that the model wants.

    Returns:
        ``(N, C, size, size)``, uint8.
    """
    if native_size == size:
        return images
    if is_padded(native_size, size):
        return functional.pad(images, 4 * [(size - native_size) // 2])
    return _resize(images, size, size)


def to_native(images: Tensor, spec: DataSpec) -> Tensor:
    """The way back from the model's size to the native one: margins cut off, resizing undone.

    What `to_size` has padded or enlarged comes back as it was, but for the rounding of its bytes.

    Args:
        images: ``(N, C, H, W)``, uint8 or floats in [-1, 1].
        spec: Spec of the data that the images are like.

    Returns:
        ``(N, C, native_size, native_size)``, same type and range.
    """
    size = spec["shape"][-1]
    native_size = spec.get("native_size", size)
    if native_size == size:
        return images
    if is_padded(native_size, size):
        margin = (size - native_size) // 2
        return images[..., margin:-margin, margin:-margin]
    return _undo_enlarging(images, native_size) if native_size < size else _resize(images, native_size, native_size)


def way_to_native(spec: DataSpec) -> str:
    """What `to_native` does to samples of a model, in words, for the protocol of a score."""
    size = spec["shape"][-1]
    native_size = spec.get("native_size", size)
    if native_size == size:
        return "as they are"
    return "margin cut off" if is_padded(native_size, size) else "resized"


def _undo_enlarging(images: Tensor, native_size: int) -> Tensor:
    """The images of the native size whose enlargement is nearest to the given ones, in squared error."""
    # Enlarging is linear and does the same to rows as to columns, so that one matrix undoes it.
    enlarging = _resize(torch.eye(native_size)[None], images.shape[-1], native_size)[0]
    shrinking = torch.linalg.pinv(enlarging.double()).to(images.device, torch.float32)
    native: Tensor = shrinking @ images.float() @ shrinking.T
    if images.dtype == torch.uint8:
        return native.round().clamp(0.0, 255.0).to(torch.uint8)
    return native.clamp(-1.0, 1.0).to(images.dtype)


def _resize(images: Tensor, height: int, width: int) -> Tensor:
    # Samplers, which need this module, do without torchvision unless their images have to be resized.
    from torchvision.transforms.v2 import functional as transforms

    resized: Tensor = transforms.resize(images, [height, width], antialias=True)
    return resized


def to_float(images: Tensor) -> Tensor:
    """Bytes to the range of the models: uint8 in [0, 255] to float32 in [-1, 1], same shape."""
    # In place: as floats, bytes are a copy already.
    return images.to(torch.float32).div_(127.5).sub_(1.0)


def to_uint8(images: Tensor) -> Tensor:
    """The inverse of `to_float`: floats in [-1, 1] (clamped) to uint8 in [0, 255], same shape."""
    # In place but for the first: what `add` makes is a copy already.
    return images.float().add(1.0).mul_(127.5).round_().clamp_(0.0, 255.0).to(torch.uint8)
