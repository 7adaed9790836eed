"""Who a drawn face is and how it is seen, one row a face; drawn at random where the caller does not set it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal, Self, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ferbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

Column: TypeAlias = NDArray[np.float32]
"""Shape (n,), one number a face."""

HairStyle: TypeAlias = Literal["bald", "short", "fringe", "receding", "long"]
HAIR_STYLES: tuple[str, ...] = get_args(HairStyle)

Occlusion: TypeAlias = Literal["none", "hand", "eyes", "mouth"]
OCCLUSIONS: tuple[str, ...] = get_args(Occlusion)


class _Columns:
    """What columnar records share: a length, and rows taken by index."""

    __slots__ = ()

    def __post_init__(self) -> None:
        lengths = {name: getattr(self, name).shape for name in _names(type(self))}
        if len({*lengths.values()}) > 1 or any(len(shape) != 1 for shape in lengths.values()):
            raise ConfigError(
                f"{type(self).__name__} needs columns of one length, got {lengths}: give one value a face."
            )

    def __len__(self) -> int:
        return len(getattr(self, _names(type(self))[0]))

    def take(self, rows: NDArray[np.int64] | slice) -> Self:
        """The faces that indices or a slice select."""
        return type(self)(**{name: getattr(self, name)[rows] for name in _names(type(self))})


@dataclass(frozen=True, slots=True, eq=False)
class Identity(_Columns):
    """Persons. Lengths are in half heads: the head is 2 high, its center at 0, y points down.

    Attributes:
        head_width: Half the width of the head.
        jaw: How narrow the chin is, 0 square to 1 pointed.
        eye_distance: From the middle of the face to the center of an eye.
        eye_size: Factor on width and opening of the eyes.
        eye_height: y of the eyes.
        eye_tilt: How much higher the outer corners are than the inner ones.
        nose_length: y of the tip of the nose below the eyes.
        nose_width: Half the width of the wings of the nose.
        mouth_height: y of the closed mouth.
        mouth_width: Half the width of the mouth at rest.
        lip_thickness: Factor on the thickness of the lips.
        brow_thickness: Half the thickness of the brows.
        brow_height: From the eyes up to the brows.
        brow_arch: How much the brows are bent.
        age: Depth of folds and wrinkles, 0 to 1.
        skin: Share of light that skin reflects, about 0.1 dark to 0.6 light.
        hair: Share of light that hair reflects.
        iris: Share of light that the iris reflects.
        hair_style: Index into `HAIR_STYLES`.
        beard: Density, 0 to 1.
        moustache: Density, 0 to 1.
        glasses: 0 without, 1 with.
    """

    head_width: Column
    jaw: Column
    eye_distance: Column
    eye_size: Column
    eye_height: Column
    eye_tilt: Column
    nose_length: Column
    nose_width: Column
    mouth_height: Column
    mouth_width: Column
    lip_thickness: Column
    brow_thickness: Column
    brow_height: Column
    brow_arch: Column
    age: Column
    skin: Column
    hair: Column
    iris: Column
    hair_style: Column
    beard: Column
    moustache: Column
    glasses: Column


@dataclass(frozen=True, slots=True, eq=False)
class Scene(_Columns):
    """How each face is seen.

    Attributes:
        yaw: Degrees that the head is turned to the right of the picture.
        pitch: Degrees that it looks up.
        roll: Degrees that it leans clockwise.
        scale: Half the height of the head as a share of half the picture's.
        shift_x: How far it stands right of the middle, as a share of half the picture.
        shift_y: How far it stands below the middle.
        gaze: Where the eyes look, -1 left to 1 right.
        light_yaw: Degrees that the light comes from the right of the camera.
        light_pitch: Degrees that it comes from above.
        light: Strength of the directed light.
        ambient: Strength of the light from everywhere.
        background: Brightness behind the head, 0 to 1.
        background_slope: How much brighter it gets from left to right.
        clothes: Share of light that the clothes reflect.
        blur: Standard deviation in pixels.
        noise: Standard deviation in gray levels at 48 pixels; larger pictures have less in proportion.
        noise_seed: What noise is drawn.
        occlusion: Index into `OCCLUSIONS`.
        occlusion_size: Size of what covers the face, 0 to 1.
        occlusion_x: Where it lies, -1 left to 1 right.
        occlusion_y: Where a hand lies, -1 high to 1 low.
        occlusion_shade: Share of light that it reflects.
    """

    yaw: Column
    pitch: Column
    roll: Column
    scale: Column
    shift_x: Column
    shift_y: Column
    gaze: Column
    light_yaw: Column
    light_pitch: Column
    light: Column
    ambient: Column
    background: Column
    background_slope: Column
    clothes: Column
    blur: Column
    noise: Column
    noise_seed: Column
    occlusion: Column
    occlusion_size: Column
    occlusion_x: Column
    occlusion_y: Column
    occlusion_shade: Column


def draw_identities(n: int, rng: np.random.Generator, **fixed: ArrayLike) -> Identity:
    """Persons at random, but for the columns set by the caller.

    Args:
        n: How many.
        rng: Where they come from; setting a column does not change what is drawn for the others.
        fixed: Columns of `Identity` by name, one number or one a face.

    Raises:
        ConfigError: a name is no column, or a column has another length.
    """
    skin = rng.beta(2.2, 1.3, n) * 0.52 + 0.1
    styles = rng.choice(len(HAIR_STYLES), n, p=[0.04, 0.34, 0.2, 0.1, 0.32])
    drawn = {
        "head_width": rng.uniform(0.66, 0.75, n),
        "jaw": rng.uniform(0.2, 1, n),
        "eye_distance": rng.uniform(0.275, 0.32, n),
        "eye_size": rng.uniform(1.02, 1.34, n),
        "eye_height": rng.uniform(-0.03, 0.05, n),
        "eye_tilt": rng.normal(0.008, 0.012, n),
        "nose_length": rng.uniform(0.31, 0.41, n),
        "nose_width": rng.uniform(0.1, 0.155, n),
        "mouth_height": rng.uniform(0.56, 0.63, n),
        "mouth_width": rng.uniform(0.235, 0.31, n),
        "lip_thickness": rng.uniform(0.7, 1.4, n),
        "brow_thickness": rng.uniform(0.018, 0.036, n),
        "brow_height": rng.uniform(0.17, 0.22, n),
        "brow_arch": rng.uniform(0.0, 0.05, n),
        "age": rng.beta(1.3, 1.8, n),
        "skin": skin,
        "hair": np.minimum(rng.choice([0.01, 0.02, 0.045, 0.1, 0.25], n) * rng.uniform(0.7, 1.4, n), skin * 0.6),
        "iris": rng.choice([0.03, 0.06, 0.16], n) * rng.uniform(0.8, 1.3, n),
        "hair_style": styles,
        "beard": (rng.random(n) < 0.16) * (styles != 4) * rng.uniform(0.35, 0.9, n),
        "moustache": (rng.random(n) < 0.18) * (styles != 4) * rng.uniform(0.5, 1, n),
        "glasses": rng.random(n) < 0.13,
    }
    return Identity(**_with(Identity, n, drawn, fixed))


def draw_scenes(n: int, rng: np.random.Generator, **fixed: ArrayLike) -> Scene:
    """Views at random, but for the columns set by the caller; see `draw_identities`."""
    drawn = {
        "yaw": rng.uniform(-5, 5, n),
        "pitch": rng.uniform(-3, 3, n),
        "roll": rng.uniform(-1.5, 1.5, n),
        "scale": rng.uniform(1.03, 1.13, n),
        "shift_x": rng.normal(0, 0.015, n),
        "shift_y": rng.normal(-0.07, 0.015, n),
        "gaze": np.clip(rng.normal(0, 0.35, n), -1, 1),
        "light_yaw": rng.uniform(-60, 60, n),
        "light_pitch": rng.uniform(5, 55, n),
        "light": rng.uniform(0.75, 1.3, n),
        "ambient": rng.uniform(0.2, 0.5, n),
        "background": rng.uniform(0.05, 0.85, n),
        "background_slope": rng.normal(0, 0.12, n),
        "clothes": rng.uniform(0.02, 0.5, n),
        "blur": rng.uniform(0, 0.8, n),
        "noise": rng.uniform(4, 11, n),
        "noise_seed": rng.integers(0, 2**24, n),
        "occlusion": rng.choice(len(OCCLUSIONS), n, p=[0.92, 0.04, 0.02, 0.02]),
        "occlusion_size": rng.uniform(0.4, 1, n),
        "occlusion_x": rng.uniform(-1, 1, n),
        "occlusion_y": rng.uniform(-1, 1, n),
        "occlusion_shade": rng.uniform(0.05, 0.5, n),
    }
    return Scene(**_with(Scene, n, drawn, fixed))


def _with(
    kind: type[Identity | Scene], n: int, drawn: Mapping[str, NDArray[np.generic]], fixed: Mapping[str, ArrayLike]
) -> dict[str, Column]:
    columns = {name: np.asarray(values, np.float32) for name, values in drawn.items()}
    for name, values in fixed.items():
        if name not in columns:
            raise ConfigError(f"{kind.__name__} has no column '{name}'. Known: {', '.join(_names(kind))}.")
        given = np.asarray(values, np.float32)
        if given.shape not in ((), (n,)):
            raise ConfigError(f"{name} must be one number or {n}, one a face, got shape {given.shape}.")
        columns[name] = np.broadcast_to(given, (n,))
    return columns


def _names(kind: type) -> list[str]:
    return [field.name for field in fields(kind)]
