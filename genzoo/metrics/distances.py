"""Euclidean distances between two sets of features, a few rows at a time, and nearest neighbours."""

from collections.abc import Iterator

import torch
from torch import Tensor

# Entries of a matrix of distances that are in memory at once: 64 MB in double precision.
ENTRIES_AT_ONCE = 2**23

# A squared distance below this share of a row's squared length is computed from the difference of the two rows: as a
# difference of squares it would have lost too many digits.
NEAR = 1e-5

# If more than this share of the distances is that small, all are computed from differences, which is then faster.
MANY = 1 / 40

# A bound on the relative error of `distances`: those that differ by less are equal.
ROUNDING = 1e-9


def distances(left: Tensor, right: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Euclidean distances between two sets, a few rows at a time: 0 between equal rows, and right to ``ROUNDING``.

    Args:
        left: ``(N, D)``.
        right: ``(M, D)``.

    Yields:
        Which rows of ``left``, and their distances, ``(rows, M)``, float64.
    """
    # Distances are differences of squares, which lose fewer digits the shorter the rows are.
    center = right.double().mean(0)
    left, right = left.double() - center, right.double() - center
    left_squared, right_squared = left.square().sum(1), right.square().sum(1)
    rows = max(1, ENTRIES_AT_ONCE // max(1, len(right)))
    pairs_at_once = max(1, ENTRIES_AT_ONCE // max(1, left.shape[1]))
    for start in range(0, len(left), rows):
        chunk = slice(start, min(start + rows, len(left)))
        squared = torch.addmm(right_squared, left[chunk], right.T, alpha=-2.0).add_(left_squared[chunk, None])
        near = squared < NEAR * left_squared[chunk, None]
        if near.count_nonzero() > MANY * near.numel():
            yield chunk, torch.cdist(left[chunk], right, compute_mode="donot_use_mm_for_euclid_dist")
            continue
        for pairs in near.nonzero().split(pairs_at_once):
            i, j = pairs.unbind(1)
            squared[i, j] = (left[start + i] - right[j]).square().sum(1)
        yield chunk, squared.clamp_(min=0.0).sqrt_()


def nearest(left: Tensor, right: Tensor, number: int = 1, same: bool = False) -> tuple[Tensor, Tensor]:
    """The nearest neighbours of each row of one set in another.

    Args:
        left: ``(N, D)``.
        right: ``(M, D)``.
        number: k, how many neighbours.
        same: Whether both are one set; self-matches are then excluded.

    Returns:
        Distances, ``(N, k)``, float64, ascending, and places in ``right``, ``(N, k)``, int64.
    """
    found = []
    for chunk, rows in distances(left, right):
        if same:
            rows[torch.arange(len(rows)), torch.arange(chunk.start, chunk.stop)] = torch.inf
        # The minimum is several times faster than the first of the top k.
        found.append(rows.min(1, keepdim=True) if number == 1 else rows.topk(number, largest=False))
    return torch.cat([values for values, _ in found]), torch.cat([places for _, places in found])
