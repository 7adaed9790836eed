"""How far the probabilities of one run come true on one split. Nothing is read or drawn here."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ferbench.metrics import brier, log_loss
from ferbench.statistics.calibration import calibration_error, reliability, with_temperature
from ferbench.types import Labels, Probabilities


class Calibration(NamedTuple):
    """How far stated probabilities come true on a split, before and after one temperature from validation."""

    equal_width: float
    equal_mass: float
    brier: float
    log_loss: float
    temperature: float
    scaled_error: float
    scaled_log_loss: float


def calibration_of(labels: Labels, probabilities: Probabilities, temperature: float) -> Calibration:
    """Measure it.

    Args:
        labels: (n,).
        probabilities: (n, n_classes).
        temperature: From `fit_temperature`, on validation.
    """
    right = (probabilities.argmax(axis=1) == labels).astype(np.float64)
    confidence, scaled = probabilities.max(axis=1), with_temperature(probabilities, temperature)
    return Calibration(
        equal_width=calibration_error(reliability(right, confidence)),
        equal_mass=calibration_error(reliability(right, confidence, binning="mass")),
        brier=brier(labels, probabilities),
        log_loss=log_loss(labels, probabilities),
        temperature=temperature,
        scaled_error=calibration_error(reliability(right, scaled.max(axis=1))),
        scaled_log_loss=log_loss(labels, scaled),
    )
