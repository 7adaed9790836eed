"""The same face in one frame after another: its probabilities, smoothed over time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ferbench.errors import ConfigError
from ferbench.faces.matching import match
from ferbench.types import Boxes, Probabilities


class FaceTracks:
    """Follows faces through a video and smooths what is said of each, exponentially.

    Args:
        weight: Share of the newest frame in what is said, above 0 to 1; 1 smooths nothing.
        min_overlap: Intersection over union from which on a box is the face of the frame before.
        patience: Frames for which a face may be missed and still be taken for the same one.

    Raises:
        ConfigError: a value out of range.
    """

    def __init__(self, *, weight: float = 0.4, min_overlap: float = 0.3, patience: int = 5) -> None:
        if not 0 < weight <= 1:
            raise ConfigError(f"weight must be above 0 and at most 1, got {weight:g}.")
        if not 0 < min_overlap <= 1:
            raise ConfigError(f"min_overlap must be above 0 and at most 1, got {min_overlap:g}.")
        if patience < 0:
            raise ConfigError(f"patience must be 0 or more frames, got {patience}.")
        self.weight = weight
        self.min_overlap = min_overlap
        self.patience = patience
        self.clear()

    def clear(self) -> None:
        """Forget every face: at a cut, or when another recognizer takes over."""
        self._boxes: Boxes = np.empty((0, 4), np.int32)
        self._missed: NDArray[np.int64] = np.empty(0, np.int64)
        self._smoothed: Probabilities | None = None

    def update(self, boxes: Boxes, probabilities: Probabilities) -> Probabilities:
        """Take in one frame.

        Args:
            boxes: int32, (n, 4): its faces; n may be 0.
            probabilities: float32, (n, n_classes): what is said of each. Where there are other classes than before, all
                faces are new.

        Returns:
            float32, (n, n_classes): the same, each face smoothed with what was said of it before.
        """
        if self._smoothed is None or self._smoothed.shape[1] != probabilities.shape[1]:
            self.clear()
            self._smoothed = np.empty((0, probabilities.shape[1]), np.float32)
        before = match(boxes, self._boxes, self.min_overlap)
        known = before >= 0
        smoothed = np.array(probabilities, np.float32)
        smoothed[known] = self.weight * smoothed[known] + (1 - self.weight) * self._smoothed[before[known]]

        is_waiting = self._missed < self.patience
        is_waiting[before[known]] = False
        self._boxes = np.concatenate([boxes, self._boxes[is_waiting]])
        self._smoothed = np.concatenate([smoothed, self._smoothed[is_waiting]])
        self._missed = np.concatenate([np.zeros(len(boxes), np.int64), self._missed[is_waiting] + 1])
        return smoothed
