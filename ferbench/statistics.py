"""How sure a number is. Pure functions over arrays; no recognizer, file or clock is known here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ferbench.types import Groups


def bootstrap_interval(
    values: NDArray[np.floating],
    groups: Groups,
    *,
    confidence: float = 0.95,
    n_resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of a mean whose rows are not all independent (Efron and Tibshirani 1993).

    Whole groups are drawn with replacement: identical pictures, or pictures of one person, count once.

    Args:
        values: One value a row, (n,); for an accuracy, 1.0 where right and 0.0 where wrong.
        groups: Group id of each row, (n,).
        confidence: Probability that the interval should cover.
        n_resamples: Resamples drawn.
        seed: Fixes them.

    Returns:
        (low, high); (nan, nan) for no rows.
    """
    if len(values) == 0:
        return float("nan"), float("nan")
    _, group_of_row = np.unique(groups, return_inverse=True)
    sums = np.bincount(group_of_row, weights=values)
    sizes = np.bincount(group_of_row).astype(np.float64)
    rng = np.random.default_rng(seed)
    means = np.empty(n_resamples)
    for index in range(n_resamples):
        drawn = rng.integers(0, len(sums), len(sums))
        means[index] = sums[drawn].sum() / sizes[drawn].sum()
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return float(low), float(high)
