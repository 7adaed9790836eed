import itertools
import math

import numpy as np
import pytest
from scipy import stats
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss
from statsmodels.stats import contingency_tables
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from ferbench import metrics
from ferbench.errors import DataError
from ferbench.statistics import bootstrap_interval
from ferbench.statistics.calibration import calibration_error, fit_temperature, reliability, with_temperature
from ferbench.statistics.intervals import (
    bootstrap_intervals,
    bootstrap_means,
    difference_interval,
    spread,
    wilson_interval,
)
from ferbench.statistics.paired import compare_pairs, holm, mcnemar, rank_ranges, tie_groups
from ferbench.statistics.taggers import human_agreement, vote_scores


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


def test_interval_of_a_difference_covers_the_truth_where_rows_as_independent_would_not() -> None:
    rng = np.random.default_rng(2)
    hits = naive = 0
    for _ in range(100):
        groups = np.repeat(np.arange(80), rng.integers(1, 7, 80))
        first, second = rng.binomial(1, 0.7, 80)[groups], rng.binomial(1, 0.6, 80)[groups]
        found = difference_interval(first, second, groups, n_resamples=300)
        hits += found.low <= 0.1 <= found.high
        alone = difference_interval(first, second, np.arange(len(groups)), n_resamples=300)
        naive += alone.low <= 0.1 <= alone.high
    assert 0.89 <= hits / 100 <= 1.0
    assert naive < hits - 10


def test_difference_agrees_with_scipy() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.binomial(1, 0.6, 400), rng.binomial(1, 0.5, 400)
    found = difference_interval(first, second, np.arange(400))
    theirs = stats.bootstrap(
        (first, second),
        lambda a, b, axis: a.mean(axis=axis) - b.mean(axis=axis),
        paired=True,
        method="percentile",
        n_resamples=2000,
        rng=np.random.default_rng(0),
    ).confidence_interval
    assert found.value == pytest.approx(first.mean() - second.mean())
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.008)


def test_same_seed_same_interval_and_ids_do_not_matter() -> None:
    values = np.random.default_rng(2).random(50)
    groups = np.arange(50) // 2
    assert bootstrap_interval(values, groups) == bootstrap_interval(values, groups * 1000 + 7)


def test_intervals_of_columns_are_those_of_each_by_itself() -> None:
    values, groups = np.random.default_rng(8).integers(0, 2, (60, 3)).astype(float), np.arange(60) // 2
    found = bootstrap_intervals(values, groups)
    assert [one.value for one in found] == pytest.approx(values.mean(axis=0))
    assert [(one.low, one.high) for one in found] == [bootstrap_interval(column, groups) for column in values.T]


def test_no_rows_give_no_interval() -> None:
    assert all(np.isnan(bootstrap_interval(np.empty(0), np.empty(0, np.int64))))
    with pytest.raises(DataError, match="at least one"):
        bootstrap_means(np.empty((0, 2)), np.empty(0, np.int64))


def test_columns_are_resampled_together() -> None:
    values = np.random.default_rng(4).random(60)
    means = bootstrap_means(np.column_stack([values, values + 0.25]), np.arange(60) // 3, n_resamples=300)
    np.testing.assert_allclose(means[:, 1] - means[:, 0], 0.25)


def test_spread_is_the_sample_standard_deviation_and_unknown_for_one_seed() -> None:
    found = spread([0.5, 0.6, 0.7])
    assert (found.n, found.mean, found.low, found.high) == (3, pytest.approx(0.6), 0.5, 0.7)
    assert found.deviation == pytest.approx(stats.tstd([0.5, 0.6, 0.7]))
    assert spread([0.5]).deviation is None
    with pytest.raises(DataError, match="empty"):
        spread([])


def alone(only_first: int, only_second: int, both: int = 10) -> tuple[np.ndarray, np.ndarray]:
    first = np.array([True] * only_first + [False] * only_second + [True] * both)
    second = np.array([False] * only_first + [True] * only_second + [True] * both)
    return first, second


@pytest.mark.parametrize("is_exact", [True, False])
def test_mcnemar_agrees_with_statsmodels(is_exact: bool) -> None:
    rng = np.random.default_rng(4)
    sums = rng.integers(0, 25, 40) if is_exact else rng.integers(25, 900, 40)
    for n, share in zip(sums, rng.random(40), strict=True):
        only_first = int(rng.binomial(n, share))
        only_second = int(n - only_first)
        if not is_exact and only_first == only_second:
            continue  # theirs corrects a difference of 0 as well, to -1
        found = mcnemar(*alone(only_first, only_second))
        theirs = contingency_tables.mcnemar([[10, only_first], [only_second, 0]], exact=is_exact, correction=True)
        assert found.is_exact == is_exact and (found.only_first, found.only_second) == (only_first, only_second)
        assert found.p_value == pytest.approx(theirs.pvalue)


def test_mcnemar_of_recognizers_that_agree_finds_nothing() -> None:
    assert mcnemar(*alone(0, 0)).p_value == 1.0
    assert mcnemar(*alone(50, 50)).p_value == 1.0


def test_mcnemar_refuses_other_faces() -> None:
    with pytest.raises(DataError, match="same faces"):
        mcnemar(np.ones(3, bool), np.ones(4, bool))


def test_mcnemar_finds_a_difference_that_is_not_there_as_rarely_as_it_says() -> None:
    rng = np.random.default_rng(5)
    found = [mcnemar(*(rng.random((2, 300)) < 0.6)).p_value < 0.05 for _ in range(300)]
    assert np.mean(found) < 0.08


def test_holm_agrees_with_statsmodels() -> None:
    rng = np.random.default_rng(6)
    drawn = [rng.random(n) ** 4 for n in (1, 2, 40, 190)]
    for p_values in (*drawn, np.round(drawn[2], 1), np.zeros(3), np.ones(3)):
        rejected, adjusted, *_ = multipletests(p_values, alpha=0.05, method="holm")
        found = holm(p_values.tolist())
        assert found == pytest.approx(adjusted.tolist())
        assert [p <= 0.05 for p in found] == rejected.tolist()


def test_holm_of_nothing_is_nothing() -> None:
    assert holm([]) == []


def test_wilson_agrees_with_statsmodels() -> None:
    rng = np.random.default_rng(7)
    sizes = rng.integers(1, 4000, 50)
    for right, n in [(0, 55), (55, 55), (0, 1), (1, 1), *zip(rng.binomial(sizes, rng.random(50)), sizes, strict=True)]:
        found = wilson_interval(right / n, n)
        assert (found.low, found.high) == pytest.approx(proportion_confint(right, n, method="wilson"), abs=1e-7)


def test_pairs_are_corrected_together_and_tell_who_is_apart() -> None:
    rng = np.random.default_rng(7)
    right = np.column_stack([rng.random(600) < share for share in (0.8, 0.79, 0.5)])
    found = compare_pairs(right, np.arange(600), n_resamples=300)
    assert [(pair.first, pair.second) for pair in found] == [(0, 1), (0, 2), (1, 2)]
    assert [pair.is_apart for pair in found] == [False, True, True]
    assert all(pair.p_adjusted >= pair.test.p_value for pair in found)
    for pair in found:
        assert pair.difference.low <= pair.difference.value <= pair.difference.high
        assert (pair.difference.low <= 0 <= pair.difference.high) != pair.is_apart


def test_runs_that_differ_the_other_way_than_their_means_are_not_apart() -> None:
    right = np.column_stack([np.arange(400) < 300, np.arange(400) < 200])
    assert compare_pairs(right, np.arange(400), n_resamples=50)[0].is_apart
    shares = np.column_stack([right[:, 0] * 0.6, right[:, 1] * 1.0])
    (found,) = compare_pairs(right, np.arange(400), shares=shares, n_resamples=50)
    assert found.test.only_first > found.test.only_second and found.difference.value < 0 and not found.is_apart


def test_difference_is_between_means_over_seeds_where_there_are_some() -> None:
    right = np.array([[True, False], [True, False], [False, True], [True, True]])
    shares = np.array([[0.5, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    (found,) = compare_pairs(right, np.arange(4), shares=shares, n_resamples=50)
    assert found.difference.value == pytest.approx(0.625 - 0.5)
    assert (found.test.only_first, found.test.only_second) == (2, 1)


def test_one_recognizer_has_no_pairs() -> None:
    assert compare_pairs(np.ones((5, 1), bool), np.arange(5)) == []


@pytest.mark.parametrize(
    ("n", "apart", "groups"),
    [
        (3, [], [(0, 1, 2)]),
        (3, [(0, 2)], [(0, 1), (1, 2)]),
        (3, [(0, 1), (0, 2), (1, 2)], [(0,), (1,), (2,)]),
        (4, [(0, 2), (0, 3), (1, 3)], [(0, 1), (1, 2), (2, 3)]),
        (0, [], []),
    ],
)
def test_ties_are_the_largest_groups_without_a_difference(
    n: int, apart: list[tuple[int, int]], groups: list[tuple[int, ...]]
) -> None:
    assert tie_groups(n, apart) == groups


def test_ties_of_any_pattern_are_all_maximal_cliques() -> None:
    rng = np.random.default_rng(8)
    for _ in range(20):
        apart = {pair for pair in itertools.combinations(range(7), 2) if rng.random() < 0.4}
        together = [
            set(part)
            for size in range(1, 8)
            for part in itertools.combinations(range(7), size)
            if not any(pair in apart for pair in itertools.combinations(part, 2))
        ]
        maximal = [part for part in together if not any(part < other for other in together)]
        assert [set(group) for group in tie_groups(7, apart)] == sorted(maximal, key=sorted)


def test_ranks_span_the_ties() -> None:
    assert rank_ranges([0.9, 0.5, 0.89], [(0, 1), (1, 2)]) == [(1, 2), (3, 3), (1, 2)]


def probabilities(n: int, seed: int, sharpness: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Labels that come as often as the probabilities say, if sharpness is 1."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, 4)) * 1.5
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (true.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    stated = true**sharpness
    return labels, (stated / stated.sum(axis=1, keepdims=True)).astype(np.float32)


def test_reliability_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(9)
    confidence = rng.random(500)
    right = (rng.random(500) < confidence).astype(float)
    ours = reliability(right, confidence, n_bins=10)
    shares, means = calibration_curve(right, confidence, n_bins=10)
    np.testing.assert_allclose([one.right for one in ours], shares)
    np.testing.assert_allclose([one.confidence for one in ours], means)
    assert calibration_error(ours) == pytest.approx(metrics.calibration_error(right, confidence, n_bins=10))


def test_bins_of_equal_mass_hold_equally_many() -> None:
    right, confidence = np.ones(103), np.random.default_rng(10).random(103) ** 5
    bins = reliability(right, confidence, n_bins=10, binning="mass")
    assert {one.n for one in bins} == {10, 11}
    assert [one.confidence for one in bins] == sorted(one.confidence for one in bins)
    shares, _ = calibration_curve(np.r_[right[:-1], 0], confidence, n_bins=10, strategy="quantile")
    assert len(bins) == len(shares)


def test_no_faces_have_no_calibration_error() -> None:
    assert math.isnan(calibration_error(reliability(np.empty(0), np.empty(0))))


def test_temperature_finds_how_much_too_sure_a_recognizer_is() -> None:
    labels, stated = probabilities(6000, 11, sharpness=2.5)
    temperature = fit_temperature(labels, stated)
    assert temperature == pytest.approx(2.5, rel=0.06)
    scaled = with_temperature(stated, temperature)
    assert metrics.log_loss(labels, scaled) < metrics.log_loss(labels, stated)
    np.testing.assert_array_equal(scaled.argmax(axis=1), stated.argmax(axis=1))
    np.testing.assert_allclose(scaled.sum(axis=1), 1, atol=1e-6)


def test_temperature_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(12)
    features, labels = rng.normal(size=(900, 5)), rng.integers(0, 3, 900)
    features[np.arange(900), labels] += 1.0
    sure = LogisticRegression(C=100.0).fit(features[:60], labels[:60])
    theirs = CalibratedClassifierCV(FrozenEstimator(sure), method="temperature").fit(features[60:], labels[60:])
    ours = with_temperature(
        sure.predict_proba(features), fit_temperature(labels[60:], sure.predict_proba(features[60:]))
    )
    np.testing.assert_allclose(ours, theirs.predict_proba(features), atol=2e-3)


def test_votes_of_one_mind_score_as_hard_labels() -> None:
    labels, stated = probabilities(300, 13)
    votes = np.eye(4, dtype=np.uint8)[labels] * 10
    found = vote_scores(votes, stated)
    assert found.log_loss == pytest.approx(log_loss(labels, stated), rel=1e-5)
    assert found.brier == pytest.approx(metrics.brier(labels, stated))
    assert found.agreement == pytest.approx((stated.argmax(axis=1) == labels).mean())
    assert found.entropy == pytest.approx(0, abs=1e-9)


def test_brier_of_two_classes_is_twice_scikit_learns() -> None:
    votes = np.array([[10, 0], [0, 10], [0, 10]])
    stated = np.array([[0.8, 0.2], [0.4, 0.6], [0.1, 0.9]], np.float32)
    assert vote_scores(votes, stated).brier == pytest.approx(2 * brier_score_loss([0, 1, 1], stated[:, 1]))


def test_who_knows_the_shares_reaches_the_entropy() -> None:
    votes = np.array([[7, 3, 0], [5, 5, 0], [2, 4, 4]])
    shares = (votes / 10).astype(np.float32)
    found = vote_scores(votes, shares)
    assert found.log_loss == pytest.approx(found.entropy, abs=1e-6)
    assert found.entropy == pytest.approx(np.mean([stats.entropy(row) for row in votes]), abs=1e-5)
    assert found.brier == pytest.approx(0, abs=1e-12)


def test_faces_without_a_vote_are_left_out() -> None:
    votes = np.array([[3, 1], [0, 0]])
    assert vote_scores(votes, np.full((2, 2), 0.5, np.float32)).n == 1
    with pytest.raises(DataError, match="no face has a vote"):
        vote_scores(np.zeros((2, 2)), np.full((2, 2), 0.5, np.float32))


def test_human_agreement_agrees_with_counting_the_taggers() -> None:
    votes = np.random.default_rng(14).multinomial(10, [0.6, 0.3, 0.1], 20)
    found = human_agreement(votes)
    pairs, rest = [], []
    for counts in votes:
        answers = np.repeat(np.arange(3), counts)
        pairs.append(np.mean([a == b for a, b in itertools.permutations(answers, 2)]))
        for tagger in range(10):
            others = np.bincount(np.delete(answers, tagger), minlength=3)
            top = np.flatnonzero(others == others.max())
            rest.append((answers[tagger] in top) / len(top))
    assert found.pairwise == pytest.approx(np.mean(pairs))
    assert found.against_rest == pytest.approx(np.mean(rest))
    assert found.best_answer == pytest.approx(np.mean(votes.max(axis=1) / 10))
    assert found.pairwise < found.best_answer


def test_agreement_needs_two_votes() -> None:
    with pytest.raises(DataError, match="two votes"):
        human_agreement(np.eye(3, dtype=np.uint8))
