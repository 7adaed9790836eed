"""How a detector's boxes lie on faces, and from that the square of each face that a recognizer should see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ferbench.types import Boxes


@dataclass(frozen=True, slots=True)
class Framing:
    """Where the square to cut out lies on a box. What is measured in sides of the box is its geometric mean side.

    A detector's numbers are fitted to faces of known framing: those of FER2013, on which recognizers learn.

    Attributes:
        scale: Side of the square, in sides of the box.
        right: How far the square's center lies to the right of the box's, in sides of the box.
        down: How far it lies below, likewise.
        level: Whether the square turns with the head until the eyes are level, where the detector gives them.
    """

    scale: float = 1.0
    right: float = 0.0
    down: float = 0.0
    level: bool = False

    def squares(self, boxes: Boxes, eyes: NDArray[np.float32] | None = None) -> NDArray[np.float64]:
        """The squares to cut out.

        Args:
            boxes: int32, (n, 4).
            eyes: float32, (n, 2, 2): x and y of both eyes, the left one in the picture first; None: not known.

        Returns:
            float64, (n, 4): x and y of the center, the side, all in pixels, and by how many degrees its upper edge is
            turned clockwise.
        """
        corners = boxes.astype(np.float64)
        sides = corners[:, 2:] - corners[:, :2]
        side = np.sqrt(sides.prod(axis=1))
        roll = np.zeros(len(boxes))
        if self.level and eyes is not None:
            across = eyes[:, 1].astype(np.float64) - eyes[:, 0]
            roll = np.degrees(np.arctan2(across[:, 1], across[:, 0]))
        turn = np.radians(roll)
        x = corners[:, 0] + sides[:, 0] / 2 + side * (self.right * np.cos(turn) - self.down * np.sin(turn))
        y = corners[:, 1] + sides[:, 1] / 2 + side * (self.right * np.sin(turn) + self.down * np.cos(turn))
        return np.stack([x, y, side * self.scale, roll], axis=1)
