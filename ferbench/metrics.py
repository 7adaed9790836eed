"""From labels and probabilities to scores. Pure functions; all shares are 0 to 1, not percent."""

from __future__ import annotations

import warnings

import numpy as np
from pydantic import BaseModel, ConfigDict
from sklearn import metrics as sk

from ferbench.errors import DataError
from ferbench.statistics import bootstrap_interval
from ferbench.types import Groups, Labels, Probabilities

_FLOOR = 1e-7


class ClassScores(BaseModel):
    """How one class fared. `support` is the number of faces that are of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    precision: float
    recall: float
    f1: float
    support: int


class Scores(BaseModel):
    """Everything said of one set of predictions.

    `accuracy_interval` is a 95 % bootstrap interval over duplicate groups. `brier` is the sum over classes of squared
    differences (Brier 1950), 0 to 2. `calibration_error` is the expected calibration error of the top class in 15
    equal-width bins (Guo et al. 2017). `confusion[i][j]` counts faces of class i taken for class j.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    balanced_accuracy: float
    macro_f1: float
    log_loss: float
    brier: float
    calibration_error: float
    classes: dict[str, ClassScores]
    confusion: list[list[int]]


def score(
    labels: Labels,
    probabilities: Probabilities,
    classes: tuple[str, ...],
    *,
    groups: Groups | None = None,
    interval: tuple[float, float] | None = None,
) -> Scores:
    """Score predictions against hard labels.

    Args:
        labels: Indices into `classes`, (n,), n at least 1.
        probabilities: (n, n_classes).
        classes: Names of the classes.
        groups: Rows that are not independent share an id, (n,); None: all are independent.
        interval: That of the accuracy, where it is known; None: it is bootstrapped, which takes most of the time.

    Raises:
        DataError: shapes do not fit, or there is nothing to score.
    """
    if probabilities.shape != (len(labels), len(classes)):
        raise DataError(f"probabilities must be {(len(labels), len(classes))}, got {probabilities.shape}.")
    if len(labels) == 0:
        raise DataError("There is nothing to score: labels is empty.")
    if not np.isfinite(probabilities).all():
        raise DataError("probabilities must be finite: some are NaN or infinite.")
    predicted = probabilities.argmax(axis=1)
    right = (predicted == labels).astype(np.float64)
    ids = np.arange(len(classes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a class that never occurs scores 0, as intended
        precision, recall, f1, support = sk.precision_recall_fscore_support(
            labels, predicted, labels=ids, zero_division=0
        )
    present = support > 0
    return Scores(
        n=len(labels),
        accuracy=float(right.mean()),
        accuracy_interval=interval or bootstrap_interval(right, np.arange(len(labels)) if groups is None else groups),
        balanced_accuracy=float(recall[present].mean()),
        macro_f1=float(f1[present].mean()),
        log_loss=log_loss(labels, probabilities),
        brier=brier(labels, probabilities),
        calibration_error=calibration_error(right, probabilities.max(axis=1)),
        classes={
            name: ClassScores(
                precision=float(precision[i]), recall=float(recall[i]), f1=float(f1[i]), support=int(support[i])
            )
            for i, name in enumerate(classes)
        },
        confusion=sk.confusion_matrix(labels, predicted, labels=ids).tolist(),
    )


def log_loss(labels: Labels, probabilities: Probabilities) -> float:
    """Mean negative natural logarithm of the true class's probability, which is floored at 1e-7."""
    chosen = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(chosen, _FLOOR)).mean())


def brier(labels: Labels, probabilities: Probabilities) -> float:
    """Mean over faces of the squared distance to the one-hot truth, 0 to 2 (Brier 1950)."""
    distance = probabilities.astype(np.float64)
    distance[np.arange(len(labels)), labels] -= 1.0
    return float((distance**2).sum(axis=1).mean())


def calibration_error(right: np.ndarray, confidence: np.ndarray, *, n_bins: int = 15) -> float:
    """Expected calibration error: |share right - mean confidence| by equal-width bin, weighted by the bin's size."""
    bins = np.clip(np.ceil(confidence * n_bins).astype(int) - 1, 0, n_bins - 1)
    gaps = np.bincount(bins, weights=right - confidence, minlength=n_bins)
    return float(np.abs(gaps).sum() / len(right))
