"""Local binary patterns of many small gray faces at once. NumPy only: no recognizer is imported here.

Codes are exactly those of `skimage.feature.local_binary_pattern(..., method="nri_uniform")`: where a neighbor lies
between pixels, it is interpolated by the same float64 operations in the same order, since in smooth skin their
rounding decides many a comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import ceil, floor
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ferbench.errors import ConfigError
from ferbench.types import Images

Shares: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]

_CHUNK_PIXELS = 8 * 48 * 48  # what one pass works on: its arrays stay in the cache, memory stays flat


def lbp_codes(images: Images, *, points: int = 8, radius: float = 1.0) -> NDArray[np.uint8]:
    """The uniform, not rotation-invariant pattern around each pixel (Ojala, Pietikäinen, Mäenpää, PAMI 2002).

    Args:
        images: uint8, (n, height, width). Outside of it all is black.
        points: Number of neighbors on the circle, 2 to 16.
        radius: Of the circle, in pixels.

    Returns:
        uint8, (n, height, width), each a code below `n_patterns(points)`.

    Raises:
        ConfigError: points or radius is out of range.
    """
    _check(points, radius)
    codes = np.empty(images.shape, np.uint8)
    table = _code_table(points)
    for part in _chunks(images):
        codes[part] = table.take(_patterns(images[part], points, radius))
    return codes


def lbp(images: Images, *, points: int = 8, radii: Sequence[float] = (1.0,), grid: int = 7) -> NDArray[np.float32]:
    """Describe each face by how often each pattern occurs in each cell of a grid over it.

    Ahonen, Hadid, Pietikäinen, "Face description with local binary patterns", PAMI 2006; for expressions: Shan, Gong,
    McOwan, Image and Vision Computing 2009.

    Args:
        images: uint8, (n, height, width).
        points: Number of neighbors on each circle, 2 to 16.
        radii: Of the circles, in pixels.
        grid: Number of rows and of columns of cells. Where it does not divide the image, cells differ by a pixel.

    Returns:
        float32, (n, len(radii) * grid * grid * n_patterns(points)), flattened in this order; each histogram sums to 1.

    Raises:
        ConfigError: a parameter is out of range, or the grid is finer than the images.
    """
    n, height, width = images.shape
    if not radii or not 1 <= grid <= min(height, width):
        raise ConfigError(f"lbp needs a radius and a grid of 1 to {min(height, width)} cells, got {radii} and {grid}.")
    for radius in radii:
        _check(points, radius)
    table = _code_table(points).astype(np.intp)
    size = grid * grid * n_patterns(points)
    offsets, areas = _cells(height, width, grid, n_patterns(points))
    features = np.empty((n, len(radii), grid * grid, n_patterns(points)), np.float32)
    for part in _chunks(images):
        chunk = images[part]
        starts = offsets + np.arange(0, len(chunk) * size, size)[:, None, None]
        for index, radius in enumerate(radii):
            places = table.take(_patterns(chunk, points, radius))
            places += starts
            counts = np.bincount(places.ravel(), minlength=len(chunk) * size)
            features[part, index] = counts.reshape(len(chunk), grid * grid, -1) / areas
    return features.reshape(n, len(radii) * size)


def n_patterns(points: int) -> int:
    """Number of different codes: the uniform patterns, and one for all others."""
    return points * (points - 1) + 3


def _check(points: int, radius: float) -> None:
    if not 2 <= points <= 16 or not radius > 0:
        raise ConfigError(f"lbp needs 2 to 16 points and radii above 0, got points={points}, radius={radius}.")


def _chunks(images: Images) -> list[slice]:
    n, height, width = images.shape
    step = max(1, _CHUNK_PIXELS // (height * width))
    return [slice(start, start + step) for start in range(0, n, step)]


def _patterns(images: Images, points: int, radius: float) -> NDArray[np.unsignedinteger]:
    """Bit p of each pixel tells whether neighbor p is at least as bright, (n, height, width)."""
    n, height, width = images.shape
    margin = ceil(radius) + 1
    padded = np.zeros((n, height + 2 * margin, width + 2 * margin), np.uint8)
    padded[:, margin:-margin, margin:-margin] = images
    stride = padded.shape[2]
    # Row after row, a neighbor is as many values further on for every pixel: what it is in the margin is of no matter.
    pixels = padded.reshape(n, -1)
    exact = pixels.astype(np.float64)
    reach = margin * stride + margin
    center, exact_center = _window(pixels, 0, reach), _window(exact, 0, reach)
    between_columns: dict[float, NDArray[np.float64]] = {}
    patterns = np.zeros(pixels.shape, np.uint8 if points <= 8 else np.uint16)
    found = _window(patterns, 0, reach)
    is_bright = np.empty(found.shape, np.bool_)
    bit = is_bright.view(np.uint8)
    for row_shift, column_shift in reversed(_neighbors(points, radius)):
        row, column = floor(row_shift), floor(column_shift)
        if row == row_shift and column == column_shift:
            np.greater_equal(_window(pixels, row * stride + column, reach), center, out=is_bright)
        else:
            if column_shift not in between_columns:
                shares = _column_shares(column_shift, height, width, margin)
                between_columns[column_shift] = _mixed(exact, column, 1, margin, shares)
            # What lies between columns has lost `margin` values at both ends.
            values = between_columns[column_shift]
            shares = _row_shares(row_shift, height, width, margin)
            values = _mixed(values, row * stride, stride, margin * stride, shares)
            np.greater_equal(values, exact_center, out=is_bright)
        found += found
        found |= bit
    return np.ascontiguousarray(patterns.reshape(padded.shape)[:, margin:-margin, margin:-margin])


def _window(values: NDArray[Any], shift: int, reach: int) -> NDArray[Any]:
    """All values but the first and the last `reach`, `shift` further on."""
    return values[:, reach + shift : values.shape[1] - reach + shift]


def _mixed(
    values: NDArray[np.float64], shift: int, step: int, reach: int, shares: Shares | None
) -> NDArray[np.float64]:
    """The values `shift` further on and those a step behind them, interpolated as scikit-image does."""
    before = _window(values, shift, reach)
    if shares is None:
        return before
    near, far = shares
    mixed: NDArray[np.float64] = before * near
    mixed += _window(values, shift + step, reach) * far
    return mixed


@cache
def _column_shares(shift: float, height: int, width: int, margin: int) -> Shares | None:
    """Of the pixels before and after each place that `_mixed` finds; None: all lies on a pixel.

    They are the same everywhere but for rounding, which scikit-image's have as well.
    """
    far = _fractions(shift, width, margin)
    if far is None:
        return None
    far = np.tile(far, height + 2 * margin)[margin:-margin]
    return 1 - far, far


@cache
def _row_shares(shift: float, height: int, width: int, margin: int) -> Shares | None:
    """Like `_column_shares`, of the rows, among what that one leaves."""
    far = _fractions(shift, height, margin)
    if far is None:
        return None
    stride = width + 2 * margin
    reach = margin * stride + margin
    far = np.repeat(far, stride)[reach:-reach]
    return 1 - far, far


def _fractions(shift: float, size: int, margin: int) -> NDArray[np.float64] | None:
    if shift.is_integer():
        return None
    positions = np.arange(-margin, size + margin) + shift
    return np.asarray(positions - np.floor(positions))


@cache
def _neighbors(points: int, radius: float) -> list[tuple[float, float]]:
    """(row, column) of each neighbor relative to its pixel, rounded to five decimals as in scikit-image."""
    angles = 2 * np.pi * np.arange(points, dtype=np.float64) / points
    radius = float(np.float32(radius))
    rows = np.round(-radius * np.sin(angles), 5)
    columns = np.round(radius * np.cos(angles), 5)
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


@cache
def _code_table(points: int) -> NDArray[np.uint8]:
    """The code of each of the 2**points patterns, numbered as in scikit-image.

    0 for no bit, then `points` rotations for each number of bits, then one for all bits, and the last for every
    pattern that changes between 0 and 1 more than twice around the circle.
    """
    table = np.full(2**points, points * (points - 1) + 2, np.uint8)
    table[0] = 0
    table[-1] = points * (points - 1) + 1
    for n_ones in range(1, points):
        for turn in range(points):
            pattern = sum(1 << (bit - turn) % points for bit in range(n_ones))
            table[pattern] = 1 + (n_ones - 1) * points + turn
    return table


@cache
def _cells(height: int, width: int, grid: int, size: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Where the histogram of each pixel's cell starts, (height, width), and the cells' pixels, (grid * grid, 1)."""
    rows = np.arange(height) * grid // height
    columns = np.arange(width) * grid // width
    cells = rows[:, None] * grid + columns
    return cells * size, np.bincount(cells.ravel()).astype(np.float64)[:, None]
