"""The Gaussian kernel, and the explicit map that approximates it from a few landmarks."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = TypeVar("Floats", NDArray[np.float32], NDArray[np.float64])

_RANK = 1e-7  # eigenvalues below this share of the largest are noise


def gaussian_kernel(rows: Floats, landmarks: Floats, gamma: float) -> Floats:
    """exp(-gamma * |row - landmark|^2) for each row and landmark, (n, m), of the dtype given."""
    distances = rows @ (-2 * landmarks).T
    distances += np.einsum("nd,nd->n", rows, rows)[:, None]
    distances += np.einsum("md,md->m", landmarks, landmarks)
    np.maximum(distances, 0, out=distances)
    distances *= -gamma
    kernel: Floats = np.exp(distances, out=distances)
    return kernel


def nystroem_map(landmarks: NDArray[np.float64], gamma: float) -> NDArray[np.float64]:
    """The matrix that turns kernel values with landmarks into features (Williams and Seeger, NIPS 2001).

    With K the kernel among the landmarks it is K^(-1/2): the inner products of `gaussian_kernel(rows, landmarks) @ map`
    are the kernel itself among the landmarks, and close to it elsewhere.

    Args:
        landmarks: (m, d).
        gamma: Of the kernel.

    Returns:
        float64, (m, m), symmetric.
    """
    values, vectors = np.linalg.eigh(gaussian_kernel(landmarks, landmarks, gamma))
    is_kept = values > _RANK * values[-1]
    vectors = vectors[:, is_kept]
    return np.asarray((vectors / np.sqrt(values[is_kept])) @ vectors.T)
