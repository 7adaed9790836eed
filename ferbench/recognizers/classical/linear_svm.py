"""A linear support vector machine for many rows of dense float32 features. It knows nothing of images."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import log
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from sklearn.base import BaseEstimator, ClassifierMixin
from threadpoolctl import threadpool_limits

from ferbench.environment import n_cores

_CHUNK_ROWS = 512  # stay in the cache from one product to the next
_CHUNK_VALUES = 1 << 22
_THREADS = n_cores()
_RUN_UP = 5  # evaluations in which the gradient falls by far more than in any later ones

Features: TypeAlias = NDArray[np.float32] | NDArray[np.int8]
LossOfDecisions: TypeAlias = Callable[[NDArray[np.float32], NDArray[np.float32]], tuple[float, NDArray[np.float32]]]
Objective: TypeAlias = Callable[..., tuple[float, NDArray[np.float64]]]
ShareHook: TypeAlias = Callable[[float], None]
"""Called as work goes on with the share of it that is done, 0 to 1."""


def ignore_share(done: float) -> None:
    """A `ShareHook` that tells nobody."""


class LinearSvm(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """One-vs-rest linear SVM with squared hinge loss, all classes fitted together in the primal.

    Minimizes, for each class, ``|w|^2 / 2 + c * sum(max(0, 1 - y * (w.x + b))^2)`` with y = 1 for rows of the class and
    -1 for all others. That is the objective of scikit-learn's
    ``LinearSVC(loss="squared_hinge", dual=False, C=c)``, save that the intercept b is not penalized. L-BFGS (Liu and
    Nocedal 1989) on float32 matrix products, summed up in float64, takes the place of liblinear, which copies the
    rows to float64 and fits one class after the other.

    Args:
        c: Weight of the loss against the penalty.
        max_iter: Most iterations of L-BFGS.
        tol: Stop when no entry of the gradient, for the objective divided by c and by the number of rows, is larger.
        warm_start: Start from the last fit's solution, where it was for the same classes and number of features.

    Attributes:
        classes_: All classes, sorted, (k,).
        coef_: float32, (k, d); (1, d), for the second class, when there are two.
        intercept_: float32, (k,) or (1,).
        n_features_in_: d.
        n_iter_: Iterations of the last fit; `max_iter` means that it stopped short of `tol`.
    """

    def __init__(self, c: float = 1.0, *, max_iter: int = 1000, tol: float = 1e-4, warm_start: bool = False) -> None:
        self.c = c
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start

    def fit(
        self,
        features: Features,
        labels: ArrayLike,
        classes: ArrayLike | None = None,
        *,
        unit: float = 1.0,
        on_share: ShareHook = ignore_share,
    ) -> Self:
        """Learn from labelled rows.

        Args:
            features: (n, d); float32 and int8 are used without a copy.
            labels: (n,).
            classes: All classes, where some may have no row: their decision is -1 or less for every row of
                features. None: those among the labels.
            unit: What features are multiplied by: the worth of one unit of those that are kept as int8.
            on_share: Called after each evaluation of the objective. The number of steps is not known beforehand; the
                gradient falls by about the same factor in each, so the share is that of its fall to `tol` in orders of
                magnitude: an estimate.

        Raises:
            ValueError: wrong shapes, fewer than two classes, or labels that are not among the classes.
        """
        if np.asarray(features).dtype != np.int8:
            features = np.asarray(features, dtype=np.float32)
        labels = np.asarray(labels)
        classes = np.unique(labels if classes is None else np.asarray(classes))
        if features.ndim != 2 or labels.shape != (len(features),):
            raise ValueError(f"Expected features (n, d) and labels (n,), got {features.shape} and {labels.shape}.")
        if len(classes) < 2 or not np.isin(labels, classes).all():
            raise ValueError(f"Expected labels among two or more classes, got {np.unique(labels)} and {classes}.")
        signs = np.where(labels[:, None] == classes, np.float32(1), np.float32(-1))
        if len(classes) == 2:
            signs = signs[:, 1:]
        mean = np.asarray(features.mean(axis=0, dtype=np.float64)) * unit
        told = _told(_loss_and_gradient, self.tol, on_share)
        # One BLAS thread: in products this narrow several wait for each other, and their number would change the sums.
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(_THREADS) as threads:
            result = minimize(
                told,
                self._start(classes, signs.shape[1], mean),
                args=(self._loss, features, signs, mean, 1.0 / (self.c * len(features)), unit, threads),
                jac=True,
                method="L-BFGS-B",
                options={"maxiter": self.max_iter, "gtol": self.tol, "ftol": 1e-9, "maxcor": 20},
            )
        on_share(1.0)
        solution = result.x.reshape(signs.shape[1], -1)
        self.classes_ = classes
        self.coef_ = solution[:, :-1].astype(np.float32)
        self.intercept_ = (solution[:, -1] - solution[:, :-1] @ mean).astype(np.float32)
        self.n_features_in_ = features.shape[1]
        self.n_iter_ = int(result.nit)
        return self

    def decision_function(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Signed distances from the margins' middle, float32, (n, k); (n,) for the second class when there are two."""
        decisions: NDArray[np.float32] = np.asarray(features, dtype=np.float32) @ self.coef_.T
        decisions += self.intercept_
        return decisions if len(self.classes_) > 2 else decisions[:, 0]

    def predict(self, features: NDArray[np.float32]) -> NDArray[Any]:
        """The class with the largest decision for each row, (n,)."""
        decisions = self.decision_function(features)
        chosen = decisions.argmax(axis=1) if decisions.ndim == 2 else (decisions > 0).astype(np.intp)
        return np.asarray(self.classes_[chosen])

    @property
    def n_parameters(self) -> int:
        """How many numbers were learnt."""
        return int(self.coef_.size + self.intercept_.size)

    def _loss(self, decisions: NDArray[np.float32], signs: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
        """The sum of the loss over rows, and its slope by each decision, downhill; may overwrite the decisions."""
        missing = 1 - signs * decisions
        np.maximum(missing, 0, out=missing)
        loss = float(np.einsum("nk,nk->", missing, missing, dtype=np.float64))
        missing *= signs
        missing *= 2
        return loss, missing

    def _start(self, classes: NDArray[Any], n_columns: int, mean: NDArray[np.float64]) -> NDArray[np.float64]:
        start = np.zeros((n_columns, len(mean) + 1))
        fits = self.warm_start and hasattr(self, "coef_") and self.coef_.shape == (n_columns, len(mean))
        if fits and np.array_equal(self.classes_, classes):
            start[:, :-1] = self.coef_
            start[:, -1] = self.intercept_ + start[:, :-1] @ mean
        return start.ravel()


def _told(objective: Objective, tol: float, on_share: ShareHook) -> Objective:
    """The same objective, which says how near its gradient has come to the end."""
    largest: list[float] = []

    def evaluate(*arguments: Any) -> tuple[float, NDArray[np.float64]]:
        value, gradient = objective(*arguments)
        largest.append(float(np.abs(gradient).max()))
        since = largest[_RUN_UP:]
        if since and since[0] > tol:
            on_share(min(1.0, log(since[0] / max(tol, min(since))) / log(since[0] / tol)))
        return value, gradient

    return evaluate


def _loss_and_gradient(
    solution: NDArray[np.float64],
    loss_of: LossOfDecisions,
    features: Features,
    signs: NDArray[np.float32],
    mean: NDArray[np.float64],
    penalty: float,
    unit: float,
    threads: ThreadPoolExecutor,
) -> tuple[float, NDArray[np.float64]]:
    """The mean over rows of the objective, seen from the features' mean: the same minimum, reached in fewer steps."""
    weights = solution.reshape(signs.shape[1], -1)
    coef = (weights[:, :-1] * unit).astype(np.float32)
    intercept = (weights[:, -1] - weights[:, :-1] @ mean).astype(np.float32)

    def of_chunk(rows: slice) -> tuple[float, NDArray[np.float32], NDArray[np.float64]]:
        values = features[rows].astype(np.float32, copy=False)
        loss, slopes = loss_of(values @ coef.T + intercept, signs[rows])
        return loss, slopes.T @ values, slopes.sum(axis=0, dtype=np.float64)

    loss = 0.0
    gradient = np.zeros_like(weights)
    step = min(_CHUNK_ROWS, max(1, _CHUNK_VALUES // features.shape[1]))
    chunks = [slice(start, start + step) for start in range(0, len(features), step)]
    # Whichever thread is done first, sums are added up in the order of the rows: any number of threads finds the same.
    for chunk_loss, slope, intercept_slope in threads.map(of_chunk, chunks):
        loss += chunk_loss
        gradient[:, :-1] += slope
        gradient[:, -1] += intercept_slope
    gradient[:, :-1] *= unit
    gradient[:, :-1] -= np.outer(gradient[:, -1], mean)
    gradient *= -1.0 / len(features)
    gradient[:, :-1] += penalty * weights[:, :-1]
    objective = loss / len(features) + 0.5 * penalty * float(np.vdot(weights[:, :-1], weights[:, :-1]))
    return objective, gradient.ravel()
