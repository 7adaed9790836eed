"""What stands behind the faces of a replay: an out-of-focus room with the statistics of a photograph, drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ferbench.data.images import import_cv2
from ferbench.types import FrameImage

_N_THINGS, _SMALLEST, _LARGEST = 90, 0.06, 0.6
_COLOR, _GRADIENT, _TEXTURE = 8.0, 35.0, 3.0
_COARSEST, _FINEST = 2, 128


def draw_backdrop(height: int, width: int, rng: np.random.Generator) -> FrameImage:
    """Things that cover each other, out of focus, lit from one side, under texture.

    The things are dead leaves with sizes that fall as the cube (Lee, Mumford and Huang 2001), the texture has equal
    power in every octave (Field 1987): both as in photographs.

    Args:
        height: In pixels.
        width: In pixels.
        rng: Where it comes from.

    Returns:
        uint8, (height, width, 3).
    """
    cv2 = import_cv2()
    half = _out_of_focus(height // 2, width // 2, rng)
    image: FrameImage = cv2.resize(half, (width, height), interpolation=cv2.INTER_LINEAR)
    return image


def _out_of_focus(height: int, width: int, rng: np.random.Generator) -> FrameImage:
    cv2 = import_cv2()
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = rng.integers(90, 180)
    share = rng.random(_N_THINGS)
    radii = height * (_SMALLEST**-2 - share * (_SMALLEST**-2 - _LARGEST**-2)) ** -0.5
    centers, angles = rng.random((_N_THINGS, 2)) * (width, height), rng.normal(0, 8, _N_THINGS)
    colors = np.clip(rng.uniform(40, 210, (_N_THINGS, 1)) + rng.normal(0, _COLOR, (_N_THINGS, 3)), 0, 255)
    shapes, is_box = rng.uniform(0.4, 1.6, _N_THINGS), rng.random(_N_THINGS) < 0.7
    for center, radius, shape, angle, color, box in zip(centers, radii, shapes, angles, colors, is_box, strict=True):
        place = (center.tolist(), (2 * radius, 2 * radius * shape), angle)
        if box:
            cv2.fillConvexPoly(canvas, cv2.boxPoints(place).astype(np.int32), color.tolist(), cv2.LINE_AA)
        else:
            cv2.ellipse(canvas, place, color.tolist(), cv2.FILLED, cv2.LINE_AA)
    blurred = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.006, 0.012) * height)
    shade = _gradient(height, width, rng) + _TEXTURE * _texture(height, width, rng)
    image: FrameImage = np.clip(blurred + shade[:, :, None], 0, 255).astype(np.uint8)
    return image


def _gradient(height: int, width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    angle = rng.uniform(0, 2 * np.pi)
    down, across = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)[None]
    return np.asarray(_GRADIENT * (np.cos(angle) * across + np.sin(angle) * down), np.float32)


def _texture(height: int, width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    cv2 = import_cv2()
    texture = np.zeros((height, width), np.float32)
    n_cells = _COARSEST
    while n_cells <= min(_FINEST, height):
        grid = rng.standard_normal((n_cells, max(2, n_cells * width // height)), np.float32)
        texture += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        n_cells *= 2
    return texture
