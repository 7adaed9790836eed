"""A Gaussian-kernel support vector machine: libsvm's answers from matrix products. It knows nothing of images."""

from __future__ import annotations

from itertools import combinations
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.svm import SVC

from ferbench.errors import DataError
from ferbench.recognizers.classical.linear_svm import Features, ShareHook, ignore_share

_CACHE_MB = 2000
_BLOCK_VALUES = 1 << 18  # a block of kernel values stays in the cache from the product to the exponential
_ROUNDING = 16 * 2.0**-24  # a multiple of what float32 makes of a kernel value, relative to it


class KernelSvm(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """One-vs-one SVM with the kernel exp(-gamma * d^2), fitted by libsvm (Chang and Lin, ACM TIST 2011).

    libsvm compares a row with one support vector after the other. Here all distances are one float32 product. Rows of
    which rounding might turn a decision between two classes around are decided again in float64, so that the labels are
    libsvm's own.

    Args:
        c: Weight of the loss against the penalty.
        gamma: Of the kernel.
        break_ties: Between classes with equally many votes, let the decisions' size decide, as in `SVC`; otherwise the
            first of them wins, as in libsvm.

    Attributes:
        classes_: All classes, sorted, (k,).
        present_: Which of them had rows, as places in classes_, (p,).
        support_vectors_: float32, (n, d), class by class.
        n_support_: Number of support vectors of each class that had rows, (p,).
        dual_coef_: float64, (p - 1, n), as in `SVC`; (1, n) when there are two.
        intercept_: float64, of each pair of classes that had rows.
    """

    def __init__(self, c: float = 1.0, *, gamma: float = 1.0, break_ties: bool = False) -> None:
        self.c = c
        self.gamma = gamma
        self.break_ties = break_ties

    @property
    def n_parameters(self) -> int:
        """How many numbers were learnt: the support vectors, their weights and the intercepts."""
        return int(self.support_vectors_.size + self.dual_coef_.size + self.intercept_.size)

    def fit(
        self,
        features: Features,
        labels: ArrayLike,
        classes: ArrayLike | None = None,
        *,
        unit: float = 1.0,
        on_share: ShareHook = ignore_share,
    ) -> Self:
        """Learn from labelled rows; the arguments are those of `LinearSvm.fit`, and the labels of two classes or more.

        Fitting takes time that grows with the square of the number of rows. Each two classes are a problem of their
        own, in libsvm too: they are solved one after the other, to tell how many are.

        Raises:
            DataError: all rows are of one class.
        """
        labels = np.asarray(labels)
        if len(np.unique(labels)) < 2:
            raise DataError("A kernel SVM needs rows of two classes or more, got those of one: add another class.")
        rows = np.asarray(features, dtype=np.float32) * np.float32(unit)
        self.classes_ = np.unique(labels if classes is None else np.asarray(classes))
        present, places = np.unique(labels, return_inverse=True)
        self.present_ = np.searchsorted(self.classes_, present)
        dual, intercepts = self._solve_pairs(rows, places, len(present), on_share)
        supports = np.flatnonzero(dual.any(axis=0))
        supports = supports[np.argsort(places[supports], kind="stable")]
        self.support_vectors_ = rows[supports]
        self.n_support_ = np.bincount(places[supports], minlength=len(present)).astype(np.int64)
        self.dual_coef_ = dual[:, supports]
        self.intercept_ = intercepts
        self.squares_ = np.einsum("nd,nd->n", self.support_vectors_, self.support_vectors_)
        self.n_features_in_ = rows.shape[1]
        return self

    def decision_function(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Votes of each class, with the decisions' size behind the point, as `SVC` has them.

        Returns:
            float32, (n, k), below 0 for a class without rows; (n,) when there are two classes: the decision for the
            second.
        """
        pairs = self.pair_decisions(features)
        decisions = np.full((len(pairs), len(self.classes_)), -1, np.float32)
        if len(self.classes_) == 2:
            return np.asarray(-pairs[:, 0], dtype=np.float32)
        sizes = np.zeros((len(pairs), len(self.present_)))
        for index, (one, other) in enumerate(combinations(range(len(self.present_)), 2)):
            sizes[:, one] += pairs[:, index]
            sizes[:, other] -= pairs[:, index]
        decisions[:, self.present_] = self._votes(pairs) + sizes / (3 * (np.abs(sizes) + 1))
        return decisions

    def predict(self, features: NDArray[np.float32]) -> NDArray[Any]:
        """The class with the most votes for each row, (n,)."""
        if self.break_ties and len(self.classes_) > 2:
            return np.asarray(self.classes_[self.decision_function(features).argmax(axis=1)])
        votes = self._votes(self.pair_decisions(features))
        return np.asarray(self.classes_[self.present_[votes.argmax(axis=1)]])

    def pair_decisions(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """The decision between each two classes that had rows, above 0 for the first of them, (n, p * (p - 1) / 2)."""
        rows = np.asarray(features, dtype=np.float32)
        pairs = np.empty((len(rows), len(self.intercept_)))
        step = max(1, _BLOCK_VALUES // len(self.squares_))
        for start in range(0, len(rows), step):
            block = rows[start : start + step]
            pairs[start : start + step] = self._pairs(_kernel(block, self.support_vectors_, self.squares_, self.gamma))
        lengths = np.einsum("nd,nd->n", rows, rows) + self.squares_.max()
        rounding = _ROUNDING * (1 + self.gamma * lengths) * np.abs(self.dual_coef_).max() * np.sqrt(len(self.squares_))
        doubtful = np.abs(pairs).min(axis=1) < rounding
        if doubtful.any():
            pairs[doubtful] = self._pairs(self._exact_kernel(rows[doubtful]))
        return pairs

    def _solve_pairs(
        self, rows: NDArray[np.float32], places: NDArray[np.intp], n_classes: int, on_share: ShareHook
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What each row weighs against each other class, (n_classes - 1, n), and the intercept of each pair."""
        dual = np.zeros((n_classes - 1, len(rows)))
        pairs = list(combinations(range(n_classes), 2))
        intercepts = np.empty(len(pairs))
        for index, (one, other) in enumerate(pairs):
            on_share(index / len(pairs))
            chosen = np.flatnonzero((places == one) | (places == other))
            svc = SVC(C=self.c, gamma=self.gamma, cache_size=_CACHE_MB).fit(rows[chosen], places[chosen])
            supports = chosen[svc.support_]
            # scikit-learn turns two classes around
            dual[np.where(places[supports] == one, other - 1, one), supports] = -svc.dual_coef_[0]
            intercepts[index] = -svc.intercept_[0]
        on_share(1.0)
        return dual, intercepts

    def _pairs(self, kernel: NDArray[Any]) -> NDArray[np.float64]:
        """Sums over the support vectors of both classes of each pair, in float64: they nearly cancel out."""
        ends = np.cumsum(self.n_support_)
        shares = [
            kernel[:, end - n : end].astype(np.float64, copy=False) @ self.dual_coef_[:, end - n : end].T
            for n, end in zip(self.n_support_, ends, strict=True)
        ]
        pairs = np.empty((len(kernel), len(self.intercept_)))
        for index, (one, other) in enumerate(combinations(range(len(shares)), 2)):
            pairs[:, index] = shares[one][:, other - 1] + shares[other][:, one] + self.intercept_[index]
        return pairs

    def _exact_kernel(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        kernel = np.empty((len(rows), len(self.squares_)))
        for start in range(0, len(self.squares_), 2048):
            vectors = self.support_vectors_[start : start + 2048].astype(np.float64)
            squares = np.einsum("nd,nd->n", vectors, vectors)
            kernel[:, start : start + 2048] = _kernel(rows.astype(np.float64), vectors, squares, self.gamma)
        return kernel

    def _votes(self, pairs: NDArray[np.float64]) -> NDArray[np.intp]:
        votes = np.zeros((len(pairs), len(self.present_)), np.intp)
        for index, (one, other) in enumerate(combinations(range(len(self.present_)), 2)):
            votes[:, one] += pairs[:, index] > 0
            votes[:, other] += pairs[:, index] <= 0
        return votes


def _kernel(rows: NDArray[Any], vectors: NDArray[Any], squares: NDArray[Any], gamma: float) -> NDArray[Any]:
    """exp(-gamma * d^2), of the dtype given; the squared lengths of the vectors are known."""
    kernel: NDArray[Any] = rows @ vectors.T
    kernel *= 2
    kernel -= np.einsum("nd,nd->n", rows, rows)[:, None]
    kernel -= squares
    np.minimum(kernel, 0, out=kernel)
    kernel *= gamma
    np.exp(kernel, out=kernel)
    return kernel
