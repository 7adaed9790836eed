"""Histograms of oriented gradients of many small gray faces at once. NumPy only: no recognizer is imported here.

The gradients of 8-bit pixels are whole numbers from -255 to 255, so a pixel's orientation bin is read from a table with
one byte for each pair of gradients instead of being computed: the values are those of `skimage.feature.hog` with
`block_norm="L2-Hys"`, at many times its speed.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ferbench.errors import ConfigError, ImagesError
from ferbench.types import Images

_DOWN, _CENTER = np.float32(511), np.float32(255 * 511 + 255)  # a step down in the table of bins, and its center
_CHUNK_PIXELS = 16 * 48 * 48  # what one pass works on: its arrays stay in the cache, memory stays flat
_EPSILON = np.float32(1e-20)  # keeps blocks without a vote at 0
_CLIP = np.float32(0.2)  # the "Hys" of L2-Hys


def hog(
    images: Images,
    *,
    orientations: int = 9,
    cell: int = 6,
    block: int = 3,
    signed: bool = False,
    interpolated: bool = False,
    levels: int = 1,
) -> NDArray[np.float32]:
    """Describe each face by its histograms of oriented gradients (Dalal & Triggs, CVPR 2005).

    Each pixel votes with its gradient's magnitude for the orientation bin that it falls in; votes are summed over
    cells, and blocks of cells, one cell apart, are normalized by L2-Hys. Pixels beyond the last whole cell are ignored.

    Args:
        images: uint8, (n, height, width).
        orientations: Number of orientation bins.
        cell: Side of a cell in pixels, an even number.
        block: Side of a block in cells.
        signed: Tell dark-to-bright from bright-to-dark: bins over 360 degrees in place of 180. An extension that
            scikit-image does not have.
        interpolated: Share each vote between the nearest bins, rows and columns of cells, by its distance from their
            centers, as Dalal and Triggs do and scikit-image does not. The places of votes are first rounded to
            half cells and half bins.
        levels: Append what cells twice, four times, ... as large see of interpolated votes: a pyramid of histograms
            (Bosch, Zisserman and Munoz, "Representing shape with a spatial pyramid kernel", CIVR 2007).

    Returns:
        float32, (n, rows of blocks * columns of blocks * block * block * orientations), flattened in this order, one
        level after the other.
        Unsigned values that are not interpolated are within 1e-6 of `skimage.feature.hog`.

    Raises:
        ConfigError: orientations, cell, block or levels is out of range.
        ImagesError: the images are smaller than one block.
    """
    n, height, width = images.shape
    _check_fit(height, width, orientations, cell, block, interpolated, levels)
    cells = _block_cells(height // cell, width // cell, block, levels)
    features = np.empty((n, *cells.shape, orientations), np.float32)
    step = max(1, _CHUNK_PIXELS // (height * width))
    for start in range(0, n, step):
        part = slice(start, start + step)
        if interpolated:
            histograms = _shared_histograms(images[part], orientations, cell, signed, levels)
        else:
            histograms = _cell_histograms(images[part], orientations, cell, signed).astype(np.float32)
        of_cells = histograms.reshape(len(histograms), -1, orientations)
        of_cells.take(cells, axis=1, out=features[part], mode="clip")
        _normalize_blocks(features[part].reshape(len(histograms), len(cells), -1))
    return features.reshape(n, cells.size * orientations)


@cache
def mirrored_pairs(
    height: int, width: int, *, orientations: int, cell: int, block: int, signed: bool, levels: int = 1
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Places of interpolated values, and where the mirror image has the same value; one of each such pair.

    Args:
        height: Of the images, in pixels.
        width: Of the images, in pixels: a whole number of cells.
        orientations: As for `hog`, as are the others; signed ones in an even number.
        cell: Side of a cell in pixels.
        block: Side of a block in cells.
        signed: Bins over 360 degrees.
        levels: Of the pyramid.

    Raises:
        ConfigError: cells or bins are not where they were when the image is mirrored.
    """
    if width % cell or (signed and orientations % 2):
        raise ConfigError(
            f"symmetric hog needs images a whole number of cells wide and, signed, an even number of orientations, got "
            f"a width of {width}, cell={cell}, orientations={orientations}."
        )
    turned = -np.arange(orientations) + (orientations // 2 if signed else 0)  # an angle a becomes 180 - a
    places, mirrored, n_before = [], [], 0
    for side in [cell << level for level in range(levels)]:
        rows, columns = height // side - block + 1, width // side - block + 1
        ours = n_before + np.arange(rows * columns * block * block * orientations)
        theirs = ours.reshape(rows, columns, block, block, orientations)[:, ::-1, :, ::-1]
        theirs = theirs[..., turned % orientations].ravel()
        is_first = ours <= theirs
        places.append(ours[is_first])
        mirrored.append(theirs[is_first])
        n_before += len(ours)
    return np.concatenate(places), np.concatenate(mirrored)


def _check_fit(
    height: int, width: int, orientations: int, cell: int, block: int, interpolated: bool, levels: int
) -> None:
    if orientations < 1 or block < 1 or cell < 2 or cell % 2:
        raise ConfigError(
            f"hog needs orientations >= 1, block >= 1 and an even cell >= 2, got orientations={orientations}, "
            f"block={block}, cell={cell} (scikit-image leaves a row and a column of odd cells out)."
        )
    coarsest = cell << (levels - 1) if levels > 0 else 0
    if levels < 1 or (levels > 1 and (not interpolated or height % coarsest or width % coarsest)):
        raise ConfigError(
            f"hog of several levels needs interpolated votes and images a whole number of the largest cells high and "
            f"wide, got levels={levels}, cell={cell}, interpolated={interpolated} and {height} x {width} pixels."
        )
    if min(height // coarsest, width // coarsest) < block:
        raise ImagesError(
            f"images of {height} x {width} pixels hold no block of {block} x {block} cells of {coarsest} pixels: "
            f"use images of at least {block * coarsest} x {block * coarsest}, or smaller cells or blocks."
        )


def _cell_histograms(
    images: Images, orientations: int, cell: int, signed: bool, centered: bool = False
) -> NDArray[np.float64]:
    """Sum of gradient magnitudes by cell and bin, (n, rows of cells, columns of cells, orientations)."""
    n, height, width = images.shape
    rows, columns = height // cell, width // cell
    down, right = _gradients(images)
    if (height, width) != (rows * cell, columns * cell):
        down, right = (gradient[:, : rows * cell, : columns * cell] for gradient in (down, right))
    pairs = down * _DOWN
    pairs += right
    pairs += _CENTER
    bins = _bin_table(orientations, signed, centered).take(pairs.astype(np.intp), mode="clip")
    places = _cell_offsets(rows, columns, cell, orientations) + bins
    if n > 1:
        places += np.arange(0, n * rows * columns * orientations, rows * columns * orientations)[:, None, None]
    down *= down
    right *= right
    down += right
    votes = np.sqrt(down, out=down).astype(np.float64)
    sums = np.bincount(places.ravel(), votes.ravel(), minlength=n * rows * columns * orientations)
    return np.asarray(sums, dtype=np.float64).reshape(n, rows, columns, orientations)


def _gradients(images: Images) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How much brighter it gets down the rows and along the columns; beyond the image nothing changes."""
    n, height, width = images.shape
    pixels = images.astype(np.float32).reshape(n, -1)
    down, right = np.empty(images.shape, np.float32), np.empty(images.shape, np.float32)
    # Row after row, one pass over all: the values at the edges are then put right.
    np.subtract(pixels[:, 2 * width :], pixels[:, : -2 * width], out=down.reshape(n, -1)[:, width:-width])
    np.subtract(pixels[:, 2:], pixels[:, :-2], out=right.reshape(n, -1)[:, 1:-1])
    down[:, :: height - 1] = 0
    right[:, :, :: width - 1] = 0
    return down, right


def _shared_histograms(images: Images, orientations: int, cell: int, signed: bool, levels: int) -> NDArray[np.float32]:
    """Like `_cell_histograms`, each vote shared between the nearest bins and cells.

    (n, rows of all levels, columns of all levels, orientations): the cells of a level are where its rows meet its
    columns. What lies where they meet another level's is of no use, and cheaper made than left out.
    """
    n, height, width = images.shape
    rows, columns = height // cell, width // cell
    images = images[:, : rows * cell, : columns * cell]
    votes = _cell_histograms(images, 2 * orientations, cell // 2, signed, centered=True).astype(np.float32)
    # Small products in turn: down the rows, along the columns, both for all levels at once, and last along the bins.
    shares = _cell_shares(rows, levels), _cell_shares(columns, levels)
    values = np.matmul(shares[0], votes.reshape(n, 2 * rows, -1)).reshape(n, -1, 2 * columns, 2 * orientations)
    values = np.matmul(shares[1], values)
    shared: NDArray[np.float32] = values.reshape(-1, 2 * orientations) @ _bin_shares(orientations)
    return shared.reshape(*values.shape[:3], orientations)


def _normalize_blocks(blocks: NDArray[np.float32]) -> None:
    """L2-Hys of each block in place, (n, blocks, values): normalized, cut off and normalized again."""
    # The first division is left out: the second would undo it.
    energy = np.vecdot(blocks, blocks)[..., None]
    np.minimum(blocks, _CLIP * np.sqrt(energy), out=blocks)
    energy = np.vecdot(blocks, blocks)[..., None]
    energy += _EPSILON
    blocks /= np.sqrt(energy, out=energy)


@cache
def _bin_table(orientations: int, signed: bool, centered: bool) -> NDArray[np.unsignedinteger]:
    """Bin of every pair of gradients, at 511 * (255 + down) + 255 + right, in as few bytes as can hold it.

    The first bin begins at 0 degrees or, `centered`, lies around it. Angles are float64 and the edges of bins that are
    not centered float32, as in scikit-image.
    """
    gradient = np.arange(-255.0, 256.0)
    turn = 360.0 if signed else 180.0
    angles = np.arctan2(gradient[:, None], gradient) * (180 / np.pi) % turn
    if centered:
        bins = np.rint(angles * (orientations / turn)).astype(np.intp) % orientations
    else:
        edges = (turn / orientations * np.arange(orientations)).astype(np.float32).astype(np.float64)
        bins = np.searchsorted(edges, angles, side="right") - 1
    return np.asarray(bins.ravel(), dtype=np.min_scalar_type(orientations))


@cache
def _cell_offsets(rows: int, columns: int, cell: int, orientations: int) -> NDArray[np.intp]:
    """Where each pixel's histogram starts among those of its image, (rows * cell, columns * cell)."""
    cells = np.arange(rows * columns).reshape(rows, columns) * orientations
    return cells.repeat(cell, axis=0).repeat(cell, axis=1)


@cache
def _block_cells(rows: int, columns: int, block: int, levels: int) -> NDArray[np.intp]:
    """Which of an image's histograms each block is made of, (blocks, block * block)."""
    all_rows, all_columns = (sum(cells >> level for level in range(levels)) for cells in (rows, columns))
    numbers = np.arange(all_rows * all_columns).reshape(all_rows, all_columns)
    of_levels, row, column = [], 0, 0
    for level in range(levels):
        cells = numbers[row : row + (rows >> level), column : column + (columns >> level)]
        of_levels.append(sliding_window_view(cells, (block, block)).reshape(-1, block * block))
        row, column = row + (rows >> level), column + (columns >> level)
    return np.concatenate(of_levels)


@cache
def _cell_shares(cells: int, levels: int) -> NDArray[np.float32]:
    """What each cell of each level gets of a vote in each half of the smallest cells, (cells of all, 2 * cells)."""
    return np.concatenate([_level_shares(cells, level) for level in range(levels)])


@cache
def _level_shares(cells: int, level: int) -> NDArray[np.float32]:
    """The same of one level: half a cell of it is 2 ** level halves of the smallest."""
    n_cells = cells >> level
    distances = np.abs(np.arange(2 * n_cells) - 2 * np.arange(n_cells)[:, None] - 0.5) / 2
    return np.asarray(np.maximum(0, 1 - distances), dtype=np.float32).repeat(1 << level, axis=1)


@cache
def _bin_shares(orientations: int) -> NDArray[np.float32]:
    """What each bin gets of a vote in each half bin, (2 * orientations, orientations); odd ones lie between two."""
    shares = np.zeros((2 * orientations, orientations), np.float32)
    bins = np.arange(orientations)
    shares[2 * bins, bins] = 1
    shares[2 * bins + 1, bins] = 0.5
    shares[2 * bins + 1, (bins + 1) % orientations] += 0.5
    return shares
