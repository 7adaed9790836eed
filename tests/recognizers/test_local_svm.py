from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier

from ferbench.recognizers.classical.local_svm import LocalSvm


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    features = random.normal(size=(60, 8)).astype(np.float32)
    return features / np.linalg.norm(features, axis=1, keepdims=True), random.integers(0, 3, 60)


def test_with_all_rows_as_neighbors_it_is_ridge_regression_on_the_signs(rows: tuple[np.ndarray, np.ndarray]) -> None:
    features, labels = rows
    decisions = LocalSvm(c=2.0, neighbors=60).fit(features, labels).decision_function(features[:5])
    signs = np.where(labels[:, None] == np.arange(3), 1.0, -1.0)
    np.testing.assert_allclose(decisions, Ridge(alpha=1 / 2.0).fit(features, signs).predict(features[:5]), atol=1e-4)


def test_with_one_neighbor_it_is_the_nearest_neighbor(rows: tuple[np.ndarray, np.ndarray]) -> None:
    features, labels = rows
    queries = np.random.default_rng(1).normal(size=(20, 8)).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    nearest = KNeighborsClassifier(1).fit(features, labels).predict(queries)
    np.testing.assert_array_equal(LocalSvm(neighbors=1).fit(features, labels).predict(queries), nearest)


def test_rows_kept_as_int8_decide_like_floats(rows: tuple[np.ndarray, np.ndarray]) -> None:
    features, labels = rows
    kept = np.rint(features * 127).astype(np.int8)
    small = LocalSvm(neighbors=30).fit(kept, labels, unit=1 / 127)
    large = LocalSvm(neighbors=30).fit(kept.astype(np.float32) / 127, labels)
    np.testing.assert_allclose(small.decision_function(features), large.decision_function(features), atol=1e-4)


def test_one_by_one_equals_batch(rows: tuple[np.ndarray, np.ndarray]) -> None:
    features, labels = rows
    local = LocalSvm(neighbors=10).fit(features, labels)
    one_by_one = np.concatenate([local.decision_function(features[row : row + 1]) for row in range(len(features))])
    np.testing.assert_allclose(local.decision_function(features), one_by_one, atol=1e-4)


def test_two_classes_have_one_column_and_an_absent_class_is_never_chosen(rows: tuple[np.ndarray, np.ndarray]) -> None:
    features, labels = rows
    two = LocalSvm(neighbors=10).fit(features, labels % 2)
    assert two.decision_function(features).shape == (60,)
    assert set(two.predict(features)) == {0, 1}
    absent = LocalSvm(neighbors=10).fit(features, labels % 2, np.arange(3))
    assert set(absent.predict(features)) <= {0, 1}


def test_it_tells_how_many_rows_it_has_decided(rows: tuple[np.ndarray, np.ndarray]) -> None:
    features, labels = rows
    shares: list[float] = []
    LocalSvm(neighbors=10).fit(features, labels).predict(features[:4], on_share=shares.append)
    assert shares == [0, 0.25, 0.5, 0.75]
