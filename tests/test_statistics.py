import numpy as np
import pytest

from ferbench.statistics import bootstrap_interval


def test_interval_of_independent_rows_agrees_with_the_normal_approximation() -> None:
    values = np.random.default_rng(0).binomial(1, 0.6, 2000).astype(float)
    low, high = bootstrap_interval(values, np.arange(2000))
    half_width = 1.96 * np.sqrt(values.mean() * (1 - values.mean()) / 2000)
    assert low == pytest.approx(values.mean() - half_width, abs=0.003)
    assert high == pytest.approx(values.mean() + half_width, abs=0.003)


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(200):
        sizes = rng.integers(1, 4, 150)
        groups = np.repeat(np.arange(150), sizes)
        values = rng.binomial(1, 0.6, 150).astype(float)[groups]
        low, high = bootstrap_interval(values, groups, n_resamples=400)
        hits += low <= 0.6 <= high
    assert 0.89 <= hits / 200 <= 0.99


def test_same_seed_same_interval_and_ids_do_not_matter() -> None:
    values = np.random.default_rng(2).random(50)
    groups = np.arange(50) // 2
    assert bootstrap_interval(values, groups) == bootstrap_interval(values, groups * 1000 + 7)


def test_no_rows_give_no_interval() -> None:
    assert all(np.isnan(bootstrap_interval(np.empty(0), np.empty(0, np.int64))))
