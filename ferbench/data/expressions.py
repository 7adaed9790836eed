"""Facial action units: what muscles do to a face, and which of them make up each emotion.

The prototypes are those of Ekman and Friesen (Facial Action Coding System, 1978; Investigator's Guide, 2002). Nothing
is drawn here: `rendering.py` turns intensities into pixels.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ferbench.errors import ConfigError
from ferbench.types import EMOTIONS, Labels

Units: TypeAlias = NDArray[np.float32]
"""Shape (n, n_units): how strongly each action unit of `ACTION_UNITS` shows, 0 not at all to 1 as far as it goes."""

ACTION_UNITS: dict[int, str] = {
    1: "inner brow raiser",
    2: "outer brow raiser",
    4: "brow lowerer",
    5: "upper lid raiser",
    6: "cheek raiser",
    7: "lid tightener",
    9: "nose wrinkler",
    10: "upper lip raiser",
    12: "lip corner puller",
    15: "lip corner depressor",
    16: "lower lip depressor",
    17: "chin raiser",
    20: "lip stretcher",
    23: "lip tightener",
    25: "lips part",
    26: "jaw drop",
}
"""The action units that can be drawn, by their number in the coding system, in the order of the columns."""

PROTOTYPES: dict[str, tuple[int, ...]] = {
    "anger": (4, 5, 7, 23),
    "disgust": (9, 10, 15, 16),
    "fear": (1, 2, 4, 5, 7, 20, 26),
    "happiness": (6, 12),
    "sadness": (1, 4, 15),
    "surprise": (1, 2, 5, 26),
    "neutral": (),
}
"""The action units of each emotion."""

VARIANTS: dict[str, tuple[int, ...]] = {
    "anger": (17,),
    "disgust": (17, 25),
    "fear": (25,),
    "happiness": (25,),
    "sadness": (17,),
    "surprise": (25,),
    "neutral": (),
}
"""The action units that an emotion often shows beside those of its prototype."""

_COLUMNS = {unit: column for column, unit in enumerate(ACTION_UNITS)}


def columns_of(units: tuple[int, ...]) -> list[int]:
    """Where these action units stand in a row of `Units`."""
    return [_COLUMNS[unit] for unit in units]


def action_units(labels: Labels, intensity: ArrayLike = 1.0) -> Units:
    """The prototype of each emotion at a given strength; add and scale rows to blend.

    Args:
        labels: int64, (n,), indices into `EMOTIONS`.
        intensity: One number for all faces or one a face, 0 (neutral) to 1 (as strong as it gets).

    Returns:
        float32, (n, n_units).

    Raises:
        ConfigError: an intensity lies outside 0 to 1, or a label is no emotion.
    """
    labels = np.asarray(labels, np.int64)
    strength = np.broadcast_to(np.asarray(intensity, np.float32), labels.shape)
    if strength.size and not (strength.min() >= 0 and strength.max() <= 1):
        raise ConfigError(f"intensity must lie in 0 to 1, got {strength.min():g} to {strength.max():g}.")
    return prototypes(PROTOTYPES, labels) * strength[:, None]


def prototypes(table: dict[str, tuple[int, ...]], labels: Labels) -> Units:
    """1 for every action unit that a table names for the emotion of a face, 0 for the others: float32 (n, n_units).

    Raises:
        ConfigError: a label is no emotion.
    """
    if labels.size and not (labels.min() >= 0 and labels.max() < len(EMOTIONS)):
        raise ConfigError(f"labels must lie in 0 to {len(EMOTIONS) - 1}, got {labels.min()} to {labels.max()}.")
    rows = np.zeros((len(EMOTIONS), len(ACTION_UNITS)), np.float32)
    for row, emotion in enumerate(EMOTIONS):
        rows[row, columns_of(table[emotion])] = 1
    return rows[labels]
