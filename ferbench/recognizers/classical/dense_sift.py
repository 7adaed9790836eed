"""SIFT descriptors on dense grids over many small gray faces at once. NumPy only: no recognizer is imported here.

Both the bilinear vote into 4 x 4 spatial bins and the Gaussian window of a descriptor are products of a weight for the
row and a weight for the column. All descriptors of a grid are therefore two matrix products away from the maps of
oriented gradients, and their values are those of the textbook's loop over pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ferbench.errors import ConfigError, ImagesError
from ferbench.types import Images

_ORIENTATIONS = 8
_BINS = 4
N_VALUES = _BINS * _BINS * _ORIENTATIONS
"""Length of one descriptor."""

_CLIP = 0.2  # no bin of a unit-length descriptor may outweigh this: bright edges vary with the light
_EPSILON = np.float32(1e-6)


def dense_sift(images: Images, *, cells: Sequence[float] = (4.0,), step: float = 2.0) -> NDArray[np.float32]:
    """Describe upright patches on regular grids by SIFT (Lowe, IJCV 2004), as RootSIFT (Arandjelović, CVPR 2012).

    A patch is 4 x 4 cells. Its gradients vote for 8 orientations and for the cells around them by linear
    interpolation, under a Gaussian window whose sigma is two cells. Descriptors are scaled to unit length, clipped at
    0.2, and then the square root of their share of the sum is taken, so that Euclidean distance compares them
    by the Hellinger kernel. A patch without any gradient is all zeros.

    Args:
        images: uint8, (n, height, width).
        cells: Sides of a cell in pixels, at least 1, not necessarily whole: one grid each.
        step: Pixels from one patch's middle to the next's.

    Returns:
        float32, (n, patches, 128): grid by grid, patches row by row as in `patch_centers`; values by row of cells,
        column of cells, orientation.

    Raises:
        ConfigError: a cell or the step is out of range.
        ImagesError: the images are smaller than a patch.
    """
    return np.concatenate(list(sift_grids(images, cells=cells, step=step)), axis=1)


def sift_grids(images: Images, *, cells: Sequence[float], step: float) -> Iterator[NDArray[np.float32]]:
    """The same grid by grid, (n, patches, 128) each: one is in use while it is in the processor's cache."""
    maps = _orientation_maps(images)
    for cell in cells:
        yield _grid(maps, cell, step)


def patch_centers(height: int, width: int, *, cells: Sequence[float], step: float) -> NDArray[np.float64]:
    """Where the middles of `dense_sift`'s patches lie, (patches, 2): row and column, 0 to 1 over the image."""
    grids = []
    for cell in cells:
        rows, columns = _centers(height, cell, step), _centers(width, cell, step)
        grid = np.meshgrid((rows + 0.5) / height, (columns + 0.5) / width, indexing="ij")
        grids.append(np.stack(grid, axis=-1).reshape(-1, 2))
    return np.concatenate(grids)


def mirror_patches(descriptors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The descriptors of the same patches in a mirror, of the shape given: each at the same place in its array."""
    shape = (*descriptors.shape[:-1], _BINS, _BINS, _ORIENTATIONS)
    turned = -(np.arange(_ORIENTATIONS) - _ORIENTATIONS // 2) % _ORIENTATIONS
    return descriptors.reshape(shape)[..., ::-1, turned].reshape(descriptors.shape)


def _grid(maps: NDArray[np.float32], cell: float, step: float) -> NDArray[np.float32]:
    n, _, height, width = maps.shape
    down, across = _weights(height, cell, step), _weights(width, cell, step)
    sums = (maps.reshape(-1, width) @ across.T).reshape(n * _ORIENTATIONS, height, len(across))
    sums = np.matmul(down, sums).reshape(n, _ORIENTATIONS, len(down) // _BINS, _BINS, len(across) // _BINS, _BINS)
    descriptors: NDArray[np.float32] = np.ascontiguousarray(sums.transpose(0, 2, 4, 3, 5, 1))
    descriptors = descriptors.reshape(n, len(down) * len(across) // _BINS**2, N_VALUES)
    # The share of the sum takes care of the length too: what is left of it is where to clip.
    largest = _CLIP * np.sqrt(np.vecdot(descriptors, descriptors))
    np.minimum(descriptors, largest[..., None], out=descriptors)
    descriptors *= 1 / np.maximum(np.add.reduce(descriptors, axis=2, keepdims=True), _EPSILON)
    return np.sqrt(descriptors, out=descriptors)


def _orientation_maps(images: Images) -> NDArray[np.float32]:
    """Gradient magnitude shared out between the two nearest of 8 directions, (n, 8, height, width)."""
    pixels = np.pad(images, ((0, 0), (1, 1), (1, 1)), mode="edge").astype(np.float32)
    down = pixels[:, 2:, 1:-1] - pixels[:, :-2, 1:-1]
    across = pixels[:, 1:-1, 2:] - pixels[:, 1:-1, :-2]
    magnitudes = np.sqrt(down * down + across * across)
    places = np.arctan2(down, across) * np.float32(_ORIENTATIONS / (2 * np.pi))
    lower = np.floor(places)
    upper_part = (places - lower) * magnitudes
    lower_part = magnitudes - upper_part
    lower = lower.astype(np.int8) % _ORIENTATIONS
    maps = np.empty((len(images), _ORIENTATIONS, *images.shape[1:]), np.float32)
    for index in range(_ORIENTATIONS):
        np.multiply(lower_part, lower == index, out=maps[:, index])
        maps[:, index] += upper_part * (lower == (index - 1) % _ORIENTATIONS)
    return maps


@cache
def _centers(size: int, cell: float, step: float) -> NDArray[np.float64]:
    """Middles of the patches that fit into `size` pixels, as evenly far from one end as from the other."""
    if cell < 1 or step <= 0:
        raise ConfigError(f"dense_sift needs cells >= 1 and step > 0, got a cell of {cell} and step={step}.")
    room = size - _BINS * cell
    if room < 0:
        raise ImagesError(f"{size} pixels hold no patch of {_BINS} cells of {cell} pixels: use smaller cells.")
    n = int(room / step) + 1
    return np.asarray((size - 1) / 2 + (np.arange(n) - (n - 1) / 2) * step, dtype=np.float64)


@cache
def _weights(size: int, cell: float, step: float) -> NDArray[np.float32]:
    """What each pixel along one side weighs in each bin of each patch, (patches * 4, size)."""
    centers = _centers(size, cell, step)[:, None, None]
    bins = centers + (np.arange(_BINS)[:, None] - (_BINS - 1) / 2) * cell
    pixels = np.arange(size)
    linear = np.maximum(0, 1 - np.abs(pixels - bins) / cell)
    window = np.exp(-0.5 * ((pixels - centers) / (_BINS / 2 * cell)) ** 2)
    return np.asarray((linear * window).reshape(-1, size), dtype=np.float32)
