"""Samplers made anew of what files keep of them: plain data and weights."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from genzoo.hyperparameters import from_plain
from genzoo.sampling.sampler import Sampler


def rebuilt(plain: Any, weights: dict[str, Tensor], name: object, allowed: Sequence[str]) -> Sampler:
    """A sampler of plain data and weights.

    Args:
        plain: How it is made, as `as_plain` tells it.
        weights: Its state.
        name: What messages call the file that they are from.
        allowed: The packages whose classes are made.

    Raises:
        ValueError: If plain data and weights do not fit together, or describe something else, or a class is
            of no allowed package.
    """
    sampler = from_plain(plain, allowed)
    if not isinstance(sampler, Sampler):
        raise ValueError(f"{name} describes a {type(sampler).__name__}, not a sampler; give another file")
    # In the types in which they were written, which enter every sample.
    for each, value in sampler.state_dict(keep_vars=True).items():
        value.data = value.data.to(weights.get(each, value).dtype)
    try:
        sampler.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(
            f"the weights in {name} do not fit the {type(sampler).__name__} that it describes; give the files of one "
            "model, or use the version of genzoo that wrote them"
        ) from error
    return sampler.eval()
