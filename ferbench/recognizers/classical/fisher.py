"""Fisher vectors: one long vector for a set of local descriptors. It knows nothing of images or of SIFT."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_EPSILON = 1e-12
_LEAST_LOG = np.float32(-60)  # of a chance: products with smaller ones are denormal, and take ten times as long


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
    return _chances(_powers(descriptors), _log_terms(mixture)).T


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
    member = np.array([[start <= cut < stop for cut in cuts[:-1]] for start, stop in bounds], np.float32)
    parts = member @ sums.reshape(n, len(cuts) - 1, len(weights) * (2 * d + 1))
    parts = parts.reshape(n, len(regions), len(weights), 2 * d + 1)
    mass, first, second = parts[..., :1], parts[..., 1 : d + 1], parts[..., d + 1 :]
    root_weights = np.sqrt(weights)[:, None]
    vectors = np.empty((n, len(regions), 2, len(weights), d), np.float32)
    vectors[:, :, 0] = (first - mass * means) / (np.sqrt(variances) * root_weights)
    spread = (second - 2 * means * first + means**2 * mass) / variances - mass
    vectors[:, :, 1] = spread / (np.sqrt(np.float32(2)) * root_weights)
    flat = vectors.reshape(n, len(regions), -1)
    roots = np.abs(flat)
    lengths = np.sqrt(roots.sum(axis=2, keepdims=True))
    np.sqrt(roots, out=roots)
    roots *= 1 / np.maximum(lengths, _EPSILON)
    return np.copysign(roots, flat, out=roots).reshape(n, -1)


def _moments(descriptors: NDArray[np.float32], mixture: Mixture, cuts: Sequence[int]) -> NDArray[np.float32]:
    """Between each two cuts, each Gaussian's share of 1, of the descriptors and of their squares."""
    n, _, d = descriptors.shape
    terms = _log_terms(mixture)
    sums = np.empty((n, len(cuts) - 1, len(terms), 2 * d + 1), np.float32)
    for index, points in enumerate(descriptors):  # what one set makes stays in the processor's cache
        powers = _powers(points)
        chances = _chances(powers, terms)
        for place, (start, stop) in enumerate(pairwise(cuts)):
            np.matmul(chances[:, start:stop], powers[start:stop], out=sums[index, place])
    return sums


def _powers(descriptors: NDArray[np.float32]) -> NDArray[np.float32]:
    """1, the values and their squares, (points, 2 * d + 1)."""
    n_points, d = descriptors.shape
    powers = np.empty((n_points, 2 * d + 1), np.float32)
    powers[:, 0] = 1
    powers[:, 1 : d + 1] = descriptors
    np.multiply(descriptors, descriptors, out=powers[:, d + 1 :])
    return powers


def _log_terms(mixture: Mixture) -> NDArray[np.float32]:
    """What each power adds to the logarithm of each Gaussian's chance, (k, 2 * d + 1)."""
    weights, means, variances = mixture
    constants = np.log(weights) - 0.5 * (np.log(variances) + means**2 / variances).sum(axis=1)
    return np.concatenate([constants[:, None], means / variances, -0.5 / variances], axis=1)


def _chances(powers: NDArray[np.float32], terms: NDArray[np.float32]) -> NDArray[np.float32]:
    """How probably each Gaussian gave each descriptor, (k, points)."""
    chances: NDArray[np.float32] = terms[:, 1:] @ powers[:, 1:].T
    chances += terms[:, :1]  # the largest numbers last: they leave the others their digits
    chances -= np.maximum.reduce(chances, axis=0)
    np.maximum(chances, _LEAST_LOG, out=chances)
    np.exp(chances, out=chances)
    chances *= 1 / np.add.reduce(chances, axis=0)
    return chances
