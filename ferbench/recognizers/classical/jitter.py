"""Training faces as other boxes would have cut them out: "jittered" copies (Loosli, Canu and Bottou 2007)."""

from __future__ import annotations

import numpy as np

from ferbench.data.images import seen_through
from ferbench.types import Images

_DEGREES, _SHIFT, _SCALE = 6.0, 0.06, 0.08


def jittered(images: Images, random: np.random.Generator) -> Images:
    """A copy of each face, seen through a box that is turned, shifted and scaled a little, evenly at random.

    At most 6 degrees, 6 % of the side in each direction, and 8 % of the size.

    Args:
        images: uint8, (n, height, width).
        random: Decides how far.
    """
    n, height, width = images.shape
    angles = np.radians(random.uniform(-_DEGREES, _DEGREES, n))
    scales = np.exp(random.uniform(-_SCALE, _SCALE, n))
    cosines, sines = scales * np.cos(angles), scales * np.sin(angles)
    turns = np.stack([cosines, -sines, sines, cosines], axis=1).reshape(n, 2, 2)
    return seen_through(images, turns, random.uniform(-_SHIFT, _SHIFT, (n, 2)) * (width, height))
