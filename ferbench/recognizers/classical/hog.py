"""Histograms of oriented gradients of many small gray faces at once. NumPy only: no recognizer is imported here.

The gradients of 8-bit pixels are whole numbers from -255 to 255, so a pixel's orientation bin and magnitude are read
from a table with one entry for each pair of gradients instead of being computed: the values are those of
`skimage.feature.hog` with `block_norm="L2-Hys"`, at many times its speed.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ferbench.errors import ConfigError, ImagesError
from ferbench.types import Images

_CHUNK_PIXELS = 16 * 48 * 48  # what one pass works on: its arrays stay in the cache, memory stays flat
_EPSILON = 1e-5
_CLIP = 0.2  # the "Hys" of L2-Hys


def hog(
    images: Images, *, orientations: int = 9, cell: int = 6, block: int = 3, signed: bool = False
) -> NDArray[np.float32]:
    """Describe each face by its histograms of oriented gradients (Dalal & Triggs, CVPR 2005).

    Each pixel votes with its gradient's magnitude for the orientation bin that it falls in, without interpolation;
    votes are summed over cells, and blocks of cells, one cell apart, are normalized by L2-Hys. Pixels beyond the last
    whole cell are ignored.

    Args:
        images: uint8, (n, height, width).
        orientations: Number of orientation bins.
        cell: Side of a cell in pixels, an even number.
        block: Side of a block in cells.
        signed: Tell dark-to-bright from bright-to-dark: bins over 360 degrees in place of 180. An extension that
            scikit-image does not have.

    Returns:
        float32, (n, rows of blocks * columns of blocks * block * block * orientations), flattened in this order.
        Unsigned values are within 1e-6 of `skimage.feature.hog`.

    Raises:
        ConfigError: orientations, cell or block is out of range.
        ImagesError: the images are smaller than one block.
    """
    if orientations < 1 or block < 1 or cell < 2 or cell % 2:
        raise ConfigError(
            f"hog needs orientations >= 1, block >= 1 and an even cell >= 2, got orientations={orientations}, "
            f"block={block}, cell={cell} (scikit-image leaves a row and a column of odd cells out)."
        )
    n, height, width = images.shape
    rows, columns = height // cell, width // cell
    if min(rows, columns) < block:
        raise ImagesError(
            f"images of {height} x {width} pixels hold no block of {block} x {block} cells of {cell} pixels: "
            f"use images of at least {block * cell} x {block * cell}, or smaller cells or blocks."
        )
    size = (rows - block + 1) * (columns - block + 1) * block * block * orientations
    features = np.empty((n, size), np.float32)
    step = max(1, _CHUNK_PIXELS // (height * width))
    for start in range(0, n, step):
        part = slice(start, start + step)
        histograms = _cell_histograms(images[part], orientations, cell, signed)
        _normalize_blocks(histograms, block, features[part])
    return features


def _cell_histograms(images: Images, orientations: int, cell: int, signed: bool) -> NDArray[np.float64]:
    """Sum of gradient magnitudes by cell and bin, (n, rows of cells, columns of cells, orientations)."""
    n, height, width = images.shape
    rows, columns = height // cell, width // cell
    pixels = images[:, : rows * cell + 1, : columns * cell + 1].astype(np.intp)
    pairs = np.full((n, rows * cell, columns * cell), 255 * 511 + 255)  # 511 * (g_row + 255) + g_column + 255
    last = min(columns * cell, width - 1)
    pairs[:, :, 1:last] += pixels[:, : rows * cell, 2 : last + 1]
    pairs[:, :, 1:last] -= pixels[:, : rows * cell, : last - 1]
    pixels *= 511
    last = min(rows * cell, height - 1)
    pairs[:, 1:last] += pixels[:, 2 : last + 1, : columns * cell]
    pairs[:, 1:last] -= pixels[:, : last - 1, : columns * cell]
    bins, magnitudes = _gradient_table(orientations, signed)
    votes = magnitudes.take(pairs)
    places = bins.take(pairs)
    places += _cell_offsets(rows, columns, cell, orientations)
    if n > 1:
        places += np.arange(0, n * rows * columns * orientations, rows * columns * orientations)[:, None, None]
    sums = np.bincount(places.ravel(), votes.ravel(), minlength=n * rows * columns * orientations)
    return np.asarray(sums, dtype=np.float64).reshape(n, rows, columns, orientations)


def _normalize_blocks(histograms: NDArray[np.float64], block: int, out: NDArray[np.float32]) -> None:
    n, rows, columns, orientations = histograms.shape
    height, width = rows - block + 1, columns - block + 1
    cells = np.einsum("nrco,nrco->nrc", histograms, histograms)
    places = [(row, column) for row in range(block) for column in range(block)]
    energy = np.full((n, height, width), _EPSILON**2)
    for row, column in places:
        energy += cells[:, row : row + height, column : column + width]
    scale = (1 / np.sqrt(energy)).astype(np.float32)[..., None]
    values = histograms.astype(np.float32)
    blocks = out.reshape(n, height, width, block, block, orientations)
    for row, column in places:
        window = values[:, row : row + height, column : column + width]
        np.multiply(window, scale, out=blocks[:, :, :, row, column])
    np.minimum(out, _CLIP, out=out)
    flat = out.reshape(n, height * width, block * block * orientations)
    flat /= np.sqrt(np.einsum("nbf,nbf->nb", flat, flat) + np.float32(_EPSILON**2))[..., None]


@cache
def _gradient_table(orientations: int, signed: bool) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Bin and magnitude for every pair of gradients, at 511 * (row gradient + 255) + column gradient + 255.

    Angles are float64 and the edges of the bins float32, as in scikit-image. An angle that rounding has put beyond the
    last edge falls in no bin there: here its magnitude is 0.
    """
    gradient = np.arange(-255.0, 256.0)
    row, column = gradient[:, None], gradient[None, :]
    turn = 360.0 if signed else 180.0
    angles = np.arctan2(row, column) * (180 / np.pi) % turn
    edges = (turn / orientations * np.arange(orientations + 1)).astype(np.float32).astype(np.float64)
    bins = np.searchsorted(edges, angles, side="right") - 1
    outside = bins >= orientations
    magnitudes = np.where(outside, 0.0, np.hypot(column, row))
    return np.where(outside, 0, bins).ravel(), magnitudes.ravel()


@cache
def _cell_offsets(rows: int, columns: int, cell: int, orientations: int) -> NDArray[np.intp]:
    """Where each pixel's histogram starts among those of its image, (rows * cell, columns * cell)."""
    cells = np.arange(rows * columns).reshape(rows, columns) * orientations
    return cells.repeat(cell, axis=0).repeat(cell, axis=1)
