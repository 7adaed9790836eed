"""Multinomial logistic regression for many rows of dense float32 features. It knows nothing of images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ferbench.recognizers.classical.linear_svm import LinearSvm


class Logistic(LinearSvm):
    """Softmax regression with the fit of `LinearSvm` and cross-entropy in place of its loss.

    Minimizes ``|w|^2 / 2 + c * sum(-log p(class))``: the objective of scikit-learn's ``LogisticRegression(C=c)``.
    Arguments and attributes are those of `LinearSvm`; decisions are log-odds for two classes, and otherwise
    log-probabilities but for a constant in each row.
    """

    def _loss(self, decisions: NDArray[np.float32], signs: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
        if decisions.shape[1] == 1:
            margins = signs * decisions
            loss = float(np.logaddexp(0, -margins).sum(dtype=np.float64))
            return loss, signs * np.exp(-np.logaddexp(np.float32(0), margins))
        decisions -= decisions.max(axis=1, keepdims=True)
        chances = np.exp(decisions)
        sums = chances.sum(axis=1, keepdims=True)
        is_true = signs > 0
        loss = float(np.log(sums).sum(dtype=np.float64) - decisions[is_true].sum(dtype=np.float64))
        return loss, is_true - chances / sums
