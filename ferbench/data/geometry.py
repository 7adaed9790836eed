"""Rays, ellipsoids and soft edges: the geometry behind drawn faces, for many faces at once.

Pixels meet nothing but sums, products, quotients and square roots, which every machine rounds alike. Planes are
float32 (n, height, width), columns (n, 1, 1). A head is 2 high: x right, y down, z toward the viewer, 0 its center.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Plane: TypeAlias = NDArray[np.floating[Any]]
"""float32; that a plane times 0.5 stays float32 is beyond a type checker."""

Vector: TypeAlias = tuple[Plane, Plane, Plane]


def column(values: ArrayLike) -> Plane:
    """One number a face, shaped to meet planes: float32 (n, 1, 1)."""
    return np.asarray(values, np.float32)[:, None, None]


class Pose(NamedTuple):
    """Sines and cosines of how each head is turned, columns."""

    sin_yaw: Plane
    cos_yaw: Plane
    sin_pitch: Plane
    cos_pitch: Plane
    sin_roll: Plane
    cos_roll: Plane

    @classmethod
    def of(cls, yaw: ArrayLike, pitch: ArrayLike, roll: ArrayLike) -> Pose:
        """The pose of angles in degrees, one a face."""
        angles = [np.deg2rad(np.asarray(angle, np.float64)) for angle in (yaw, pitch, roll)]
        return cls(*(column(function(angle)) for angle in angles for function in (np.sin, np.cos)))

    def upright(self, x: Plane, y: Plane) -> tuple[Plane, Plane]:
        """Points of the picture as if the head did not lean."""
        return x * self.cos_roll + y * self.sin_roll, y * self.cos_roll - x * self.sin_roll

    def leaning(self, x: Plane, y: Plane) -> tuple[Plane, Plane]:
        """The other way round."""
        return x * self.cos_roll - y * self.sin_roll, y * self.cos_roll + x * self.sin_roll

    def to_head(self, x: Plane, y: Plane, z: Plane) -> Vector:
        """A vector of the upright picture in the coordinates of the head."""
        forward = z * self.cos_pitch - y * self.sin_pitch
        return (
            x * self.cos_yaw - forward * self.sin_yaw,
            y * self.cos_pitch + z * self.sin_pitch,
            x * self.sin_yaw + forward * self.cos_yaw,
        )

    def to_picture(self, x: Plane, y: Plane, z: Plane) -> tuple[Plane, Plane]:
        """Where a point of the head lies in the upright picture."""
        forward = z * self.cos_yaw - x * self.sin_yaw
        return x * self.cos_yaw + z * self.sin_yaw, y * self.cos_pitch - forward * self.sin_pitch


class Hit(NamedTuple):
    """Where rays meet an ellipsoid.

    Attributes:
        depth: Along the ray, larger is nearer.
        cover: Share of each pixel that the ellipsoid fills.
        point: In the coordinates of the head.
        normal: Of length one, outward.
    """

    depth: Plane
    cover: Plane
    point: Vector
    normal: Vector


def hit(
    origin: Vector, direction: Vector, center: Vector, radii: Vector, softness: Plane, lean: float | Plane = 0.0
) -> Hit:
    """Meet an ellipsoid, which may lean: `lean` is how much z grows with y."""
    (o_x, o_y, o_z), (d_x, d_y, d_z) = origin, direction
    c_x, c_y, c_z = center
    r_x, r_y, r_z = radii
    w_x, w_y, w_z = 1 / r_x, 1 / r_y, 1 / r_z
    q_x, q_y, q_z = (o_x - c_x) * w_x, (o_y - c_y) * w_y, (o_z - (c_z - lean * c_y) - lean * o_y) * w_z
    e_x, e_y, e_z = d_x * w_x, d_y * w_y, (d_z - lean * d_y) * w_z
    squared = e_x * e_x + e_y * e_y + e_z * e_z
    along = q_x * (e_x / squared) + q_y * (e_y / squared) + q_z * (e_z / squared)
    # Squared distance of the ray from the center, 1 at the outline.
    nearest = np.maximum(q_x * q_x + q_y * q_y + q_z * q_z - along * along * squared, 0)
    depth = np.sqrt(np.maximum(1 - nearest, 0)) * (1 / np.sqrt(squared)) - along
    cover = inside(np.sqrt(nearest) - 1, softness / np.minimum(r_x, r_y))
    n_z = (q_z + depth * e_z) * w_z
    n_x, n_y = (q_x + depth * e_x) * w_x, (q_y + depth * e_y) * w_y - lean * n_z
    point = (o_x + depth * d_x, o_y + depth * d_y, o_z + depth * d_z)
    return Hit(depth, cover, point, normalized(n_x, n_y, n_z))


def normalized(x: Plane, y: Plane, z: Plane) -> Vector:
    """The same direction, of length one."""
    scale = 1 / np.sqrt(x * x + y * y + z * z + 1e-12)
    return x * scale, y * scale, z * scale


def inside(distance: Plane, softness: Plane | float) -> Plane:
    """Share of a pixel of width `softness` within a shape, from the signed distance to its edge, negative inside."""
    covered: Plane = np.minimum(np.maximum(0.5 - distance * (1 / softness), 0), 1)
    return covered


def band(value: Plane, low: Plane | float, high: Plane | float, softness: Plane | float) -> Plane:
    """Share of a pixel of width `softness` around `value` that lies between `low` and `high`, however thin."""
    half = softness * 0.5
    overlap: Plane = np.minimum(high, value + half) - np.maximum(low, value - half)
    covered: Plane = np.maximum(overlap, 0) * (1 / softness)
    return covered


def bump(x: Plane, y: Plane, rx: Plane | float, ry: Plane | float) -> Plane:
    """A smooth hill around 0: 1 at its top, 0 beyond an ellipse."""
    height = np.maximum(1 - np.square(x * (1 / rx)) - np.square(y * (1 / ry)), 0)
    hill: Plane = height * height
    return hill


def smooth(value: Plane, low: float | Plane, high: float | Plane) -> Plane:
    """A soft step from 0 at `low` to 1 at `high`."""
    share = np.minimum(np.maximum((value - low) * (1 / (high - low)), 0), 1)
    step: Plane = share * share * (3 - 2 * share)
    return step


def shade(albedo: Plane, normal: Vector, light: Vector, strength: Plane, ambient: Plane) -> Plane:
    """Light that a surface sends back: Lambert's law, wrapped a little around the edge, and light from everywhere.

    Of the light from everywhere, more comes from above.
    """
    n_x, n_y, n_z = normal
    facing = np.maximum((n_x * light[0] + n_y * light[1] + n_z * light[2] + 0.15) * (1 / 1.15), 0)
    lit: Plane = albedo * (strength * facing + ambient * (0.85 - 0.3 * n_y))
    return lit


def zigzag(value: Plane) -> Plane:
    """Up and down between 0 and 1, once a unit."""
    height: Plane = np.abs(value - np.floor(value) - 0.5) * 2
    return height


def paint(canvas: Plane, mask: Plane, shade: Plane | float) -> None:
    """Lay `shade` over `canvas` where `mask` is 1, in place."""
    canvas += mask * (shade - canvas)
