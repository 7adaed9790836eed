"""Drawn faces under one condition that grows: the head turned, the light moved aside, part of the face covered.

One seed gives the same persons and expressions at every level. No recognizer is known here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ferbench.data.appearance import OCCLUSIONS
from ferbench.data.synthetic import FACES_A_PERSON, DrawnFaces, draw_faces
from ferbench.types import EMOTIONS

Setting = dict[str, float]
"""Columns of `Scene` by name; what is not named is drawn at random."""

_SIDED = ("yaw", "light_yaw")
_CHANGED = 5  # gray levels

SETTINGS: dict[str, tuple[Setting, ...]] = {
    "yaw": tuple({"yaw": degrees} for degrees in (0.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0)),
    "light": tuple({"light_yaw": degrees} for degrees in (0.0, 15.0, 30.0, 45.0, 60.0, 75.0, 90.0)),
    **{
        kind: (
            {"occlusion": 0.0},
            *({"occlusion": float(index), "occlusion_size": size} for size in (0.0, 0.25, 0.5, 0.75, 1.0)),
        )
        for index, kind in enumerate(OCCLUSIONS)
        if index
    },
}
"""What is set at each level, by condition, from none to most."""


def draw_at(setting: Setting, n: int, *, rng: np.random.Generator, size: int = 48) -> DrawnFaces:
    """Draw faces under one setting; heads, light and hands come from the right and from the left by turns.

    Args:
        setting: One of `SETTINGS`; empty: all is drawn at random.
        n: How many; the emotions are equally frequent.
        rng: Where everything comes from that is not set; what it gives does not depend on the setting.
        size: Height and width in pixels.
    """
    labels = rng.permutation(np.arange(n, dtype=np.int64) % len(EMOTIONS))
    side = np.where(np.arange(n) % 2, -1.0, 1.0)
    fixed: dict[str, ArrayLike] = {name: side * value if name in _SIDED else value for name, value in setting.items()}
    if "occlusion_size" in setting:
        fixed["occlusion_x"] = side if setting["occlusion"] == OCCLUSIONS.index("hand") else 0
    return draw_faces(labels, rng=rng, size=size, faces_a_person=FACES_A_PERSON, **fixed)


def covered_percent(bare: DrawnFaces, covered: DrawnFaces) -> float:
    """Percent of all pixels that what covers the face changes, by itself or by its shadow.

    Args:
        bare: The faces with nothing before them.
        covered: The same faces.
    """
    return 100 * float((np.abs(bare.images.astype(np.int16) - covered.images) > _CHANGED).mean())
