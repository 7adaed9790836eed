from __future__ import annotations

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from ferbench.recognizers.classical.linear_svm import LinearSvm


def clouds(n: int, n_classes: int, n_features: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping normal clouds, off the origin as histograms are."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % n_classes
    centers = random.normal(size=(n_classes, n_features)) + 3
    return (centers[labels] + random.normal(size=(n, n_features))).astype(np.float32), labels


@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("c", [0.01, 1.0])
def test_decisions_equal_linear_svc_without_a_penalty_on_its_intercept(n_classes: int, c: float) -> None:
    features, labels = clouds(1200, n_classes)
    liblinear = LinearSVC(loss="squared_hinge", dual=False, C=c, intercept_scaling=1000, tol=1e-8, max_iter=10_000)
    expected = liblinear.fit(features, labels).decision_function(features)
    svm = LinearSvm(c, tol=1e-6).fit(features, labels)
    np.testing.assert_allclose(svm.decision_function(features), expected, atol=5e-3)
    assert np.mean(svm.predict(features) == liblinear.predict(features)) > 0.995


def test_predict_gives_labels_back_when_they_are_names() -> None:
    features, labels = clouds(90, 3)
    names = np.array(["sad", "happy", "calm"])[labels]
    svm = LinearSvm().fit(features, names)
    assert svm.classes_.tolist() == ["calm", "happy", "sad"]
    assert svm.score(features, names) > 0.9


def test_warm_start_reaches_the_same_solution_in_fewer_steps() -> None:
    features, labels = clouds(600, 4)
    cold = LinearSvm(0.12, tol=1e-6).fit(features, labels)
    warm = LinearSvm(0.1, tol=1e-6, warm_start=True).fit(features, labels)
    warm.set_params(c=0.12).fit(features, labels)
    np.testing.assert_allclose(warm.coef_, cold.coef_, atol=1e-3)
    assert warm.n_iter_ < cold.n_iter_


def test_warm_start_starts_afresh_when_the_classes_or_features_differ() -> None:
    features, labels = clouds(200, 4)
    svm = LinearSvm(warm_start=True).fit(features, labels)
    again = svm.fit(features[:, :5], labels % 3)
    np.testing.assert_array_equal(again.coef_, LinearSvm().fit(features[:, :5], labels % 3).coef_)


def test_a_class_without_rows_is_never_chosen() -> None:
    features, labels = clouds(300, 3)
    svm = LinearSvm().fit(features, labels * 2, classes=np.arange(5))
    assert svm.coef_.shape == (5, 12)
    assert svm.decision_function(features)[:, [1, 3]].max() < -0.999
    assert set(svm.predict(features)) == {0, 2, 4}


def test_fit_gives_the_same_solution_twice_and_in_float32() -> None:
    features, labels = clouds(300, 3)
    first, second = LinearSvm().fit(features, labels), LinearSvm().fit(features, labels)
    np.testing.assert_array_equal(first.coef_, second.coef_)
    assert first.coef_.dtype == first.intercept_.dtype == np.float32


def test_fit_refuses_one_class_foreign_labels_and_wrong_shapes() -> None:
    features, labels = clouds(30, 3)
    with pytest.raises(ValueError, match="two or more classes"):
        LinearSvm().fit(features, np.zeros(30))
    with pytest.raises(ValueError, match="two or more classes"):
        LinearSvm().fit(features, labels, classes=[0, 1])
    with pytest.raises(ValueError, match="labels \\(n,\\)"):
        LinearSvm().fit(features, labels[1:])


def test_rows_kept_as_int8_are_learnt_like_floats() -> None:
    random = np.random.default_rng(0)
    kept = random.integers(-127, 128, (300, 20)).astype(np.int8)
    labels = random.integers(0, 3, 300)
    small = LinearSvm(0.3).fit(kept, labels, unit=0.01)
    large = LinearSvm(0.3).fit(kept * np.float32(0.01), labels)
    np.testing.assert_allclose(small.coef_, large.coef_, atol=2e-3)
    np.testing.assert_allclose(small.intercept_, large.intercept_, atol=2e-3)


def test_the_number_of_threads_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    features, labels = random.normal(size=(2000, 12)).astype(np.float32), random.integers(0, 3, 2000)
    fits = []
    for threads in (1, 3):
        monkeypatch.setattr("ferbench.recognizers.classical.linear_svm._THREADS", threads)
        fits.append(LinearSvm(0.1).fit(features, labels).coef_)
    np.testing.assert_array_equal(*fits)


def test_a_fit_tells_how_far_it_is_and_is_the_same_for_it() -> None:
    features, labels = clouds(600, 4)
    shares: list[float] = []
    told = LinearSvm(0.1, tol=1e-6).fit(features, labels, on_share=shares.append)
    np.testing.assert_array_equal(told.coef_, LinearSvm(0.1, tol=1e-6).fit(features, labels).coef_)
    assert shares == sorted(shares) and 0 <= shares[0] < 0.5 and shares[-1] == 1
    assert len(set(shares)) > 5


@pytest.mark.parametrize("tol", [1e-6, 10.0])
def test_a_fit_with_little_to_do_tells_its_end(tol: float) -> None:
    features, labels = clouds(60, 3)
    shares: list[float] = []
    svm = LinearSvm(0.1, tol=tol, warm_start=True).fit(features, labels)
    svm.fit(features, labels, on_share=shares.append)
    assert shares[-1] == 1 and min(shares) >= 0
