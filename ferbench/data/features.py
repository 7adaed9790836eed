"""Brows, eyes, mouth, folds, beard and glasses, painted on the front of the head by action units.

Everything here works in the coordinates of the head (`geometry.py`), so that features turn with it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ferbench.data.face import Face
from ferbench.data.geometry import Plane, band, bump, inside, paint, smooth, zigzag


def paint_features(face: Face) -> None:
    """Paint everything, back to front."""
    model_relief(face)
    paint_beard(face)
    paint_mouth(face)
    paint_eyes(face)
    paint_brows(face)
    paint_wrinkles(face)


def model_relief(face: Face) -> None:
    """Sockets, cheeks, chin, lips: hills and hollows that only light can show."""
    au, who = face.au, face.who
    half = replace(face, x=np.abs(face.x))
    smile = np.maximum(au[12], 0.6 * au[6])
    eye_x, eye_y = who["eye_distance"], who["eye_height"]

    upper = half.part(-0.45, 0.3, 0.7)
    x, y = upper.x - eye_x, upper.y - eye_y
    upper.raise_(x + 0.03, y + 0.02, 0.24, 0.19, -0.075)
    upper.raise_(x, y + 0.24 - 0.05 * au[4], 0.4, 0.14, 0.035)
    upper.raise_(x, y + 0.005, who["eye_size"] * 0.17, 0.1, 0.045)
    upper.darken(0.38 * bump(x + 0.05, y + 0.05, 0.24, 0.17))
    upper.darken(0.2 * (0.5 + who["age"]) * bump(x + 0.03, y - 0.11, 0.18, 0.07))

    cheeks = half.part(0.0, 0.65, 0.7)
    cheeks.raise_(cheeks.x - 0.4, cheeks.y - eye_y - 0.32 + 0.08 * smile, 0.26, 0.24, 0.045 + 0.07 * smile)
    chin = half.part(0.6, 1.1, 0.3)
    chin.raise_(chin.x, chin.y - 0.86 + 0.04 * au[17], 0.28, 0.17, 0.03 + 0.02 * au[17])
    chin.raise_(chin.x, chin.y - who["mouth_height"] - 0.13, 0.24, 0.08, -0.016)
    face.slope_x[...] *= np.sign(face.x)


def fold(face: Face, start: tuple[Plane, Plane], end: tuple[Plane, Plane], width: float, bend: float) -> Plane:
    """A crease on both halves of the face from one point to another: 1 in its middle, 0 at its ends."""
    (x0, y0), (x1, y1) = start, end
    run, fall = x1 - x0, y1 - y0
    squared = run * run + fall * fall
    across, down = np.abs(face.x) - x0, face.y - y0
    along = across * (run / squared) + down * (fall / squared)
    middle = np.maximum(4 * along * (1 - along), 0)
    away = across * (fall / np.sqrt(squared)) - down * (run / np.sqrt(squared)) - bend * middle
    crease = np.maximum(1 - np.square(away * (1 / width)), 0)
    soft: Plane = crease * crease * np.minimum(1.5 * middle, 1)
    return soft


def paint_wrinkles(face: Face) -> None:
    """The creases that raised, pulled and wrinkled skin throws."""
    au, who = face.au, face.who
    depth = 0.15 + 0.6 * who["age"]
    lower = face.part(0.2, 0.85, 0.55)
    corner = (who["mouth_width"] * (1 + 0.3 * au[12]) + 0.06, who["mouth_height"] - 0.03 * au[12])
    strength = np.clip(0.12 * who["age"] + 0.5 * au[12] + 0.4 * au[10] + 0.3 * au[9] + 0.15 * au[6], 0, 0.6) * depth
    nose_y = who["eye_height"] + who["nose_length"]
    lower.darken(strength * fold(lower, (who["nose_width"] + 0.03, nose_y - 0.04 - 0.05 * au[9]), corner, 0.06, 0.03))

    upper = face.part(-0.7, 0.0, 0.6)
    lines = zigzag((upper.y - 0.25 * np.square(upper.x)) * (1 / 0.085))
    raised = (
        au[1] * bump(upper.x, upper.y + 0.42, 0.35, 0.2) + au[2] * bump(upper.x, upper.y + 0.45, 0.6, 0.2)
    ) * depth
    upper.darken(0.35 * np.minimum(raised, 1) * lines * lines)
    glabella = bump(np.abs(upper.x) - 0.045, upper.y - who["eye_height"] + 0.16, 0.028, 0.12)
    upper.darken(np.minimum(0.6 * au[4] + 0.35 * au[9], 0.8) * depth * glabella)

    bridge = face.part(-0.25, 0.45, 0.7)
    slanted = bridge.y + 0.35 * np.abs(bridge.x)
    lines = zigzag(slanted * (1 / 0.075))
    where = bump(bridge.x, bridge.y - who["eye_height"] - 0.06, 0.17, 0.2)
    bridge.darken(0.7 * au[9] * where * lines)
    tail = (np.abs(bridge.x) - who["eye_distance"] - 0.2, bridge.y - who["eye_height"] - 0.03)
    rays = zigzag(tail[1] / (np.abs(tail[0]) + 0.12) * 3.0)
    bridge.darken(0.4 * au[6] * depth * rays * bump(tail[0] - 0.04, tail[1], 0.12, 0.14))
    bags = fold(
        bridge,
        (who["eye_distance"] - 0.12, who["eye_height"] + 0.1 - 0.02 * au[6]),
        (who["eye_distance"] + 0.1, who["eye_height"] + 0.13 - 0.03 * au[6]),
        0.035,
        -0.02,
    )
    bridge.darken(np.minimum(0.1 * who["age"] + 0.3 * au[6] + 0.2 * au[7], 0.5) * bags)


def paint_brows(face: Face) -> None:
    """Brows: 1 lifts their inner ends, 2 the outer ones, 4 lowers and draws them together."""
    au, who = face.au, face.who
    face = face.part(-0.5, 0.1, 0.6)
    inner = 0.105 - 0.035 * au[4]
    share = (np.abs(face.x) - inner) / (who["eye_distance"] + 0.19 - inner)
    bent = who["brow_arch"] * 4 * np.maximum(share * (1.15 - share), -0.3)
    lifted = 0.14 * au[1] * np.square(np.maximum(1 - share, 0)) + 0.12 * au[2] * share * (1.6 - 0.8 * share)
    lifted -= (0.1 * au[4] + 0.06 * au[9]) * (1.15 - 0.6 * share)
    middle = who["eye_height"] - who["brow_height"] - bent - lifted + 0.035 * np.square(share)
    half = who["brow_thickness"] * np.clip(1.15 - 0.75 * share, 0.1, 1)
    ends = inside(-share * 0.3, 0.05) * inside((share - 1) * 0.3, 0.05)
    cover = band(face.y, middle - half, middle + half, face.softness * 1.2) * ends
    paint(face.albedo, 0.85 * cover, np.minimum(who["hair"] * 0.8, who["skin"] * 0.45))


def paint_eyes(face: Face) -> None:
    """Eyes: 5 raises the upper lid, 7 and 6 push up the lower one, 9 and 4 narrow them."""
    au, who = face.au, face.who
    face = face.part(-0.25, 0.2, 0.52)
    soft = face.softness
    side = np.abs(face.x) - who["eye_distance"]
    across = side / (0.135 * who["eye_size"])
    down = face.y - who["eye_height"] + who["eye_tilt"] * across
    arc = np.maximum(1 - np.square(across), 0)
    upper = (
        0.058
        * who["eye_size"]
        * np.maximum(1 + 0.75 * au[5] - 0.3 * au[7] - 0.22 * au[6] - 0.35 * au[9] - 0.12 * au[4] - 0.15 * au[15], 0.2)
    )
    lower = 0.036 * who["eye_size"] * (1 + 0.15 * au[5] - 0.75 * au[7] - 1.0 * au[6] - 0.7 * au[9])
    lower = np.maximum(lower, 0.016 - upper)
    top, bottom = -upper * arc, lower * arc
    lash = 0.014 + 0.01 * (1 - arc)
    crease = top - 0.045
    near = np.maximum(1.25 - np.square(across), 0)
    face.darken(0.4 * band(down, crease - 0.012, crease + 0.012, soft) * np.minimum(near, 1) * (arc > 0))
    opening = band(down, top, bottom, soft)
    paint(
        face.albedo,
        opening,
        np.minimum(0.34 + 0.25 * who["skin"], 0.55) * (0.55 + 0.45 * smooth(down - top, 0.0, 0.05)),
    )
    gaze = side - 0.05 * face.gaze * np.sign(face.x)
    squared = np.square(gaze) + np.square(down + 0.012)
    radius = np.sqrt(squared)
    paint(face.albedo, opening * inside(radius - 0.062, soft), who["iris"])
    paint(face.albedo, opening * inside(radius - 0.028, soft), 0.008)
    glint = np.square(face.x - np.sign(face.x) * (who["eye_distance"] + 0.05 * face.gaze * np.sign(face.x)) + 0.02)
    paint(face.albedo, opening * inside(np.sqrt(glint + np.square(down + 0.034)) - 0.013, soft), 0.9)
    paint(face.albedo, 0.9 * band(down, top - lash, top + 0.004, soft) * (arc > 0), 0.012)
    face.darken(0.45 * band(down, bottom, bottom + 0.012, soft) * (arc > 0))


def paint_mouth(face: Face) -> None:
    """Lips, teeth and the dark between: 12 lifts corners, 15 lowers them, 20 stretches, 23 presses, the rest open."""
    au, who = face.au, face.who
    face = face.part(0.35, 1.0, 0.55)
    soft, skin = face.softness, who["skin"]
    half_width = who["mouth_width"] * (
        1 + 0.32 * au[12] + 0.28 * au[20] - 0.2 * au[26] * (1 - au[20]) - 0.12 * au[23] + 0.04 * au[15]
    )
    across = face.x / half_width
    squared = np.square(across)
    arc = np.maximum(1 - squared, 0)
    round_ = arc * (1.5 - 0.5 * arc)
    lift = 0.02 + 0.18 * au[12] - 0.14 * au[15] * (1 - 0.4 * au[16]) - 0.03 * au[20] - 0.03 * au[10]
    middle = face.y - who["mouth_height"] + lift * (squared - 0.25) + 0.02 * au[17] + 0.015 * au[12]
    gap = 0.08 * au[25] + 0.25 * au[26] * (1 - 0.35 * au[20]) + 0.02 * au[16] + 0.03 * au[20] + 0.02 * au[10]
    gap = gap * (1 - 0.7 * au[23])
    top = (-0.25 * gap - 0.035 * au[10] - 0.02 * au[9]) * round_
    bottom = (0.75 * gap + 0.03 * au[16]) * round_
    pressed = 1 - 0.6 * au[23]
    bow = np.maximum(1 - 4 * np.abs(across), 0) * 0.2
    upper = who["lip_thickness"] * 0.055 * pressed * (1 - 0.35 * au[12]) * (round_ - bow)
    lower = who["lip_thickness"] * 0.075 * pressed * (1 - 0.25 * au[12] - 0.15 * au[17]) * round_
    present = (arc > 0).astype(np.float32)
    lip = skin * 0.5
    shadow = band(middle, bottom + lower, bottom + lower + 0.05, soft * 2) * round_
    face.darken(0.28 * shadow)
    paint(face.albedo, 0.85 * band(middle, top - upper, top, soft) * present, lip * 0.8)
    shine = 1 + 0.35 * bump(across, middle - bottom - 0.45 * lower, 0.6, 0.03)
    paint(face.albedo, 0.8 * band(middle, bottom, bottom + lower, soft) * present, lip * shine)
    paint(face.albedo, band(middle, top, bottom, soft) * present, 0.012)
    inner = np.maximum(1 - squared * 1.25, 0)
    teeth = np.minimum(top + 0.075 * inner, bottom)
    paint(face.albedo, 0.92 * band(middle, top + 0.004, teeth, soft) * np.minimum(inner * 3, 1), 0.55)
    low_teeth = np.maximum(bottom - (0.05 * au[16] + 0.03 * au[20]) * inner, teeth)
    paint(face.albedo, 0.8 * band(middle, low_teeth, bottom, soft) * np.minimum(inner * 3, 1), 0.45)
    tongue = np.maximum(bottom - 0.09 * inner, teeth + 0.05)
    paint(face.albedo, 0.7 * au[26] * band(middle, tongue, bottom, soft) * np.minimum(inner * 2, 1), 0.09)
    line = 0.011 + 0.006 * au[23]
    edges = inside((np.abs(face.x) - half_width * 1.06), 0.06)
    paint(face.albedo, 0.85 * band(middle, top - line * 0.5, top + line * 0.5, soft) * edges, skin * 0.08)
    corner = bump(np.abs(face.x) - half_width, middle - 0.004, 0.05, 0.045)
    face.darken((0.25 + 0.25 * au[12] + 0.3 * au[15]) * corner)


def paint_beard(face: Face) -> None:
    """Beard and moustache: hair on cheeks, chin and upper lip."""
    rows = np.flatnonzero((face.who["beard"] > 0) | (face.who["moustache"] > 0))
    if not len(rows):
        return
    hairy = face.take(rows)
    part, who = hairy.part(-0.1, 1.2, 0.9), hairy.who
    side = np.abs(part.x)
    hair = np.minimum(who["hair"], who["skin"] * 0.6)
    line = 0.74 - 0.3 * smooth(side, 0.15, 0.45) - 0.5 * smooth(side, 0.48, 0.68)
    paint(part.albedo, 0.85 * who["beard"] * smooth(part.y, line - 0.04, line + 0.1), hair)
    nose_y = who["eye_height"] + who["nose_length"]
    top, bottom = nose_y + 0.07 + 0.25 * np.square(side), who["mouth_height"] - 0.01 + 0.3 * np.square(side)
    cover = band(part.y, top, bottom, np.maximum(part.softness, 0.03)) * inside(side - who["mouth_width"] * 1.1, 0.08)
    paint(part.albedo, 0.85 * who["moustache"] * cover, hair)
    face.albedo[rows] = hairy.albedo


def paint_glasses(face: Face, shift: Plane) -> None:
    """Dark rims; `shift` is how far they stand off sideways."""
    rows = np.flatnonzero(face.who["glasses"] > 0)
    if not len(rows):
        return
    worn = face.take(rows)
    part, who = worn.part(-0.3, 0.35, 0.9), worn.who
    side = np.abs(part.x + shift[rows]) - who["eye_distance"] - 0.01
    down = part.y - who["eye_height"] - 0.03
    squared = np.square(side * (1 / 0.24)) + np.square(down * (1 / 0.185))
    ring = (np.sqrt(squared) - 1) * 0.2
    rim = band(ring, -0.014, 0.014, part.softness)
    bridge = band(down + 0.05, -0.014, 0.014, part.softness) * inside(side + 0.21, part.softness)
    temple = band(down + 0.06, -0.014, 0.014, part.softness) * inside(0.24 - side, part.softness)
    paint(part.albedo, who["glasses"] * np.minimum(rim + bridge + temple, 1), 0.02)
    face.albedo[rows] = worn.albedo
