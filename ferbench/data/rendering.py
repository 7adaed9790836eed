"""Faces from numbers: heads of ellipsoids under one light, with features that action units move.

The same numbers give the same pixels. NumPy alone, many faces at a time; nothing here is drawn at random.
"""

from __future__ import annotations

import numpy as np

from ferbench.data.appearance import Identity, Scene
from ferbench.data.expressions import ACTION_UNITS, Units, columns_of
from ferbench.data.face import Face
from ferbench.data.features import paint_features, paint_glasses
from ferbench.data.geometry import Hit, Plane, Pose, Vector, bump, column, hit, normalized, paint, smooth
from ferbench.data.surroundings import View, draw_body, draw_ears, draw_hair, draw_occlusion
from ferbench.errors import ConfigError, ImagesError
from ferbench.types import Images

MIN_SIZE, MAX_SIZE = 24, 512
_PIXELS_AT_ONCE = 32_000
_WORKSPACE_BYTES = 2**24


def render(units: Units, identity: Identity, scene: Scene, size: int = 48) -> Images:
    """Draw faces.

    Args:
        units: float32, (n, n_units), see `expressions.ACTION_UNITS`.
        identity: Who they are, n rows.
        scene: How they are seen, n rows.
        size: Height and width in pixels, 24 to 512.

    Returns:
        uint8, (n, size, size).

    Raises:
        ImagesError: `size` is out of range.
        ConfigError: the three have different lengths, or an action unit lies outside 0 to 1.
    """
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise ImagesError(f"size must be {MIN_SIZE} to {MAX_SIZE} pixels, got {size}.")
    n = len(identity)
    if units.shape != (n, len(ACTION_UNITS)) or len(scene) != n:
        raise ConfigError(
            f"units must be ({n}, {len(ACTION_UNITS)}) and the scene {n} rows, one a person, "
            f"got {units.shape} and {len(scene)}."
        )
    if n and not (units.min() >= 0 and units.max() <= 1):
        raise ConfigError(f"action units must lie in 0 to 1, got {units.min():g} to {units.max():g}: clip them.")
    # Until it has seen one large block freed, glibc hands every small one back to the system: three times as slow.
    np.empty(_WORKSPACE_BYTES, np.uint8)
    images = np.empty((n, size, size), np.uint8)
    step = max(1, _PIXELS_AT_ONCE // size**2)
    for start in range(0, n, step):
        rows = slice(start, start + step)
        images[rows] = _render(np.asarray(units[rows], np.float32), identity.take(rows), scene.take(rows), size)
    return images


def _render(units: Units, identity: Identity, scene: Scene, size: int) -> Images:
    who = {name: column(getattr(identity, name)) for name in Identity.__slots__}
    see = {name: column(getattr(scene, name)) for name in Scene.__slots__}
    pose = Pose.of(scene.yaw, scene.pitch, scene.roll)
    line = (np.arange(size, dtype=np.float32) * 2 + 1) / size - 1
    right = (line[None, None, :] - see["shift_x"]) / see["scale"]
    down = (line[None, :, None] - see["shift_y"]) / see["scale"]
    view = View(*pose.upright(right, down), 2 / size / see["scale"], pose, _light(see, pose), who, see)

    canvas = np.square(see["background"] * (1 + see["background_slope"] * line)) + 0 * view.y
    draw_body(canvas, view)
    _draw_head(canvas, view, units, identity)
    draw_occlusion(canvas, view)
    pixels = 255 * np.sqrt(np.minimum(1.25 * canvas / (1 + 0.5 * canvas), 1))
    _blur(pixels, see["blur"])
    pixels += see["noise"] * (48 / size) * _noise(scene.noise_seed, size)
    images: Images = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
    return images


def _light(see: dict[str, Plane], pose: Pose) -> Vector:
    angle, height = np.deg2rad(see["light_yaw"]), np.deg2rad(see["light_pitch"])
    x, y = pose.upright(np.sin(angle) * np.cos(height), -np.sin(height))
    return pose.to_head(x, y, np.cos(angle) * np.cos(height))


def _draw_head(canvas: Plane, view: View, units: Units, identity: Identity) -> None:
    x, y, softness, pose, light, who, see = view
    zero = np.zeros_like(softness)
    y = y - 0.14 * column(units[:, columns_of((26,))[0]]) * np.clip((y - 0.3) * (1 / 0.7), 0, 1.3)
    middle = 0.35 * pose.sin_yaw
    lower = np.clip(y - 0.05, 0, 1.1)
    narrow = 1 - (0.1 + 0.13 * who["jaw"]) * lower * lower
    x = middle + (x - middle) / narrow
    head = view._replace(x=x, y=y)
    origin = pose.to_head(x, y, zero)
    direction = pose.to_head(zero, zero, zero + 1)
    skull = hit(origin, direction, (zero, zero, zero), (who["head_width"], zero + 1, zero + 0.86), softness)

    draw_ears(canvas, head, in_front=False)

    face = Face.of(skull.point[0], skull.point[1], softness, units, identity, see["gaze"])
    paint_features(face)
    normal = normalized(skull.normal[0] + face.slope_x, skull.normal[1] + face.slope_y, skull.normal[2])
    _raise_nose(face, origin, direction, skull, normal, light)
    paint_glasses(face, 0.12 * direction[0] / np.maximum(direction[2], 0.5))
    lit = view.lit(face.albedo, normal)
    lit *= 1 - 0.35 * smooth(face.y, 0.86, 1.1)
    paint(canvas, skull.cover, lit)
    draw_hair(canvas, head, origin, direction)
    draw_ears(canvas, head, in_front=True)


def _raise_nose(face: Face, origin: Vector, direction: Vector, skull: Hit, normal: Vector, light: Vector) -> None:
    """The nose stands in front of the face: it hides what is behind it, throws a shadow and has nostrils."""
    window = face.window(-0.3, 0.75, 0.62)
    face = face.part(-0.3, 0.75, 0.62)
    origin = (origin[0][window], origin[1][window], origin[2][window])
    au, who, softness = face.au, face.who, face.softness
    zero = np.zeros_like(softness)
    tip = who["eye_height"] + who["nose_length"] - 0.035 * np.maximum(au[9], 0.5 * au[10])
    wide = who["nose_width"] * (1 + 0.15 * np.maximum(au[9], au[12]))
    half = (tip - who["eye_height"] + 0.12) * 0.5
    bridge = hit(
        origin, direction, (zero, tip - half, zero + 0.83), (zero + 0.105, half * 1.15, zero + 0.13), softness, 0.3
    )
    ball = hit(origin, direction, (zero, tip - 0.015, zero + 0.89), (wide, zero + 0.085, zero + 0.15), softness)
    upon = np.maximum(smooth(ball.depth - bridge.depth, -0.03, 0.03), 1 - bridge.cover) * ball.cover
    depth = bridge.depth + upon * (ball.depth - bridge.depth)
    share = np.maximum(bridge.cover, ball.cover) * smooth(depth - skull.depth[window], 0.0, 0.07)

    face.darken(0.4 * bump(face.x + 0.16 * light[0], face.y - tip - 0.08 + 0.1 * light[1], wide * 1.35, 0.13))
    paint(face.albedo, share, who["skin"])
    side, down = np.abs(ball.point[0]), ball.point[1] - tip
    face.darken(0.85 * ball.cover * np.minimum(bump(side - wide * 0.48, down - 0.045, wide * 0.36, 0.034) * 1.6, 1))
    face.darken(0.35 * bump(side - wide * 0.98, down, 0.035, 0.07))
    for plane, low, high in zip(normal, bridge.normal, ball.normal, strict=True):
        paint(plane[window], share, low + upon * (high - low))


def _blur(pixels: Plane, sigma: Plane) -> None:
    """A Gaussian, in place, by three-tap filters along both axes, each adding at most half a pixel of variance."""
    times = np.ceil(2 * np.square(sigma)).ravel()
    for step in range(int(times.max(initial=0))):
        rows = np.flatnonzero(times > step)
        weight = np.square(sigma[rows]) / (2 * column(times[rows]))
        padded = np.pad(pixels[rows], ((0, 0), (1, 1), (1, 1)), "edge")
        padded = padded[:, 1:-1] + weight * (padded[:, 2:] + padded[:, :-2] - 2 * padded[:, 1:-1])
        pixels[rows] = padded[:, :, 1:-1] + weight * (padded[:, :, 2:] + padded[:, :, :-2] - 2 * padded[:, :, 1:-1])


def _noise(seeds: np.ndarray, size: int) -> Plane:
    """Gaussian noise, each face's own whatever it is drawn beside."""
    return np.stack(
        [np.random.Generator(np.random.PCG64(int(seed))).standard_normal((size, size), np.float32) for seed in seeds]
    )
