"""Cartoon faces drawn by a program: a stand-in that needs no download, for tests, demos and first runs.

Every face has its own identity, pose, light and noise, and shows its emotion more or less strongly. Scores on it say
nothing about human faces.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ferbench.data.dataset import Dataset, Split, duplicate_groups
from ferbench.errors import ConfigError
from ferbench.types import EMOTIONS, Images, Labels

_Plane = NDArray[np.float32]

_EXPRESSIONS = np.array(
    # brow height, brow slope (inner end up), eyes wide, corners up, mouth open, mouth wide, nose wrinkled
    [
        [-0.8, -1.0, -0.1, -0.3, 0.10, -0.1, 0.2],  # anger
        [-0.5, -0.5, -0.6, -0.5, 0.20, -0.2, 1.0],  # disgust
        [0.7, 0.8, 0.8, -0.4, 0.35, 0.2, 0.0],  # fear
        [0.1, 0.0, -0.3, 1.0, 0.30, 0.4, 0.0],  # happiness
        [-0.1, 0.9, -0.5, -0.9, 0.00, -0.1, 0.0],  # sadness
        [1.0, 0.1, 0.9, 0.0, 1.00, -0.4, 0.0],  # surprise
        [0.0, 0.0, 0.0, 0.0, 0.00, 0.0, 0.0],  # neutral
    ],
    dtype=np.float32,
)
_CHUNK = 64
_MIN_STRENGTH, _MAX_STRENGTH, _VARIATION = 0.45, 1.1, 0.14


def load_synthetic(*, n_train: int = 1400, n_validation: int = 350, n_test: int = 350, seed: int = 0) -> Dataset:
    """Draw a dataset of the seven emotions, equally many of each; the same seed gives the same bytes.

    Args:
        n_train: Faces to fit on.
        n_validation: Faces to choose with.
        n_test: Faces to be tested on.
        seed: What is drawn; no split shares random numbers with another.

    Raises:
        ConfigError: a split has fewer faces than there are emotions.
    """
    sizes = {"train": n_train, "validation": n_validation, "test": n_test}
    images, labels = {}, {}
    for (name, n), stream in zip(sizes.items(), np.random.SeedSequence(seed).spawn(len(sizes)), strict=True):
        if n < len(EMOTIONS):
            raise ConfigError(f"n_{name} must be at least {len(EMOTIONS)}, one face an emotion, got {n}.")
        rng = np.random.default_rng(stream)
        labels[name] = rng.permutation(np.arange(n, dtype=np.int64) % len(EMOTIONS))
        images[name] = render_faces(labels[name], rng=rng)
    ends = np.cumsum(list(sizes.values()))[:-1]
    rows = np.split(np.arange(sum(sizes.values()), dtype=np.int64), ends)
    groups = np.split(duplicate_groups(np.concatenate(list(images.values()))), ends)
    splits = {
        name: Split(images[name], labels[name], split_rows, split_groups)
        for name, split_rows, split_groups in zip(sizes, rows, groups, strict=True)
    }
    return Dataset(name="synthetic", classes=EMOTIONS, is_synthetic=True, **splits)


def render_faces(labels: Labels, *, rng: np.random.Generator, size: int = 48) -> Images:
    """Draw one face for each label, an index into `EMOTIONS`, each of a person of its own.

    Args:
        labels: int, (n,).
        rng: Where identity, pose, light, strength and noise come from.
        size: Height and width in pixels.

    Returns:
        uint8, (n, size, size).
    """
    images = np.empty((len(labels), size, size), np.uint8)
    for start in range(0, len(labels), _CHUNK):
        images[start : start + _CHUNK] = _render(labels[start : start + _CHUNK], rng, size)
    return images


def _render(labels: Labels, rng: np.random.Generator, size: int) -> Images:
    n = len(labels)

    def uniform(low: float, high: float) -> _Plane:
        return rng.uniform(low, high, (n, 1, 1)).astype(np.float32)

    strength = rng.uniform(_MIN_STRENGTH, _MAX_STRENGTH, (n, 1))
    expression = _EXPRESSIONS[labels] * strength + rng.normal(0, _VARIATION, (n, _EXPRESSIONS.shape[1]))
    brow_height, brow_slope, eyes_wide, corners_up, mouth_open, mouth_wide, wrinkle = (
        column.astype(np.float32)[:, None, None] for column in expression.T
    )

    # Coordinates on the face: x right and y down, the head about 2 high; pose moves the grid, not the shapes.
    line = (np.arange(size, dtype=np.float32) * 2 + 1) / size - 1
    angle, scale = uniform(-0.22, 0.22), uniform(0.92, 1.2)
    down, right = (line[:, None] - uniform(-0.1, 0.1)) * scale, (line[None, :] - uniform(-0.1, 0.1)) * scale
    x = right * np.cos(angle) + down * np.sin(angle)
    y = down * np.cos(angle) - right * np.sin(angle)
    softness = np.float32(2.2 / size)

    def cover(distance: _Plane) -> _Plane:
        covered: _Plane = np.clip(0.5 - distance / softness, 0, 1)
        return covered

    skin = uniform(95, 215)
    canvas = uniform(15, 225) + uniform(-35, 35) * x + uniform(-35, 35) * y

    def paint(mask: _Plane, shade: _Plane) -> None:
        np.add(canvas, mask * (shade - canvas), out=canvas)

    head_width, head_height = uniform(0.62, 0.76), uniform(0.84, 0.95)
    radius: _Plane = np.sqrt((x / head_width) ** 2 + (y / head_height) ** 2)
    hair_shade = skin * uniform(0.2, 0.8)
    paint(cover((radius - 1.12) * head_width + np.maximum(y - uniform(-0.5, 0.5), 0) * 2), hair_shade)
    paint(cover((radius - 1) * head_width), skin * (1.06 - 0.22 * radius**2))
    hairline = uniform(-0.78, -0.58) + uniform(-0.15, 0.15) * x + uniform(-0.1, 0.3) * np.square(x)
    paint(cover(np.maximum((radius - 1.02) * head_width, y - hairline)), hair_shade)

    features = x - uniform(-0.09, 0.09)  # the head turns a little to a side
    side = np.abs(features) - uniform(0.27, 0.33)
    eye_y, eye_width = uniform(-0.2, -0.1), uniform(0.13, 0.17)
    opening = np.maximum(uniform(0.055, 0.085) * (1 + 0.75 * eyes_wide), 0.008)
    lids = np.abs(y - eye_y) - opening * (1 - (side / eye_width) ** 2)
    pupil = np.sqrt((side - uniform(-0.03, 0.03)) ** 2 + (y - eye_y) ** 2) - uniform(0.05, 0.065)
    paint(cover(np.abs(lids) - 0.012) * (np.abs(side) < eye_width * 1.1), skin * 0.35)
    paint(cover(lids), np.minimum(skin * 1.25, 240))
    paint(cover(np.maximum(lids, pupil)), skin * 0.2)

    brow_y = eye_y - uniform(0.17, 0.23) - 0.09 * brow_height + 0.5 * brow_slope * side - uniform(-0.8, 0) * side**2
    brow = np.maximum(np.abs(y - brow_y) - uniform(0.018, 0.04), np.abs(side) - uniform(0.17, 0.21))
    paint(cover(brow), hair_shade * 0.7)

    nose_y, nose_width = uniform(0.14, 0.24), uniform(0.07, 0.12)
    nostrils = np.sqrt((np.abs(features) - nose_width * 0.7) ** 2 + ((y - nose_y) * 1.6) ** 2) - 0.028
    paint(cover(nostrils), skin * 0.45)
    bridge = np.exp(-((features / 0.13) ** 2) - ((y - nose_y + 0.2) / 0.12) ** 2)
    folds = 0.5 + 0.5 * np.sin(60 * (y + 0.4 * np.abs(features)))
    paint(np.clip(wrinkle, 0, 1) * 0.6 * bridge * folds, skin * 0.5)

    mouth_y = uniform(0.46, 0.54) + 0.05 * np.maximum(mouth_open, 0)
    half_width = uniform(0.22, 0.3) * (1 + 0.45 * mouth_wide)
    across = features / half_width
    middle = mouth_y + uniform(0.09, 0.13) * corners_up * (0.4 - across**2)
    gap = 0.2 * np.maximum(mouth_open, 0) * (1 - across**2)
    lips = np.abs(y - middle) - gap
    within = np.abs(features) - half_width
    paint(cover(np.maximum(lips - uniform(0.025, 0.05), within)), skin * uniform(0.5, 0.75))
    paint(cover(np.maximum(lips - 0.008, within)), skin * 0.2)
    teeth = np.maximum(np.maximum(lips + 0.015, within + 0.04), y - middle + uniform(-0.05, 0.05))
    paint(cover(teeth), np.minimum(skin * 1.3, 235))

    light = 1 + uniform(-0.3, 0.3) * line[None, :] + uniform(-0.25, 0.25) * line[:, None]
    noise = rng.standard_normal((n, size, size), dtype=np.float32) * uniform(3, 11)
    return np.clip(np.rint(canvas * light * uniform(0.75, 1.15) + noise), 0, 255).astype(np.uint8)
