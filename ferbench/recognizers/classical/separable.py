"""Filters along one side of small images, as matrices: a separable filter is one product from each side. NumPy only."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray


def filter_matrix(
    weights: Callable[[NDArray[np.float64]], NDArray[Any]], radius: float, size: int, *, stride: int = 1
) -> NDArray[Any]:
    """The matrix that filters `size` pixels and keeps one value every `stride` pixels.

    Beyond both ends the pixels are seen in a mirror, the last one twice, as in `scipy.ndimage`'s mode "reflect". Values
    lie as far from one end as from the other; with an even stride, they lie between pixels.

    Args:
        weights: The filter, of the distance from a value back to a pixel.
        radius: Pixels further away than this weigh nothing.
        size: Of the side in pixels.
        stride: Pixels from one value to the next.

    Returns:
        (size // stride, size), of the dtype of the weights.
    """
    n = size // stride
    centers = (size - 1) / 2 + (np.arange(n) - (n - 1) / 2) * stride
    margin = ceil(radius) + 1
    distances = np.asarray(centers[:, None] - np.arange(-margin, size + margin), dtype=np.float64)
    values = np.where(np.abs(distances) <= radius, weights(distances), 0)
    sources = np.pad(np.arange(size), margin, mode="symmetric")
    return np.asarray(values @ (sources[:, None] == np.arange(size)).astype(np.float64))
