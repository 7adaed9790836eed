"""Photometric normalization: what a face looks like under even light. It knows no feature and no recognizer."""

from __future__ import annotations

from functools import cache, partial
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ferbench.recognizers.classical.separable import filter_matrix
from ferbench.types import Images

Normalization: TypeAlias = Literal["none", "tan_triggs"]
"""What is done to the light before features are computed."""

_GAMMA = 0.2
_SIGMAS = (1.0, 2.0)
_ALPHA = 0.1
_TAU = 10.0
_WIDTH = 4.0  # sigmas that a Gaussian reaches
_DECIMALS = 10  # what is flat stays flat: no rounding noise is blown up
_EPSILON = 1e-6


def tan_triggs(images: Images) -> NDArray[np.float32]:
    """Take shadows, shading and contrast out of faces (Tan and Triggs, IEEE TIP 2010).

    Gamma correction with an exponent of 0.2, a difference of Gaussians of sigma 1 and 2, and contrast equalization in
    two stages with alpha 0.1 and tau 10, all as in the paper. A flat face is all zeros.

    Args:
        images: uint8, (n, height, width).

    Returns:
        float32, (n, height, width), -10 to 10.
    """
    bright = ((np.arange(256) / 255) ** _GAMMA)[images]
    height, width = images.shape[1:]
    # A stack of products of one shape each: a face has the same values alone and in company.
    inner, outer = (_gaussian(height, sigma) @ bright @ _gaussian(width, sigma).T for sigma in _SIGMAS)
    values = np.round(inner - outer, _DECIMALS)
    values /= _power_mean(np.abs(values))
    values /= _power_mean(np.minimum(np.abs(values), _TAU))
    return (_TAU * np.tanh(values / _TAU)).astype(np.float32)


def normalize(images: Images, normalization: Normalization) -> Images:
    """The faces as `normalization` leaves them, in 8 bits: `tan_triggs`' 0 is gray 128."""
    if normalization == "none":
        return images
    gray: Images = np.rint(128 + 127 / _TAU * tan_triggs(images)).astype(np.uint8)
    return gray


def _power_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    means = np.mean(values**_ALPHA, axis=(1, 2), keepdims=True) ** (1 / _ALPHA)
    return np.asarray(np.maximum(means, _EPSILON))


@cache
def _gaussian(size: int, sigma: float) -> NDArray[np.float64]:
    matrix = filter_matrix(partial(_bell, sigma=sigma), _WIDTH * sigma, size)
    return np.asarray(matrix / matrix.sum(axis=1, keepdims=True))


def _bell(distances: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    return np.exp(-0.5 * (distances / sigma) ** 2)
