from __future__ import annotations

import numpy as np
import pytest
from sklearn.svm import SVC

from ferbench.errors import DataError
from ferbench.recognizers.classical.kernel_svm import KernelSvm


def clouds(n: int, n_classes: int, n_features: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Normal clouds that overlap so much that many labels are close calls."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, n_classes, n)
    centers = np.random.default_rng(99).normal(size=(n_classes, n_features)) * 0.7
    return (centers[labels] + random.normal(size=(n, n_features))).astype(np.float32), labels


@pytest.mark.parametrize("n_classes", [2, 3, 7])
@pytest.mark.parametrize(("c", "gamma"), [(1.0, 0.05), (100.0, 0.3)])
def test_labels_are_those_of_libsvm(n_classes: int, c: float, gamma: float) -> None:
    features, labels = clouds(500, n_classes)
    asked, _ = clouds(4000, n_classes, seed=1)
    expected = SVC(C=c, gamma=gamma).fit(features, labels).predict(asked)
    np.testing.assert_array_equal(KernelSvm(c, gamma=gamma).fit(features, labels).predict(asked), expected)


def test_broken_ties_and_decisions_are_those_of_scikit_learn() -> None:
    features, labels = clouds(400, 7)
    asked, _ = clouds(2000, 7, seed=1)
    theirs = SVC(gamma=0.05, break_ties=True).fit(features, labels)
    ours = KernelSvm(gamma=0.05, break_ties=True).fit(features, labels)
    np.testing.assert_array_equal(ours.predict(asked), theirs.predict(asked))
    decisions = ours.decision_function(asked)
    assert decisions.dtype == np.float32
    np.testing.assert_allclose(decisions, theirs.decision_function(asked), atol=1e-5)


@pytest.mark.parametrize("n_classes", [2, 5])
def test_decisions_of_pairs_are_those_of_libsvm(n_classes: int) -> None:
    features, labels = clouds(400, n_classes)
    expected = SVC(gamma=0.05, decision_function_shape="ovo").fit(features, labels).decision_function(features)
    pairs = KernelSvm(gamma=0.05).fit(features, labels).pair_decisions(features)
    np.testing.assert_allclose(pairs, -expected[:, None] if n_classes == 2 else expected, atol=1e-5)


@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_pairs_solved_one_after_the_other_are_libsvms_solution(n_classes: int) -> None:
    features, labels = clouds(400, n_classes)
    shares: list[float] = []
    ours = KernelSvm(gamma=0.05).fit(features, labels, on_share=shares.append)
    theirs = SVC(gamma=0.05).fit(features, labels)
    sign = -1 if n_classes == 2 else 1  # scikit-learn turns two classes around
    np.testing.assert_array_equal(ours.dual_coef_, sign * theirs.dual_coef_)
    np.testing.assert_array_equal(ours.intercept_, sign * theirs.intercept_)
    np.testing.assert_array_equal(ours.support_vectors_, theirs.support_vectors_)
    np.testing.assert_array_equal(ours.n_support_, theirs.n_support_)
    n_pairs = n_classes * (n_classes - 1) // 2
    np.testing.assert_allclose(shares, np.arange(n_pairs + 1) / n_pairs)


def test_two_classes_have_one_decision() -> None:
    features, labels = clouds(200, 2)
    expected = SVC(gamma=0.05).fit(features, labels).decision_function(features)
    np.testing.assert_allclose(
        KernelSvm(gamma=0.05).fit(features, labels).decision_function(features), expected, atol=1e-5
    )


def test_decisions_that_rounding_could_turn_around_are_those_of_float64() -> None:
    features, labels = clouds(300, 2, n_features=3)
    features += 300  # far from the origin, float32 distances have hardly a digit left
    theirs = SVC(gamma=0.5).fit(features, labels)
    asked = features + np.random.default_rng(0).normal(size=features.shape).astype(np.float32) * 0.2
    np.testing.assert_array_equal(KernelSvm(gamma=0.5).fit(features, labels).predict(asked), theirs.predict(asked))


def test_rows_are_decided_one_by_one_as_in_company() -> None:
    features, labels = clouds(300, 4)
    svm = KernelSvm(gamma=0.05).fit(features, labels)
    alone = np.concatenate([svm.decision_function(row[None]) for row in features[:50]])
    np.testing.assert_allclose(alone, svm.decision_function(features)[:50], atol=1e-5)


def test_a_class_without_rows_is_never_predicted() -> None:
    features, labels = clouds(300, 3)
    svm = KernelSvm(gamma=0.05, break_ties=True).fit(features, labels * 2, classes=np.arange(6))
    expected = SVC(gamma=0.05, break_ties=True).fit(features, labels * 2).predict(features)
    np.testing.assert_array_equal(svm.predict(features), expected)
    decisions = svm.decision_function(features)
    assert decisions.shape == (300, 6) and (decisions[:, 1::2] == -1).all()


def test_rows_of_one_class_are_refused() -> None:
    features, _ = clouds(20, 2)
    with pytest.raises(DataError, match="two classes or more"):
        KernelSvm().fit(features, np.zeros(20, np.int64), classes=np.arange(2))


def test_int8_features_are_worth_their_unit() -> None:
    features, labels = clouds(200, 3)
    multiples = np.rint(features * 20).clip(-127, 127).astype(np.int8)
    svm = KernelSvm(gamma=0.05).fit(multiples, labels, unit=0.05)
    worth = multiples.astype(np.float32) * np.float32(0.05)
    np.testing.assert_array_equal(svm.predict(worth), SVC(gamma=0.05).fit(worth, labels).predict(worth))
