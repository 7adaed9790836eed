"""Gabor energy of many small gray faces at once. NumPy only: no recognizer is imported here.

A Gabor filter with a round envelope is the product of a wave along the rows and a wave along the columns, so its
response everywhere is one complex matrix product from each side: the values are those of `skimage.filters.gabor`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from math import ceil, cos, log, pi, sin, sqrt

import numpy as np
from numpy.typing import NDArray

from ferbench.errors import ConfigError
from ferbench.recognizers.classical.separable import filter_matrix
from ferbench.types import Images

_BANDWIDTH = 3 / pi * sqrt(log(2) / 2)  # sigma in wavelengths, for a bandwidth of one octave
_REACH = 3.0  # sigmas at which the filters are cut
_CHUNK_IMAGES = 32


def gabor_energy(
    images: Images, *, wavelengths: Sequence[float] = (4.0,), orientations: int = 6, stride: int = 1
) -> NDArray[np.float32]:
    """How strongly each wave is present around each pixel, whatever its phase (Daugman, JOSA A 1985).

    The magnitude of a quadrature pair: of an even and an odd filter, cosine and sine under one Gaussian whose width
    gives a bandwidth of an octave. Orientation k looks for waves that run k * 180 / orientations degrees from the
    columns' direction, clockwise. The image goes on in a mirror beyond its edges.

    Args:
        images: uint8, (n, height, width).
        wavelengths: In pixels, at least 2.
        orientations: Number of orientations.
        stride: Pixels from one place to the next; with an even stride, places lie between pixels.

    Returns:
        float32, (n, len(wavelengths), orientations, height // stride, width // stride).

    Raises:
        ConfigError: a parameter is out of range.
    """
    n, height, width = images.shape
    if not wavelengths or min(wavelengths) < 2 or orientations < 1 or not 1 <= stride <= min(height, width):
        raise ConfigError(
            f"gabor needs wavelengths >= 2, orientations >= 1 and a stride of 1 to {min(height, width)}, got "
            f"wavelengths={wavelengths}, orientations={orientations}, stride={stride}."
        )
    n_rows, n_columns = height // stride, width // stride
    energy = np.empty((n, len(wavelengths) * orientations, n_rows, n_columns), np.float32)
    filters = [(wavelength, pi * turn / orientations) for wavelength in wavelengths for turn in range(orientations)]
    for start in range(0, n, _CHUNK_IMAGES):
        part = slice(start, start + _CHUNK_IMAGES)
        pixels = images[part].astype(np.float32)
        for index, (wavelength, angle) in enumerate(filters):
            down, across = _waves(height, width, wavelength, angle, stride)
            both = down @ (pixels @ across)
            real = both[:, :n_rows, :n_columns] - both[:, n_rows:, n_columns:]
            imaginary = both[:, :n_rows, n_columns:] + both[:, n_rows:, :n_columns]
            np.hypot(real, imaginary, out=energy[part, index])
    return energy.reshape(n, len(wavelengths), orientations, n_rows, n_columns)


def gabor_grid(
    images: Images,
    *,
    wavelengths: Sequence[float] = (4.0, 6.0, 9.0, 13.0),
    orientations: int = 6,
    stride: int = 2,
    grid: int = 6,
) -> NDArray[np.float32]:
    """Describe each face by the mean `gabor_energy` in each cell of a grid over it.

    Args:
        images: uint8, (n, height, width).
        wavelengths: As for `gabor_energy`.
        orientations: As for `gabor_energy`.
        stride: As for `gabor_energy`.
        grid: Number of rows and of columns of cells. Where it does not divide the places, cells differ by one.

    Returns:
        float32, (n, len(wavelengths), orientations, grid, grid).

    Raises:
        ConfigError: a parameter is out of range, or the grid is finer than the places.
    """
    energy = gabor_energy(images, wavelengths=wavelengths, orientations=orientations, stride=stride)
    n_rows, n_columns = energy.shape[3:]
    if not 1 <= grid <= min(n_rows, n_columns):
        raise ConfigError(f"gabor needs a grid of 1 to {min(n_rows, n_columns)} cells at this stride, got {grid}.")
    return np.asarray(_means(n_rows, grid) @ energy @ _means(n_columns, grid).T)


@cache
def _waves(
    height: int, width: int, wavelength: float, angle: float, stride: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Real parts and then imaginary parts of both factors, (2 * rows, height) and (width, 2 * columns)."""
    sigma = _BANDWIDTH * wavelength
    share = 1 / sqrt(2 * pi) / sigma
    factors = []
    for size, along, beside in ((height, sin(angle), cos(angle)), (width, cos(angle), sin(angle))):
        radius = ceil(max(abs(_REACH * sigma * along), abs(_REACH * sigma * beside), 1))
        wave = partial(_wave, sigma=sigma, turns=along / wavelength)
        matrix = share * filter_matrix(wave, radius, size, stride=stride)
        factors.append(np.concatenate([matrix.real, matrix.imag]).astype(np.float32))
    return factors[0], np.ascontiguousarray(factors[1].T)


def _wave(distances: NDArray[np.float64], sigma: float, turns: float) -> NDArray[np.complex128]:
    return np.asarray(np.exp(-0.5 * (distances / sigma) ** 2 + 2j * pi * turns * distances))


@cache
def _means(size: int, grid: int) -> NDArray[np.float32]:
    cells = np.arange(size) * grid // size == np.arange(grid)[:, None]
    return np.asarray(cells / cells.sum(axis=1, keepdims=True), dtype=np.float32)
