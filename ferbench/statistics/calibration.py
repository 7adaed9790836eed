"""Whether stated probabilities come true: reliability diagrams, calibration error, temperature scaling."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ferbench.errors import DataError
from ferbench.types import Labels, Probabilities

Binning: TypeAlias = Literal["width", "mass"]
"""Bins of equal width between 0 and 1, or with equally many faces in each."""

_FLOOR = 1e-7
_MAX_LOG_TEMPERATURE = 4.0


class Bin(NamedTuple):
    """Faces with about the same confidence: how many, their mean confidence, and the share of them that is right."""

    n: int
    confidence: float
    right: float


def reliability(
    right: NDArray[np.floating], confidence: NDArray[np.floating], *, n_bins: int = 15, binning: Binning = "width"
) -> list[Bin]:
    """The points of a reliability diagram (DeGroot and Fienberg 1983).

    Args:
        right: 1.0 where the top class is right and 0.0 where not, or the share of taggers who agree with it, (n,).
        confidence: Probability of the top class, (n,).
        n_bins: Of which empty ones are left out.
        binning: "width" as in Guo et al. 2017, bins are open below and closed above; "mass" as in Nguyen and
            O'Connor 2015, faces by rising confidence in parts of equal size.
    """
    if len(right) != len(confidence):
        raise DataError(f"right and confidence need as many rows, got {len(right)} and {len(confidence)}.")
    if binning == "width":
        number = np.clip(np.ceil(np.asarray(confidence) * n_bins).astype(int) - 1, 0, n_bins - 1)
        parts = [np.flatnonzero(number == one) for one in range(n_bins)]
    else:
        parts = np.array_split(np.argsort(confidence, kind="stable"), n_bins)
    return [
        Bin(len(part), float(np.mean(confidence[part], dtype=np.float64)), float(np.mean(right[part])))
        for part in parts
        if len(part)
    ]


def calibration_error(bins: list[Bin]) -> float:
    """Expected calibration error: |share right - mean confidence| of each bin, weighted by its faces."""
    n = sum(one.n for one in bins)
    return sum(one.n * abs(one.right - one.confidence) for one in bins) / n if n else float("nan")


def fit_temperature(labels: Labels, probabilities: Probabilities) -> float:
    """The temperature that makes the labels most probable (Guo et al. 2017). Fit it on validation, never on test.

    Args:
        labels: (n,), n at least 1.
        probabilities: (n, n_classes).

    Returns:
        Above 1 where the recognizer is too sure of itself.
    """
    if len(labels) == 0 or probabilities.shape[0] != len(labels):
        raise DataError(f"labels and probabilities need as many rows, got {len(labels)} and {len(probabilities)}.")
    from scipy.optimize import minimize_scalar

    logits = _logits(probabilities)
    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        return float((np.logaddexp.reduce(scaled, axis=1) - scaled[rows, labels]).mean())

    found = minimize_scalar(loss, bounds=(-_MAX_LOG_TEMPERATURE, _MAX_LOG_TEMPERATURE), method="bounded")
    return float(np.exp(found.x))


def with_temperature(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Probabilities whose logarithms are divided by `temperature`; the order of the classes stays.

    Returns:
        float32, (n, n_classes), rows sum to 1.
    """
    scaled = _logits(probabilities) / temperature
    return np.exp(scaled - np.logaddexp.reduce(scaled, axis=1, keepdims=True)).astype(np.float32)


def _logits(probabilities: Probabilities) -> NDArray[np.float64]:
    logits: NDArray[np.float64] = np.log(np.maximum(np.asarray(probabilities, np.float64), _FLOOR))
    return logits
