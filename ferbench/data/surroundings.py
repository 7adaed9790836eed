"""What surrounds a face: neck, shoulders, ears, hair, and the hand or bar that covers it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ferbench.data.appearance import HAIR_STYLES, OCCLUSIONS
from ferbench.data.geometry import Plane, Pose, Vector, column, hit, inside, paint, shade, smooth, zigzag


class View(NamedTuple):
    """Heads in their pictures.

    Attributes:
        x: Plane, where each pixel lies in the upright picture, in half heads to the right of the head's middle.
        y: Plane, likewise down.
        softness: Column, width of a pixel.
        pose: How the heads are turned.
        light: Where the light comes from, in the coordinates of the head, columns.
        who: Column of each attribute of `Identity`, by name.
        see: Column of each attribute of `Scene`, by name.
    """

    x: Plane
    y: Plane
    softness: Plane
    pose: Pose
    light: Vector
    who: dict[str, Plane]
    see: dict[str, Plane]

    def take(self, rows: NDArray[np.intp]) -> View:
        """Some of the heads, copied."""
        x, y, z = self.light
        return View(
            self.x[rows],
            self.y[rows],
            self.softness[rows],
            Pose(*(values[rows] for values in self.pose)),
            (x[rows], y[rows], z[rows]),
            {name: values[rows] for name, values in self.who.items()},
            {name: values[rows] for name, values in self.see.items()},
        )

    def lit(self, albedo: Plane, normal: Vector) -> Plane:
        """What a surface of this albedo looks like under the light of the scene."""
        return shade(albedo, normal, self.light, self.see["light"], self.see["ambient"])


def draw_body(canvas: Plane, view: View) -> None:
    """Long hair behind the head, neck and shoulders."""
    who, see = view.who, view.see
    level = see["light"] * 0.6 + see["ambient"]
    rows = np.flatnonzero(who["hair_style"] == HAIR_STYLES.index("long"))
    if len(rows):
        width, height = who["head_width"][rows] * 1.14, view.y[rows]
        curtain = np.maximum(
            np.abs(view.x[rows]) - width + 0.1 * np.square(height - 0.3), np.abs(height - 0.475) - 0.825
        )
        behind = canvas[rows]
        paint(behind, inside(curtain, view.softness[rows] * 2), (who["hair"] * 0.55 * level)[rows])
        canvas[rows] = behind
    below = view.y.max(axis=(0, 2)) > 0.4
    start = int(below.argmax()) if below.any() else len(below)
    x, y, canvas = view.x[:, start:], view.y[:, start:], canvas[:, start:]
    width = who["head_width"] * 0.62
    neck = np.maximum(np.abs(x) - width - 0.1 * np.square(np.maximum(y - 0.7, 0)), 0.4 - y)
    shape = (1 - 0.35 * np.square(x * (1 / width))) * (0.4 + 0.25 * smooth(y, 0.9, 1.25))
    paint(canvas, inside(neck, view.softness), who["skin"] * level * shape)
    # Shoulders stay level when the head leans.
    right, down = view.pose.leaning(x, y)
    shoulder = 1.22 + 0.35 * np.square(right) - down - 0.1 * np.maximum(0.5 - np.abs(right), 0)
    cloth = see["clothes"] * level * (0.8 + 0.2 * right * np.sign(see["light_yaw"]))
    paint(canvas, inside(shoulder, view.softness), cloth)


def draw_ears(canvas: Plane, view: View, *, in_front: bool) -> None:
    """Both ears behind the head, or those that are turned to the viewer before it; long hair hides them."""
    is_long = view.who["hair_style"] == HAIR_STYLES.index("long")
    for side in (-1, 1):
        turned = -side * view.pose.sin_yaw
        shown = np.where(is_long, np.float32(0), smooth(turned, 0.02, 0.2) if in_front else np.float32(1))
        rows = np.flatnonzero(shown)
        if not len(rows):
            continue
        seen, turned, shown = view.take(rows), turned[rows], shown[rows]
        width = side * seen.who["head_width"]
        x, y = seen.pose.to_picture(width * 0.99, seen.who["eye_height"] + 0.12, np.full_like(width, -0.05))
        wide = 0.075 + 0.1 * np.maximum(turned, 0)
        radius = np.sqrt(np.square((seen.x - x) / wide) + np.square((seen.y - y) / 0.18))
        level = seen.see["light"] * 0.5 + seen.see["ambient"] * 0.8
        painted = canvas[rows]
        tone = seen.who["skin"] * level * (0.68 + 0.25 * smooth(radius, 0.2, 0.8))
        paint(painted, inside((radius - 1) * 0.1, seen.softness) * shown, tone)
        canvas[rows] = painted


def draw_hair(canvas: Plane, view: View, origin: Vector, direction: Vector) -> None:
    """A second, larger skull, cut open at the hairline."""
    who, softness = view.who, view.softness
    zero = np.zeros_like(softness)
    style = who["hair_style"]

    def by_style(*values: float) -> Plane:
        return column(np.asarray(values, np.float32)[style[:, 0, 0].astype(np.intp)])

    volume = by_style(1.015, 1.07, 1.1, 1.05, 1.1)
    shell = hit(
        origin,
        direction,
        (zero, zero - 0.03, zero - 0.03),
        (who["head_width"] * volume, volume, 0.87 * volume),
        softness,
    )
    x, y, z = shell.point
    wave = zigzag(x * 4 + 0.4) * 0.015
    hairline = by_style(-2, -0.68, -0.45, -0.92, -0.66) + by_style(0, 1.0, 0.35, 1.5, 1.1) * np.square(x) + wave
    sides = np.abs(x) - who["head_width"] * by_style(2, 0.9, 0.9, 0.92, 0.84) + 0.15 * np.square(y)
    field = np.maximum(np.maximum(hairline - y, sides), by_style(-2, -0.02, -0.02, -0.05, 0.25) - 0.2 * y - z)
    end = by_style(-2, -0.02, 0.02, -0.05, 1.2) + by_style(0, 1.3, 1.3, 1.3, 0) * np.maximum(0.05 - z, 0)
    field = np.minimum(field, end - y)
    strands = zigzag(x * 11 + y * 3) + zigzag(x * 23 - y * 5)
    lit = view.lit(who["hair"] * (0.86 + 0.14 * strands), shell.normal)
    cover = inside(-field, np.maximum(softness, 0.03) * 1.5)
    canvas *= 1 - 0.3 * inside(-field - 0.07, 0.12) * (1 - cover) * shell.cover
    paint(canvas, shell.cover * cover, lit)


def draw_occlusion(canvas: Plane, view: View) -> None:
    """What covers the face, with the shadow that it throws."""
    kind = view.see["occlusion"].ravel()
    for name, draw in (("hand", _hand), ("eyes", _bar), ("mouth", _bar)):
        rows = np.flatnonzero(kind == OCCLUSIONS.index(name))
        if len(rows):
            covered = view.take(rows)
            distance, tone = draw(covered)
            below = canvas[rows] * (1 - 0.3 * inside(distance - 0.03, 0.08))
            paint(below, inside(distance, covered.softness), tone)
            canvas[rows] = below


def _bar(view: View) -> tuple[Plane, Plane]:
    """A bar over the eyes or the mouth: signed distance to its edge, and its tone."""
    who, see = view.who, view.see
    size, at_eyes = see["occlusion_size"], see["occlusion"] == OCCLUSIONS.index("eyes")
    level = np.where(at_eyes, who["eye_height"], who["mouth_height"] + 0.04)
    m_x, m_y = view.pose.to_picture(np.zeros_like(level), level, np.full_like(level, 0.8))
    half = np.where(at_eyes, 0.06 + 0.1 * size, 0.1 + 0.14 * size)
    across = np.abs(view.x - m_x - 0.15 * see["occlusion_x"]) - 0.3 - 0.4 * size
    return np.maximum(np.abs(view.y - m_y) - half, across), see["occlusion_shade"]


def _hand(view: View) -> tuple[Plane, Plane]:
    """A palm and four fingers that reach in from one side: signed distance to their edge, and their tone."""
    who, see = view.who, view.see
    size, place = see["occlusion_size"], see["occlusion_x"]
    u = np.where(place < 0, -view.x, view.x) - 0.75 + 0.3 * size * np.abs(place)
    v = view.y - 0.55 * see["occlusion_y"] - 0.15
    u, v = u * 0.94 + v * 0.34, v * 0.94 - u * 0.34
    distance = (np.sqrt(np.square((u - 0.25) / 0.42) + np.square(v / 0.36)) - 1) * 0.36
    height = np.maximum(1 - np.square(distance + 0.36) * 2, 0)
    for row, reach in enumerate((0.42, 0.52, 0.5, 0.36)):
        across = v - (row - 1.5) * 0.17
        beyond = np.maximum(-u - reach + 0.1, 0)
        finger = np.maximum(np.sqrt(np.square(across) + np.square(beyond)) - 0.082, u - 0.2)
        height = np.where(finger < distance, 1 - 0.55 * np.square(across / 0.082), height)
        distance = np.minimum(distance, finger)
    return distance, who["skin"] * (see["light"] * 0.75 + see["ambient"]) * np.maximum(height, 0.3)
