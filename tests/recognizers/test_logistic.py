from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from ferbench.recognizers.classical.logistic import Logistic


def clouds(n: int, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    labels = np.arange(n) % n_classes
    centers = random.normal(size=(n_classes, 8)) + 3
    return (centers[labels] + random.normal(size=(n, 8))).astype(np.float32), labels


@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("c", [0.01, 1.0])
def test_probabilities_are_those_of_scikit_learn(n_classes: int, c: float) -> None:
    features, labels = clouds(900, n_classes)
    expected = LogisticRegression(C=c, tol=1e-8, max_iter=2000).fit(features, labels).predict_proba(features)
    decisions = Logistic(c, tol=1e-6).fit(features, labels).decision_function(features)
    if n_classes == 2:
        decisions = np.stack([np.zeros_like(decisions), decisions], axis=1)
    chances = np.exp(decisions - decisions.max(axis=1, keepdims=True))
    np.testing.assert_allclose(chances / chances.sum(axis=1, keepdims=True), expected, atol=5e-3)


def test_a_class_without_rows_is_never_predicted() -> None:
    features, labels = clouds(300, 3)
    model = Logistic().fit(features, labels, classes=np.arange(4))
    assert set(model.predict(features)) == {0, 1, 2}
