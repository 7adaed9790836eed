"""Intervals of means by resampling whole groups, of a difference, of a share of few faces, and what seeds change."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ferbench.errors import DataError
from ferbench.types import Groups

_DRAWN_AT_ONCE = 2_000_000
_Z = 1.959964  # of the normal distribution: 95 % lie between -z and z


class Interval(NamedTuple):
    """A value with the ends of its interval."""

    value: float
    low: float
    high: float


class Spread(NamedTuple):
    """One figure over several seeds; `deviation` is the sample standard deviation, None for one seed."""

    n: int
    mean: float
    deviation: float | None
    low: float
    high: float


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
    means = bootstrap_means(np.asarray(values)[:, None], groups, n_resamples=n_resamples, seed=seed)[:, 0]
    return _ends(means, confidence)


def bootstrap_intervals(
    values: NDArray[np.floating], groups: Groups, *, n_resamples: int = 2000, seed: int = 0
) -> list[Interval]:
    """The means of several columns with their 95 % intervals, each as `bootstrap_interval` has it.

    Args:
        values: (n, k), n at least 1.
        groups: Group id of each row, (n,).
        n_resamples: Resamples drawn, the same for all columns.
        seed: Fixes them.
    """
    means = bootstrap_means(values, groups, n_resamples=n_resamples, seed=seed)
    return [interval_of(float(column.mean()), found) for column, found in zip(values.T, means.T, strict=True)]


def bootstrap_means(
    values: NDArray[np.floating], groups: Groups, *, n_resamples: int = 2000, seed: int = 0
) -> NDArray[np.float64]:
    """Means of several columns over the same resamples of whole groups, so that their differences are paired.

    Args:
        values: (n, k), n at least 1.
        groups: Group id of each row, (n,).
        n_resamples: Resamples drawn.
        seed: Fixes them.

    Returns:
        (n_resamples, k).
    """
    if len(values) != len(groups) or len(values) == 0:
        raise DataError(f"values and groups need as many rows, at least one, got {len(values)} and {len(groups)}.")
    _, group_of_row = np.unique(groups, return_inverse=True)
    sizes = np.bincount(group_of_row).astype(np.float64)
    columns = [np.bincount(group_of_row, weights=column) for column in np.asarray(values, np.float64).T]
    sums = np.column_stack([*columns, sizes])
    rng = np.random.default_rng(seed)
    means = np.empty((n_resamples, values.shape[1]))
    at_once = max(1, _DRAWN_AT_ONCE // len(sizes))
    for start in range(0, n_resamples, at_once):
        rows = min(at_once, n_resamples - start)
        drawn = rng.integers(0, len(sizes), (rows, len(sizes)))
        drawn += np.arange(rows)[:, None] * len(sizes)
        counts = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape)
        totals = counts.astype(np.float64) @ sums
        means[start : start + rows] = totals[:, :-1] / totals[:, -1:]
    return means


def difference_interval(
    first: NDArray[np.floating],
    second: NDArray[np.floating],
    groups: Groups,
    *,
    confidence: float = 0.95,
    n_resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Paired bootstrap interval of mean(first) - mean(second) over whole groups.

    Args:
        first: One value a row, (n,), n at least 1.
        second: Of the same rows in the same order, (n,).
        groups: Group id of each row, (n,).
        confidence: Probability that the interval should cover.
        n_resamples: Resamples drawn.
        seed: Fixes them.
    """
    difference = np.asarray(first, np.float64) - np.asarray(second, np.float64)
    means = bootstrap_means(difference[:, None], groups, n_resamples=n_resamples, seed=seed)[:, 0]
    return interval_of(float(difference.mean()), means, confidence=confidence)


def interval_of(value: float, means: NDArray[np.float64], *, confidence: float = 0.95) -> Interval:
    """A value with the percentile interval of what resamples gave for it.

    Args:
        value: Over all rows.
        means: One value a resample, (n_resamples,).
        confidence: Probability that the interval should cover.
    """
    return Interval(value, *_ends(means, confidence))


def wilson_interval(share: float, n: int) -> Interval:
    """A share with its 95 % interval (Wilson 1927), which is no point where nothing or everything is right.

    Args:
        share: Of independent faces, 0 to 1.
        n: How many there are, at least 1.
    """
    z2 = _Z * _Z
    center = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return Interval(share, max(0.0, center - half), min(1.0, center + half))


def spread(values: list[float]) -> Spread:
    """What seeds change in one figure.

    Args:
        values: One a seed, at least one.
    """
    found = np.asarray(values, np.float64)
    if found.size == 0:
        raise DataError("There is no spread of nothing: values is empty.")
    deviation = float(found.std(ddof=1)) if found.size > 1 else None
    return Spread(found.size, float(found.mean()), deviation, float(found.min()), float(found.max()))


def _ends(means: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return float(low), float(high)
