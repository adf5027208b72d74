"""Checks of what metrics are given."""

import torch
from torch import Tensor


class TooFewSamplesError(ValueError):
    """There are fewer samples than a score needs; with more of them it could be computed."""


def require_features(features: Tensor, feature_dim: int | None) -> Tensor:
    """Asks for features ``(N, feature_dim)``, finite, and returns them without gradient, float32 or float64.

    Raises:
        ValueError: If they are not.
    """
    if features.ndim != 2 or not features.is_floating_point() or feature_dim not in (None, features.shape[1]):
        raise ValueError(
            f"got {features.dtype} features of shape {tuple(features.shape)}, but expected floats of shape "
            f"(N, {feature_dim or 'D'}); flatten each image to one row"
        )
    if not features.isfinite().all():
        raise ValueError("some features are not finite, where numbers were expected; look for NaN in the samples")
    # Double precision stays what it is, all else becomes single: half precision would lose small distances.
    return features.detach() if features.dtype == torch.float64 else features.detach().float()


def require_enough(name: str, real: int, fake: int, fewest: int) -> None:
    """Raises `TooFewSamplesError` unless there are at least ``fewest`` real and generated samples."""
    if min(real, fake) < fewest:
        raise TooFewSamplesError(
            f"{name} has {real} real and {fake} generated samples, but needs at least {fewest} of each; give it more"
        )


def require_images(images: Tensor, channels: int | None, size: int | None, reader: str) -> None:
    """Asks for images as bytes, ``(N, C, H, W)``.

    Args:
        images: What was given.
        channels: C; None for any.
        size: H and W; None for any.
        reader: Who wants the images, for the message.

    Raises:
        ValueError: If type or shape differ.
    """
    wanted = f"(N, {channels or 'C'}, {size or 'H'}, {size or 'W'})"
    if images.dtype != torch.uint8:
        raise ValueError(
            f"{reader} got {str(images.dtype).removeprefix('torch.')} images, but takes uint8 of shape {wanted} in "
            "[0, 255]; bring images in [-1, 1] there with genzoo.spec.to_uint8"
        )
    fits = images.ndim == 4 and channels in (None, images.shape[1]) and size in (None, images.shape[2])
    if not fits or (size is not None and images.shape[3] != size):
        raise ValueError(
            f"{reader} got images of shape {tuple(images.shape)}, but takes {wanted}; bring samples to the native "
            "size of the data with genzoo.spec.to_native"
        )
