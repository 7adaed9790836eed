"""The arrays and small records that every part of ferbench passes around. Nothing here computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Images: TypeAlias = NDArray[np.uint8]
"""Gray faces, shape (n, height, width), 0 black to 255 white."""

Labels: TypeAlias = NDArray[np.int64]
"""Shape (n,), each an index into `classes`."""

Probabilities: TypeAlias = NDArray[np.float32]
"""Shape (n, n_classes), rows sum to 1."""

FrameImage: TypeAlias = NDArray[np.uint8]
"""One color picture as OpenCV gives it, shape (height, width, 3), BGR."""

Groups: TypeAlias = NDArray[np.int64]
"""Shape (n,): rows that are not independent (identical pictures, one person) share an id."""

Boxes: TypeAlias = NDArray[np.int32]
"""Rectangles in a picture, shape (n, 4): x1, y1, x2, y2 in pixels, x2 and y2 exclusive."""

Family: TypeAlias = Literal["baseline", "classical", "deep", "ensemble"]

Calibration: TypeAlias = Literal["temperature"]
"""What is done to the answers of a fitted recognizer so that they come true as often as they say."""

EpochHook: TypeAlias = Callable[[int, Mapping[str, float]], None]
"""Called after each pass over the training data with (epoch from 1, values by name)."""

ProgressHook: TypeAlias = Callable[[str, int, int], None]
"""Called as work goes on with (what is being done, units done, units in all)."""

EMOTIONS: tuple[str, ...] = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
"""FER2013's seven classes in FER2013's order, 0 to 6."""


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What a recognizer says of a batch of faces: one object a batch, one row a face."""

    probabilities: Probabilities
    classes: tuple[str, ...] = EMOTIONS

    def __len__(self) -> int:
        return len(self.probabilities)

    @property
    def label_ids(self) -> Labels:
        """The most probable class of each face as an index into `classes`, shape (n,)."""
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.int64)

    @property
    def names(self) -> tuple[str, ...]:
        """The most probable class of each face by name."""
        return tuple(self.classes[label] for label in self.label_ids)

    @property
    def confidence(self) -> NDArray[np.float32]:
        """The probability of the most probable class of each face, shape (n,)."""
        return np.asarray(self.probabilities.max(axis=1, initial=0.0), dtype=np.float32)

    def top(self, k: int) -> list[list[tuple[str, float]]]:
        """The `k` most probable (class, probability) pairs of each face, best first."""
        order = np.argsort(-self.probabilities, axis=1, kind="stable")[:, :k]
        return [
            [(self.classes[column], float(row[column])) for column in columns]
            for row, columns in zip(self.probabilities, order, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class RecognizerInfo:
    """What a recognizer is, in numbers that can be written down.

    `multiply_adds` of one face and `receptive_field`, a side in pixels, are counted from a network as it was built, and
    None for anything else.
    """

    name: str
    family: Family
    classes: tuple[str, ...]
    image_size: tuple[int, int]
    n_parameters: int
    size_bytes: int
    params: dict[str, Any]
    multiply_adds: int | None = None
    receptive_field: int | None = None
