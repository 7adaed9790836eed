"""Random Fourier features: an explicit map that approximates the Gaussian kernel, without looking at the data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def fourier_frequencies(d: int, n: int, gamma: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Frequencies whose waves have the kernel exp(-gamma * distance^2) as their mean product, (d, n)."""
    return random.normal(scale=np.sqrt(2 * gamma), size=(d, n))


def fourier_map(rows: NDArray[np.float32], frequencies: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosine and sine of each row along each frequency (Rahimi and Recht, NIPS 2007).

    Args:
        rows: (n, d).
        frequencies: (d, m).

    Returns:
        float32, (n, 2 * m); inner products are close to the kernel, each row's with itself is 1.
    """
    phases: NDArray[np.float32] = rows @ frequencies
    waves = np.concatenate([np.cos(phases), np.sin(phases)], axis=1)
    return np.asarray(waves / np.sqrt(frequencies.shape[1]), dtype=np.float32)
