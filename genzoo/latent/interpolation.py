r"""Ways from one code to another.

.. math::
    \text{linear:}\quad z(t) &= (1 - t)\, a + t\, b \\
    \text{spherical:}\quad \frac{z(t)}{|z(t)|} &= \frac{\sin((1 - t)\Omega)}{\sin \Omega} \frac{a}{|a|}
    + \frac{\sin(t \Omega)}{\sin \Omega} \frac{b}{|b|}, \qquad |z(t)| = (1 - t) |a| + t |b|

with t from 0 to 1 and the angle Omega between a and b. Codes from a normal prior in many dimensions nearly all have the
same length; half way on a straight line they are shorter than any code that is ever drawn, on the sphere they are not.

Source: White, "Sampling generative networks", 2016, section 2.1. Not from the paper: it applies the formula to a and b
themselves, which is the same where they are of one length; here the direction turns at constant speed and the length
changes by itself.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from genzoo.hyperparameters import whole_number
from genzoo.latent.rows import Rows, decoded_rows
from genzoo.sampling.given import Given
from genzoo.sampling.priors import StandardNormal
from genzoo.sampling.sampler import Sampler

Way = Literal["linear", "spherical"]
# Below this sine of the angle, the direction that is orthogonal to the first code is mere rounding.
SMALLEST_SINE = 1e-7


def linear(first: Tensor, last: Tensor, t: Tensor) -> Tensor:
    """Codes on a straight line.

    Args:
        first: N codes, ``(N, *latent_shape)``.
        last: Where the lines end, of the same shape.
        t: ``(T,)``, places on the line: 0 is the first, 1 the last.

    Returns:
        ``(N, T, *latent_shape)``; at 0 and 1 the given codes to the last bit.
    """
    a, b, t = _with_steps(first, last, t)
    return _finished((1.0 - t) * a + t * b, a, b, t).to(first).reshape(len(first), len(t), *first.shape[1:])


def spherical(first: Tensor, last: Tensor, t: Tensor) -> Tensor:
    """Codes on a great circle, whose lengths go from that of the first code to that of the last.

    Between codes of the same direction the way is straight. Between opposite ones, where all great circles are equally
    long, it goes by the axis to which the first code is most nearly orthogonal. The direction of a code of length 0 is
    that of the other one.

    Args:
        first: N codes, ``(N, *latent_shape)``; each is one vector, whatever its shape.
        last: Where the ways end, of the same shape.
        t: ``(T,)``, places on the way: 0 is the first, 1 the last.

    Returns:
        ``(N, T, *latent_shape)``; at 0 and 1 the given codes to the last bit.
    """
    a, b, t = _with_steps(first, last, t)
    a_length, b_length = (code.norm(dim=2, keepdim=True) for code in (a, b))
    a_direction = torch.where(a_length > 0.0, a, b) / torch.where(a_length > 0.0, a_length, b_length).clamp(min=1e-300)
    b_direction = torch.where(b_length > 0.0, b / b_length.clamp(min=1e-300), a_direction)
    cosine = (a_direction * b_direction).sum(2, keepdim=True)
    across = b_direction - cosine * a_direction
    sine = across.norm(dim=2, keepdim=True)
    # Of equal directions it is multiplied by 0, of opposite ones any will do.
    across = torch.where(sine > SMALLEST_SINE, across / sine.clamp(min=1e-300), _orthogonal(a_direction))
    angle = torch.atan2(sine, cosine)
    direction = (t * angle).cos() * a_direction + (t * angle).sin() * across
    codes = ((1.0 - t) * a_length + t * b_length) * direction
    return _finished(codes, a, b, t).to(first).reshape(len(first), len(t), *first.shape[1:])


WAYS: dict[Way, Callable[[Tensor, Tensor, Tensor], Tensor]] = {"linear": linear, "spherical": spherical}


def suited_way(sampler: Sampler) -> Way:
    """The way that stays where codes are likely: on a sphere where the prior is standard normal, else straight."""
    is_normal = isinstance(sampler.prior, StandardNormal) and sampler.density is None
    return "spherical" if is_normal else "linear"


def interpolate(
    sampler: Sampler,
    first: Tensor,
    last: Tensor,
    steps: int = 10,
    way: Way = "spherical",
    y: Given | None = None,
    y_last: Given | None = None,
) -> Rows:
    """Decodes what lies between codes, one row for each pair.

    Args:
        sampler: What decodes them.
        first: N codes, ``(N, *latent_shape)``.
        last: Where the ways end, of the same shape.
        steps: T, how many codes in a row, both ends among them; at least 2.
        way: On which they lie.
        y: What the rows depend on, one condition for all or one for each, as `Sampler.sample` takes it.
        y_last: What the last of each row depends on, where that is not y; between them, what the networks get goes from
            one to the other on a straight line.

    Returns:
        The codes ``(N, T, *latent_shape)`` and the items ``(N, T, *data_shape)``.

    Raises:
        ValueError: If codes or conditions do not fit, or the number of steps or the way.
    """
    if way not in WAYS:
        raise ValueError(f"way is {way!r}, but must be one of {', '.join(WAYS)}")
    for codes in (first, last):
        sampler.require_latents(codes)
    if len(first) != len(last):
        raise ValueError(f"there are {len(first)} codes to begin and {len(last)} to end with; give equally many")
    t = torch.linspace(0.0, 1.0, whole_number("steps", steps, 2), dtype=torch.float64)
    beginning = sampler.encoded_condition(len(first), y)
    ending = beginning if y_last is None else sampler.encoded_condition(len(first), y_last)
    conditions = None if beginning is None or ending is None else linear(beginning, ending, t)
    return decoded_rows(sampler, WAYS[way](first, last, t), conditions)


def _with_steps(first: Tensor, last: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Both codes ``(N, 1, D)`` and their places ``(T, 1)``, so that they go together, in double precision."""
    # Some devices have none.
    first, last, t = (values.cpu().double() for values in (first, last, t))
    return first.flatten(1)[:, None], last.flatten(1)[:, None], t[:, None]


def _finished(codes: Tensor, first: Tensor, last: Tensor, t: Tensor) -> Tensor:
    """The codes, with ends that rounding has not touched."""
    return torch.where(t == 0.0, first, torch.where(t == 1.0, last, codes))


def _orthogonal(directions: Tensor) -> Tensor:
    """For each unit vector ``(..., D)`` one that is orthogonal to it; zero where D is 1 and there is none."""
    axis = torch.zeros_like(directions).scatter_(-1, directions.abs().argmin(-1, keepdim=True), 1.0)
    across = axis - (axis * directions).sum(-1, keepdim=True) * directions
    length: Tensor = across.norm(dim=-1, keepdim=True).clamp(min=1e-300)
    return across / length
