"""Fisher vectors: one long vector for a set of local descriptors. It knows nothing of images or of SIFT."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_EPSILON = 1e-12


class Mixture(NamedTuple):
    """A mixture of k Gaussians with diagonal covariances over descriptors of d values."""

    weights: NDArray[np.float32]
    """(k,), summing to 1."""
    means: NDArray[np.float32]
    """(k, d)."""
    variances: NDArray[np.float32]
    """(k, d)."""


def posteriors(descriptors: NDArray[np.float32], mixture: Mixture) -> NDArray[np.float32]:
    """How probably each Gaussian gave each descriptor, (rows, k), for descriptors of (rows, d)."""
    weights, means, variances = mixture
    constants = np.log(weights) - 0.5 * (np.log(variances) + means**2 / variances).sum(axis=1)
    chances: NDArray[np.float32] = descriptors @ (means / variances).T
    chances += (descriptors * descriptors) @ (-0.5 / variances).T
    chances += constants
    chances -= chances.max(axis=1, keepdims=True)
    np.exp(chances, out=chances)
    chances /= chances.sum(axis=1, keepdims=True)
    return chances


def fisher_vectors(
    descriptors: NDArray[np.float32], mixture: Mixture, regions: Sequence[slice] = (slice(None),)
) -> NDArray[np.float32]:
    """Improved Fisher vectors (Perronnin, Sánchez, Mensink, ECCV 2010) of several sets of descriptors at once.

    How the likelihood of a set would change with each mean and each variance, whitened by the Fisher information's
    diagonal. Within each region the signed square root is taken and the length set to 1.

    Args:
        descriptors: (n, points, d).
        mixture: Over d values.
        regions: Points of each region, slices without a step; a vector each.

    Returns:
        float32, (n, len(regions) * 2 * k * d): by region, then by means and variances, Gaussian, value.
    """
    n, n_points, d = descriptors.shape
    weights, means, variances = mixture
    bounds = [region.indices(n_points)[:2] for region in regions]
    cuts = sorted({edge for bound in bounds for edge in bound})
    sums = _moments(descriptors, mixture, cuts)
    vectors = np.empty((n, len(regions), 2, len(weights), d), np.float32)
    root_weights, deviations = np.sqrt(weights)[:, None], np.sqrt(variances)
    for index, (start, stop) in enumerate(bounds):
        parts = sums[:, cuts.index(start) : cuts.index(stop)].sum(axis=1)
        mass, first, second = parts[..., :1], parts[..., 1 : d + 1], parts[..., d + 1 :]
        vectors[:, index, 0] = (first - mass * means) / (deviations * root_weights)
        spread = (second - 2 * means * first + means**2 * mass) / variances - mass
        vectors[:, index, 1] = spread / (np.sqrt(np.float32(2)) * root_weights)
    flat = vectors.reshape(n, len(regions), -1)
    lengths = np.sqrt(np.abs(flat).sum(axis=2, keepdims=True))
    roots = np.sqrt(np.abs(flat)) / np.maximum(lengths, _EPSILON)
    return np.asarray(np.copysign(roots, flat).reshape(n, -1))


def _moments(descriptors: NDArray[np.float32], mixture: Mixture, cuts: Sequence[int]) -> NDArray[np.float32]:
    """Between each two cuts, each Gaussian's share of 1, of the descriptors and of their squares."""
    n, n_points, d = descriptors.shape
    chances = posteriors(descriptors.reshape(-1, d), mixture).reshape(n, n_points, -1)
    powers = np.concatenate([np.ones((n, n_points, 1), np.float32), descriptors, descriptors * descriptors], axis=2)
    sums = np.empty((n, len(cuts) - 1, chances.shape[2], 2 * d + 1), np.float32)
    for index, (start, stop) in enumerate(pairwise(cuts)):
        np.matmul(chances[:, start:stop].transpose(0, 2, 1), powers[:, start:stop], out=sums[:, index])
    return sums
