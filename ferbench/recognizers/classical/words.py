"""Bags of visual words: how often each of a codebook's words occurs among local descriptors, region by region."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def nearest_words(descriptors: NDArray[np.float32], words: NDArray[np.float32]) -> NDArray[np.intp]:
    """The word at the smallest Euclidean distance from each descriptor, (rows,), for (rows, d) and (k, d)."""
    scores: NDArray[np.float32] = descriptors @ words.T
    scores -= np.einsum("kd,kd->k", words, words) / 2
    return np.asarray(scores.argmax(axis=1))


def word_counts(words: NDArray[np.intp], n_words: int, regions: Sequence[slice]) -> NDArray[np.float32]:
    """How many points of each region are of each word (Lazebnik, Schmid, Ponce, CVPR 2006).

    Args:
        words: (n, points), the word of each point.
        n_words: In the codebook.
        regions: Points of each region, slices without a step.

    Returns:
        float32, (n, regions, n_words).
    """
    counts = np.empty((len(words), len(regions), n_words), np.float32)
    starts = np.arange(len(words))[:, None] * n_words
    for index, region in enumerate(regions):
        places = (words[:, region] + starts).ravel()
        counts[:, index] = np.bincount(places, minlength=len(words) * n_words).reshape(len(words), n_words)
    return counts


def root_frequencies(counts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each region's counts as the square root of their share: of unit length, compared by the Hellinger kernel."""
    return np.asarray(np.sqrt(counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1)))


def presence(counts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Whether each word occurs, each region scaled to unit length (Ionescu, Popescu, Grozea, ICML workshop 2013)."""
    present = (counts > 0).astype(np.float32)
    return np.asarray(present / np.sqrt(np.maximum(present.sum(axis=-1, keepdims=True), 1)))
