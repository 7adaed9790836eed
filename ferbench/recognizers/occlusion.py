"""Where a face must be seen for a recognizer, any recognizer, to answer as it does: cover one place after another."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ferbench.recognizers.base import Recognizer
from ferbench.types import Images, Labels


def occlusion_maps(
    recognizer: Recognizer, images: Images, labels: Labels | None = None, *, side: int = 10, step: int = 4
) -> NDArray[np.float32]:
    """How much probability a class loses where the face is covered (Zeiler and Fergus, ECCV 2014, arXiv:1311.2901).

    A square of the image's mean gray is moved over each face; a pixel's value is the mean loss over all squares that
    cover it. Costs one prediction a square and face.

    Args:
        recognizer: A fitted one.
        images: uint8, (n, height, width).
        labels: The class asked about for each face, (n,); None: the one that it is most probable to be.
        side: Of the square, in pixels.
        step: Between neighboring squares, in pixels.

    Returns:
        float32, (n, height, width), -1 to 1: positive where covering speaks against the class.
    """
    whole = recognizer.predict_proba(images)
    asked = whole.argmax(axis=1) if labels is None else labels
    faces = np.arange(len(images))
    mean = images.mean(axis=(1, 2), keepdims=True).astype(np.uint8)
    losses = np.zeros(images.shape, np.float32)
    covered = np.zeros(images.shape[1:], np.float32)
    for rows in _squares(images.shape[1], side, step):
        for columns in _squares(images.shape[2], side, step):
            occluded = images.copy()
            occluded[:, rows, columns] = mean
            loss = whole[faces, asked] - recognizer.predict_proba(occluded)[faces, asked]
            losses[:, rows, columns] += loss[:, None, None]
            covered[rows, columns] += 1.0
    return losses / covered


def _squares(length: int, side: int, step: int) -> Iterator[slice]:
    """Spans of `side` along one axis, `step` apart; the last one ends at the border."""
    last = max(length - side, 0)
    for start in [*range(0, last, step), last]:
        yield slice(start, start + side)
