"""Checks of what a model is given: items and latent variables of its shapes, and data of the kind it was trained on."""

from typing import Any

import numpy as np
from torch import Tensor

from genzoo.sampling.conditions import condition_from
from genzoo.sampling.given import described
from genzoo.spec import DataSpec


def require_floats(values: Any, shape: tuple[int, ...], reader: str, remedy: str) -> None:
    """Asks for floats ``(N, *shape)``.

    Args:
        values: What was given.
        shape: Of one item.
        reader: Who takes them, for the message.
        remedy: What to do about others.

    Raises:
        ValueError: If type or shape differ.
    """
    if not isinstance(values, Tensor) or not values.is_floating_point() or tuple(values.shape[1:]) != shape:
        wanted = ", ".join(["N", *map(str, shape)])
        if isinstance(values, np.ndarray):
            remedy = f"make a tensor of this NumPy array with torch.from_numpy, and {remedy}"
        raise ValueError(f"{reader} takes floats of shape ({wanted}), got {described(values)}; {remedy}")


def require_same_data(stored: DataSpec, given: DataSpec, conditional: bool) -> None:
    """Refuses data of another kind than a model was trained on.

    Args:
        stored: The spec of the data that the model was trained on.
        given: The spec of the data that it shall meet.
        conditional: Whether the model depends on the conditions of the data.

    Raises:
        ValueError: If the shapes differ, or the kinds or shapes of the conditions.
    """
    if list(stored["shape"]) != list(given["shape"]):
        raise ValueError(
            f"the checkpoint's model was trained on data of shape {_times(stored)}, but these have {_times(given)}; "
            "choose other data, or an image_size and a number of channels that agree"
        )
    then, now = condition_from(stored), condition_from(given)
    # An unconditional model may well meet data with other labels.
    if conditional and (type(then), then.shape) != (type(now), now.shape):
        raise ValueError(
            f"the checkpoint's model was trained on data with {then}, on which it depends, but these have {now}; "
            "choose data with the same"
        )


def _times(spec: DataSpec) -> str:
    return " x ".join(map(str, spec["shape"]))
