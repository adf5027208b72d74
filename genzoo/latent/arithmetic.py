"""Arithmetic with concepts: sums and differences of the mean codes of samples that show them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from genzoo.noise import BatchNoise, Stream

# Of the picture in the paper: three by three, of which the middle one has no noise.
NEIGHBOURS, MIDDLE = 9, 4


@dataclass(frozen=True)
class Term:
    """A concept that is added or taken away.

    Args:
        sign: 1 or -1.
        concept: Its name.
    """

    sign: int
    concept: str


def terms_of(expression: str) -> list[Term]:
    """Reads sums and differences of concepts, such as ``Sandal - Sneaker + Ankle boot``.

    Signs stand between spaces, and one may stand in front of all: names may hold spaces, hyphens and slashes.

    Args:
        expression: The text.

    Raises:
        ValueError: If there is no concept, or none beside a sign.

    Example:
        >>> from genzoo.latent.arithmetic import terms_of
        >>> terms_of("Ankle boot - T-shirt/top")
        [Term(sign=1, concept='Ankle boot'), Term(sign=-1, concept='T-shirt/top')]
    """
    text = expression.strip()
    # Without a sign in front, that of the first concept is a plus.
    parts = re.split(r"(?:^|\s+)([+-])(?=\s|$)", text if text[:2] in ("+ ", "- ") else f"+ {text}")[1:]
    terms = [Term(1 if sign == "+" else -1, name.strip()) for sign, name in zip(parts[::2], parts[1::2], strict=True)]
    if not all(term.concept for term in terms):
        raise ValueError(
            f"'{expression}' lacks a concept; write sums and differences as 'Sandal - Sneaker + Ankle boot', with "
            "spaces around the signs"
        )
    return terms


def combined(terms: Sequence[Term], codes: Sequence[Tensor]) -> Tensor:
    r"""The sum of the mean codes of concepts, with their signs.

    .. math:: \sum_t s_t \tfrac{1}{K_t} \sum_k z_{tk}

    Args:
        terms: T concepts and their signs.
        codes: Of samples that show each of them, T times ``(K_t, *latent_shape)``.

    Returns:
        ``(*latent_shape)``.

    Source: Radford et al. 2016, "Unsupervised representation learning with deep convolutional generative adversarial
    networks", section 6.3.2, with three samples per concept: single ones were found unstable. Of independent draws from
    a prior of mean 0, a - b + c of three samples each has exactly the variance of one draw.
    """
    return torch.stack([term.sign * each.mean(0) for term, each in zip(terms, codes, strict=True)]).sum(0)


def surrounded(code: Tensor, scale: float = 0.25, seed: int = 0) -> Tensor:
    """A code in the middle of eight others, to which uniform noise on [-scale, scale) is added.

    Args:
        code: ``(*latent_shape)``.
        scale: Of the noise; 0.25 in the paper, see `combined`.
        seed: Of the noise.

    Returns:
        ``(9, *latent_shape)``, the code itself at place 4.
    """
    noise = BatchNoise("cpu", seed, Stream.SURROUNDING).uniform(NEIGHBOURS, *code.shape)
    moves = scale * (2.0 * noise - 1.0)
    moves[MIDDLE] = 0.0
    return code + moves.to(code)
