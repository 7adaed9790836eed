"""A classifier that is fitted anew for each row, on that row's nearest neighbors. It knows nothing of images."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from ferbench.recognizers.classical.linear_svm import Features, ShareHook, ignore_share

_CHUNK_ROWS = 2048


class LocalSvm(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Local learning (Bottou and Vapnik 1992) with least-squares SVMs (Suykens and Vandewalle 1999), one-vs-rest.

    A row is classified by a linear least-squares SVM of the training rows with the largest inner product. Its solution
    is one small system of equations, the same for all classes, where a hinge loss would need an iteration for each row.

    Args:
        c: Weight of the loss against the penalty.
        neighbors: Number of training rows to learn from.

    Attributes:
        classes_: All classes, sorted, (k,).
        features_: The training rows, as given, (n, d).
        labels_: Their places in classes_, (n,).
        unit_: What features_ is multiplied by.
    """

    def __init__(self, c: float = 1.0, *, neighbors: int = 200) -> None:
        self.c = c
        self.neighbors = neighbors

    @property
    def n_parameters(self) -> int:
        """How many numbers were learnt: all of the training rows."""
        return int(self.features_.size + self.labels_.size)

    def fit(
        self,
        features: Features,
        labels: ArrayLike,
        classes: ArrayLike | None = None,
        *,
        unit: float = 1.0,
        on_share: ShareHook = ignore_share,
    ) -> Self:
        """Remember the rows; the arguments are those of `LinearSvm.fit`. The work is done when it is asked."""
        labels = np.asarray(labels)
        self.classes_ = np.unique(labels if classes is None else np.asarray(classes))
        self.features_ = features
        self.labels_ = np.searchsorted(self.classes_, labels)
        self.unit_ = float(unit)
        self.n_features_in_ = features.shape[1]
        return self

    def decision_function(
        self, features: NDArray[np.float32], *, on_share: ShareHook = ignore_share
    ) -> NDArray[np.float32]:
        """Decisions of the local classifiers, float32, (n, k); (n,) for the second class when there are two."""
        features = np.asarray(features, dtype=np.float32)
        n_neighbors = min(self.neighbors, len(self.labels_))
        nearest = self._nearest(features, n_neighbors)
        signs = np.where(np.arange(len(self.classes_)) == self.labels_[:, None], 1.0, -1.0)
        decisions = np.empty((len(features), len(self.classes_)), np.float32)
        for row, rows in enumerate(nearest):
            on_share(row / len(nearest))
            known = self.features_[rows].astype(np.float32) * np.float32(self.unit_)
            decisions[row] = self._decide(known, signs[rows], features[row])
        return decisions if len(self.classes_) > 2 else decisions[:, 1]

    def predict(self, features: NDArray[np.float32], *, on_share: ShareHook = ignore_share) -> NDArray[Any]:
        """The class with the largest decision for each row, (n,)."""
        decisions = self.decision_function(features, on_share=on_share)
        chosen = decisions.argmax(axis=1) if decisions.ndim == 2 else (decisions > 0).astype(np.intp)
        return np.asarray(self.classes_[chosen])

    def _nearest(self, features: NDArray[np.float32], n_neighbors: int) -> NDArray[np.intp]:
        similarities = np.empty((len(features), len(self.labels_)), np.float32)
        for start in range(0, len(self.labels_), _CHUNK_ROWS):
            known = self.features_[start : start + _CHUNK_ROWS].astype(np.float32, copy=False)
            similarities[:, start : start + _CHUNK_ROWS] = features @ known.T
        # Rounding decides between nearly equal neighbors: rounded sums are the same alone and in company.
        order = np.argsort(-np.round(similarities * np.float32(self.unit_), 4), axis=1, kind="stable")
        return order[:, :n_neighbors]

    def _decide(
        self, known: NDArray[np.float32], signs: NDArray[np.float64], row: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """With the intercept b and the multipliers a: K a + b + a / c = signs, and a sums to 0."""
        n = len(known)
        system = np.ones((n + 1, n + 1))
        system[:n, :n] = known @ known.T
        system[np.arange(n), np.arange(n)] += 1 / self.c
        system[n, n] = 0
        solution = np.linalg.solve(system, np.concatenate([signs, np.zeros((1, signs.shape[1]))]))
        weights = np.append(known @ row, 1.0)
        return np.asarray(weights @ solution)
