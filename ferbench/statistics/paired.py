"""Which recognizers differ on the same faces, and which are tied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ferbench.errors import DataError
from ferbench.statistics.intervals import Interval, bootstrap_means
from ferbench.types import Groups

_FEW = 25


class Mcnemar(NamedTuple):
    """McNemar's test of two recognizers on the same faces.

    `only_first` and `only_second` count the faces that one of them alone has right; `p_value` is two-sided.
    """

    only_first: int
    only_second: int
    p_value: float
    is_exact: bool


class PairTest(NamedTuple):
    """Two of several recognizers, by their places in the order given.

    `difference` is the accuracy of the first less that of the second with its paired bootstrap interval over groups;
    `p_adjusted` is McNemar's p after Holm's correction over all pairs; `is_apart` says whether it is below the level
    and, where there are several runs of each, the mean over them differs in the direction of the runs that were tested.
    """

    first: int
    second: int
    difference: Interval
    test: Mcnemar
    p_adjusted: float
    is_apart: bool


def mcnemar(first_right: NDArray[np.bool_], second_right: NDArray[np.bool_]) -> Mcnemar:
    """Test whether two recognizers are right equally often (McNemar 1947).

    Exact (binomial) where fewer than 25 faces are right for one alone, else chi-square with Edwards' continuity
    correction.

    Args:
        first_right: Whether the first is right on each face, (n,).
        second_right: Whether the second is, on the same faces, (n,).
    """
    if first_right.shape != second_right.shape:
        raise DataError(f"Both must be about the same faces, got {first_right.shape} and {second_right.shape}.")
    only_first = int((first_right & ~second_right).sum())
    only_second = int((second_right & ~first_right).sum())
    n = only_first + only_second
    if n < _FEW:
        p_value = min(1.0, 2.0 * float(stats.binom.cdf(min(only_first, only_second), n, 0.5)))
        return Mcnemar(only_first, only_second, p_value, is_exact=True)
    statistic = max(0, abs(only_first - only_second) - 1) ** 2 / n
    return Mcnemar(only_first, only_second, float(stats.chi2.sf(statistic, 1)), is_exact=False)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that the chance of any false finding among all is kept (Holm 1979).

    Returns:
        In the order given.
    """
    found = np.asarray(p_values, np.float64)
    order = np.argsort(found, kind="stable")
    adjusted = np.empty_like(found)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(found[order] * np.arange(len(found), 0, -1)))
    return [float(value) for value in adjusted]


def compare_pairs(
    right: NDArray[np.bool_],
    groups: Groups,
    *,
    shares: NDArray[np.floating] | None = None,
    level: float = 0.05,
    n_resamples: int = 2000,
    seed: int = 0,
) -> list[PairTest]:
    """Compare every two of several recognizers on the same faces.

    Args:
        right: Whether one run of each is right on each face, (n, n_recognizers), n at least 1.
        groups: Group id of each face, (n,).
        shares: Where a recognizer has several runs, the share of them that is right on each face: the differences are
            between these; None: of `right`.
        level: Of significance, over all pairs together.
        n_resamples: Of the bootstrap.
        seed: Of the bootstrap.

    Returns:
        One a pair, in the order of `itertools.combinations`.
    """
    pairs = list(combinations(range(right.shape[1]), 2))
    if not pairs:
        return []
    values = np.asarray(right if shares is None else shares, np.float64)
    means = bootstrap_means(values, groups, n_resamples=n_resamples, seed=seed)
    tests = [mcnemar(right[:, i], right[:, j]) for i, j in pairs]
    found = []
    for (i, j), test, adjusted in zip(pairs, tests, holm([test.p_value for test in tests]), strict=True):
        low, high = np.quantile(means[:, i] - means[:, j], [0.025, 0.975])
        difference = Interval(float(values[:, i].mean() - values[:, j].mean()), float(low), float(high))
        agrees = difference.value * (test.only_first - test.only_second) > 0
        found.append(PairTest(i, j, difference, test, adjusted, adjusted < level and agrees))
    return found


def tie_groups(n: int, apart: Iterable[tuple[int, int]]) -> list[tuple[int, ...]]:
    """The largest groups within which no two are apart (compact letter display, Piepho 2004).

    One may be in several groups: a tie with both neighbors does not make those a tie.

    Args:
        n: How many there are.
        apart: Pairs that are significantly apart.

    Returns:
        Groups of places, each sorted, by their first place. Those without a tie are groups of one.
    """
    groups = [frozenset(range(n))] if n else []
    for first, second in apart:
        split = {group for group in groups if {first, second} <= group}
        parts = {group - {one} for group in split for one in (first, second)}
        kept = set(groups) - split | parts
        groups = [group for group in kept if not any(group < other for other in kept)]
    return sorted(tuple(sorted(group)) for group in groups)


def rank_ranges(order: Sequence[float], apart: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """From which to which rank each could be: those apart from it and better stand before it, those worse behind.

    Args:
        order: A figure each, the higher the better.
        apart: Pairs that are significantly apart.
    """
    better, worse = [0] * len(order), [0] * len(order)
    for first, second in apart:
        upper, lower = (first, second) if order[first] >= order[second] else (second, first)
        better[lower] += 1
        worse[upper] += 1
    return [(1 + better[i], len(order) - worse[i]) for i in range(len(order))]
