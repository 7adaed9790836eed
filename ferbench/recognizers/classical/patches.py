"""Learnt convolutional patches: small whitened pieces of a face, compared with the means of a k-means. NumPy only."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ferbench.types import Images

_CONTRAST = 10.0  # added to a patch's variance: flat patches stay flat, their noise is not blown up
_WHITENING = 0.1  # added to the variances that whitening divides by, for patches of unit variance


def normalized_patches(images: Images, size: int, stride: int = 1) -> NDArray[np.float32]:
    """The `size` x `size` patches, each less its mean, over its standard deviation; one every `stride` pixels.

    Returns:
        float32, (n, rows, columns, size * size).
    """
    windows = sliding_window_view(images, (size, size), axis=(1, 2))[:, ::stride, ::stride]
    patches = windows.reshape(*windows.shape[:3], -1).astype(np.float32)
    patches -= patches.mean(axis=3, keepdims=True)
    variances = np.einsum("nrcv,nrcv->nrc", patches, patches) / np.float32(size * size)
    patches /= np.sqrt(variances + np.float32(_CONTRAST))[..., None]
    return patches


def zca(patches: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(mean, matrix) such that `(patches - mean) @ matrix` is uncorrelated and looks like the patches (Bell 1997)."""
    mean = patches.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(patches - mean, rowvar=False))
    matrix = (vectors / np.sqrt(np.maximum(values, 0) + _WHITENING)) @ vectors.T
    return mean, matrix.astype(np.float32)


def triangle_activations(patches: NDArray[np.float32], centroids: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much nearer than on average each centroid is, at least 0 (Coates, Lee, Ng, AISTATS 2011).

    Args:
        patches: (rows, d), whitened.
        centroids: (k, d).

    Returns:
        float32, (rows, k).
    """
    distances: NDArray[np.float32] = patches @ (-2 * centroids.T)
    distances += np.einsum("rv,rv->r", patches, patches)[:, None]
    distances += np.einsum("kv,kv->k", centroids, centroids)
    np.sqrt(np.maximum(distances, 0, out=distances), out=distances)
    np.subtract(distances.mean(axis=1, keepdims=True), distances, out=distances)
    return np.maximum(distances, 0, out=distances)
