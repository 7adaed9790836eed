"""Which found face is which labelled one: by how much their rectangles overlap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ferbench.types import Boxes


def overlaps(one: Boxes, other: Boxes) -> NDArray[np.float32]:
    """Intersection over union of every pair of boxes, float32 (n, m); 0 where a box is empty."""
    a, b = one.astype(np.int64)[:, None], other.astype(np.int64)[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = np.maximum(sides, 0).prod(axis=2)
    union = (a[..., 2:] - a[..., :2]).prod(axis=2) + (b[..., 2:] - b[..., :2]).prod(axis=2) - shared
    return np.asarray(shared / np.maximum(union, 1), dtype=np.float32)


def match(found: Boxes, true: Boxes, threshold: float = 0.3) -> NDArray[np.int64]:
    """Pairs found boxes with true ones, each at most once, the pairs that overlap most first.

    Args:
        found: int32, (n, 4).
        true: int32, (m, 4).
        threshold: Intersection over union from which on two boxes may be a pair.

    Returns:
        int64, (n,): the index of each found box's true one, -1 where it has none.
    """
    scores = overlaps(found, true)
    partner = np.full(len(found), -1, np.int64)
    is_taken = np.zeros(len(true), np.bool_)
    for pair in np.argsort(-scores, axis=None, kind="stable"):
        row, column = divmod(int(pair), len(true))
        if scores[row, column] < threshold:
            break
        if partner[row] < 0 and not is_taken[column]:
            partner[row] = column
            is_taken[column] = True
    return partner
