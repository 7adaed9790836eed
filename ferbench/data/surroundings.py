"""What surrounds a face: neck, shoulders, ears, hair, and the hand or bar that covers it."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from ferbench.data.appearance import HAIR_STYLES, OCCLUSIONS
from ferbench.data.geometry import Plane, Pose, Vector, column, hit, inside, paint, shade, smooth, zigzag

Columns: TypeAlias = dict[str, Plane]
"""The attributes of `Identity` or `Scene` by name, as columns."""


def draw_body(
    canvas: Plane,
    x: Plane,
    y: Plane,
    right: Plane,
    down: Plane,
    softness: Plane,
    who: Columns,
    see: Columns,
) -> None:
    """Long hair behind the head, neck and shoulders."""
    level = see["light"] * 0.6 + see["ambient"]
    rows = np.flatnonzero(who["hair_style"] == HAIR_STYLES.index("long"))
    if len(rows):
        width, height = who["head_width"][rows] * 1.14, y[rows]
        curtain = np.maximum(np.abs(x[rows]) - width + 0.1 * np.square(height - 0.3), np.abs(height - 0.475) - 0.825)
        behind = canvas[rows]
        paint(behind, inside(curtain, softness[rows] * 2), (who["hair"] * 0.55 * level)[rows])
        canvas[rows] = behind
    lower = np.flatnonzero(y.max(axis=(0, 2)) > 0.4)[0]
    x, y, down, canvas = x[:, lower:], y[:, lower:], down[:, lower:], canvas[:, lower:]
    width = who["head_width"] * 0.62
    neck = np.maximum(np.abs(x) - width - 0.1 * np.square(np.maximum(y - 0.7, 0)), 0.4 - y)
    shape = (1 - 0.35 * np.square(x * (1 / width))) * (0.4 + 0.25 * smooth(y, 0.9, 1.25))
    paint(canvas, inside(neck, softness), who["skin"] * level * shape)
    shoulder = 1.22 + 0.35 * np.square(right) - down - 0.1 * np.maximum(0.5 - np.abs(right), 0)
    paint(canvas, inside(shoulder, softness), see["clothes"] * level * (0.8 + 0.2 * right * np.sign(see["light_yaw"])))


def draw_ears(
    canvas: Plane,
    x: Plane,
    y: Plane,
    softness: Plane,
    pose: Pose,
    who: Columns,
    see: Columns,
    *,
    in_front: bool,
) -> None:
    """Both ears behind the head, or those that are turned to the viewer before it."""
    level = see["light"] * 0.5 + see["ambient"] * 0.8
    for side in (-1, 1):
        turned = -side * pose.sin_yaw
        uncovered = np.where(who["hair_style"] == HAIR_STYLES.index("long"), np.float32(0), smooth(turned, 0.02, 0.2))
        rows = np.flatnonzero(uncovered if in_front else who["hair_style"] != HAIR_STYLES.index("long"))
        if not len(rows):
            continue
        width = side * who["head_width"]
        e_x, e_y = pose.to_picture(width * 0.99, who["eye_height"] + 0.12, np.full_like(width, -0.05))
        wide = 0.075 + 0.1 * np.maximum(turned, 0)
        radius = np.sqrt(np.square((x[rows] - e_x[rows]) / wide[rows]) + np.square((y[rows] - e_y[rows]) / 0.18))
        shade = (who["skin"] * level)[rows] * (0.68 + 0.25 * smooth(radius, 0.2, 0.8))
        mask = inside((radius - 1) * 0.1, softness[rows]) * (uncovered[rows] if in_front else 1)
        painted = canvas[rows]
        paint(painted, mask, shade)
        canvas[rows] = painted


def draw_hair(
    canvas: Plane,
    origin: Vector,
    direction: Vector,
    softness: Plane,
    light: Vector,
    who: Columns,
    see: Columns,
) -> None:
    """A second, larger skull, cut open at the hairline."""
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
    lit = shade(who["hair"] * (0.86 + 0.14 * strands), shell.normal, light, see["light"], see["ambient"])
    cover = inside(-field, np.maximum(softness, 0.03) * 1.5)
    canvas *= 1 - 0.3 * inside(-field - 0.07, 0.12) * (1 - cover) * shell.cover
    paint(canvas, shell.cover * cover, lit)


def draw_occlusion(canvas: Plane, x: Plane, y: Plane, softness: Plane, pose: Pose, who: Columns, see: Columns) -> None:
    """What covers the face, with the shadow that it throws."""
    kind = see["occlusion"].ravel()
    for name, draw in (("hand", _hand), ("eyes", _bar), ("mouth", _bar)):
        rows = np.flatnonzero(kind == OCCLUSIONS.index(name))
        if len(rows):
            distance, shade = draw(
                x[rows],
                y[rows],
                Pose(*(values[rows] for values in pose)),
                {key: values[rows] for key, values in who.items()},
                {key: values[rows] for key, values in see.items()},
            )
            below = canvas[rows] * (1 - 0.3 * inside(distance - 0.03, 0.08))
            paint(below, inside(distance, softness[rows]), shade)
            canvas[rows] = below


def _bar(x: Plane, y: Plane, pose: Pose, who: Columns, see: Columns) -> tuple[Plane, Plane]:
    """A bar over the eyes or the mouth: signed distance to its edge, and its shade."""
    size, at_eyes = see["occlusion_size"], see["occlusion"] == OCCLUSIONS.index("eyes")
    level = np.where(at_eyes, who["eye_height"], who["mouth_height"] + 0.04)
    m_x, m_y = pose.to_picture(np.zeros_like(level), level, np.full_like(level, 0.8))
    half = np.where(at_eyes, 0.06 + 0.1 * size, 0.1 + 0.14 * size)
    across = np.abs(x - m_x - 0.15 * see["occlusion_x"]) - 0.3 - 0.4 * size
    return np.maximum(np.abs(y - m_y) - half, across), see["occlusion_shade"]


def _hand(x: Plane, y: Plane, pose: Pose, who: Columns, see: Columns) -> tuple[Plane, Plane]:
    """A palm and four fingers that reach in from one side: signed distance to their edge, and their shade."""
    size, place = see["occlusion_size"], see["occlusion_x"]
    u = np.where(place < 0, -x, x) - 0.75 + 0.3 * size * np.abs(place)
    v = y - 0.55 * see["occlusion_y"] - 0.15
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
