"""Shapes and text on one picture, in sizes that suit it. Knows pixels and colors, not what they mean.

Whatever reaches over the border of the picture is cut off there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np

from ferbench.data.images import import_cv2
from ferbench.realtime.lettering import MIN_CAP, Mask, inked
from ferbench.types import FrameImage

Color: TypeAlias = tuple[int, int, int]
"""Blue, green, red, 0 to 255."""

_SHADE, _SHADE_SHARE = 14, 0.2
_CAP_SHARE = 0.021


class Area(NamedTuple):
    """A rectangle of pixels; x2 and y2 are exclusive."""

    x1: int
    y1: int
    x2: int
    y2: int

    @property
    def width(self) -> int:
        """Columns."""
        return self.x2 - self.x1

    @property
    def height(self) -> int:
        """Rows."""
        return self.y2 - self.y1

    def overlaps(self, other: Area) -> bool:
        """Whether the two share a pixel."""
        return self.x1 < other.x2 and other.x1 < self.x2 and self.y1 < other.y2 and other.y1 < self.y2

    def holds(self, other: Area) -> bool:
        """Whether all of `other` lies in this one."""
        return self.x1 <= other.x1 and self.y1 <= other.y1 and other.x2 <= self.x2 and other.y2 <= self.y2


class Canvas:
    """A picture being drawn on, in place.

    Attributes:
        image: uint8, (height, width, 3), BGR.
        area: All of it.
        cap: Height of a capital letter of ordinary text in pixels; everything else is measured by it.
        small: The same of small text.
    """

    def __init__(self, image: FrameImage) -> None:
        height, width = image.shape[:2]
        self.image = image
        self.area = Area(0, 0, width, height)
        side = min(height, 0.75 * width)
        self.cap = max(MIN_CAP, round(_CAP_SHARE * side))
        self.small = max(MIN_CAP, round(0.8 * _CAP_SHARE * side))
        self._cv2 = import_cv2()

    def shade(self, area: Area, radius: int = 0) -> None:
        """Darken an area so that light text on it can be read whatever was there, round at the corners."""
        with self._rounded(area, radius) as pixels:
            if pixels.size:
                self._cv2.convertScaleAbs(pixels, pixels, _SHADE_SHARE, _SHADE)

    def fill(self, area: Area, color: Color, radius: int = 0) -> None:
        """Cover an area with a color, round at the corners."""
        if radius:
            with self._rounded(area, radius) as pixels:
                pixels[:] = color
        elif area.width > 0 and area.height > 0:
            self._cv2.rectangle(self.image, area[:2], (area.x2 - 1, area.y2 - 1), color, -1)

    def outline(self, area: Area, color: Color, thickness: int) -> None:
        """Draw a rectangle's border inside it."""
        for inset in range(min(thickness, area.width // 2, area.height // 2)):
            corners = (area.x1 + inset, area.y1 + inset), (area.x2 - inset - 1, area.y2 - inset - 1)
            self._cv2.rectangle(self.image, *corners, color, 1)

    def disc(self, x: int, y: int, radius: int, color: Color) -> None:
        """Draw a filled circle around (x, y)."""
        self._cv2.circle(self.image, (x, y), radius, color, -1, self._cv2.LINE_AA)

    def write(self, text: str, x: int, y: int, color: Color, cap: int, *, is_bold: bool = False) -> None:
        """Write one line.

        Args:
            text: ASCII.
            x: Where it begins.
            y: Upper edge of its capital letters.
            color: Of the ink.
            cap: Height of a capital letter in pixels.
            is_bold: Draw thicker strokes.
        """
        ink = inked(text, cap, color, is_bold)
        height, width = ink.cover.shape
        left, top = x - ink.left, y - ink.above
        whole = Area(left, top, left + width, top + height)
        seen = self._clip(whole)
        if not (seen.width and seen.height):
            return
        solid, cover, rest = ink[:3]
        if seen != whole:
            part = (slice(seen.y1 - top, seen.y2 - top), slice(seen.x1 - left, seen.x2 - left))
            solid, cover, rest = solid[part], cover[part], rest[part]
        pixels = self._pixels(seen)
        self._cv2.blendLinear(solid, pixels, cover, rest, pixels)

    def _clip(self, area: Area) -> Area:
        x1, y1, x2, y2 = area
        _, _, width, height = self.area
        x1, y1 = min(max(x1, 0), width), min(max(y1, 0), height)
        return Area(x1, y1, max(x1, min(x2, width)), max(y1, min(y2, height)))

    def _pixels(self, area: Area) -> FrameImage:
        return self.image[area.y1 : area.y2, area.x1 : area.x2]

    @contextmanager
    def _rounded(self, area: Area, radius: int) -> Iterator[FrameImage]:
        pixels = self._pixels(self._clip(area))
        radius = min(radius, min(pixels.shape[:2]) // 2)
        ends = (slice(None, radius), slice(-radius, None))
        corners = [pixels[rows, columns] for rows in ends for columns in ends] if radius else []
        before = [corner.copy() for corner in corners]
        yield pixels
        for corner, old, mask in zip(corners, before, _corner_masks(radius), strict=False):
            self._cv2.blendLinear(corner, old, mask, 1 - mask, corner)


@lru_cache(maxsize=32)
def _corner_masks(radius: int) -> list[Mask]:
    away = radius - 0.5 - np.arange(radius, dtype=np.float32)
    mask = np.clip(radius + 0.5 - np.hypot(away[:, None], away), 0, 1).astype(np.float32)
    return [np.ascontiguousarray(turned) for turned in (mask, mask[:, ::-1], mask[::-1], mask[::-1, ::-1])]
