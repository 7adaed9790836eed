"""Rendered faces as a dataset: what a machine without any data runs on, and an instrument whose truth is known.

Labels are never wrong. What makes a face hard is how weakly it shows its emotion, how it is turned, lit, blurred and
covered; each can be set. Scores on it say nothing about human faces.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ferbench.data.appearance import OCCLUSIONS, Identity, Occlusion, Scene, draw_identities, draw_scenes
from ferbench.data.dataset import Dataset, Split
from ferbench.data.expressions import VARIANTS, Units, action_units, prototypes
from ferbench.data.rendering import render
from ferbench.errors import ConfigError
from ferbench.types import EMOTIONS, Images, Labels

MIN_INTENSITY, MAX_INTENSITY = 0.35, 1.0
FACES_A_PERSON = 3
_MAX_YAW, _MAX_LIGHT = 45, 90


@dataclass(frozen=True, slots=True, eq=False)
class DrawnFaces:
    """Pictures and everything that made them, one row a face.

    Attributes:
        images: uint8, (n, size, size).
        labels: int64, (n,), indices into `EMOTIONS`.
        persons: int64, (n,): who it is, numbered from 0.
        units: float32, (n, n_units): the action units shown.
        identity: What those persons look like.
        scene: How they are seen.
    """

    images: Images
    labels: Labels
    persons: NDArray[np.int64]
    units: Units
    identity: Identity
    scene: Scene


def load_synthetic(
    *,
    n_train: int = 2100,
    n_validation: int = 350,
    n_test: int = 350,
    seed: int = 0,
    yaw: float | None = None,
    light: float | None = None,
    occlusion: Occlusion | None = None,
) -> Dataset:
    """Draw a dataset of the seven emotions, equally many of each; the same seed gives the same bytes.

    Three faces show one person, a group, and nobody appears in two splits. What is not set is drawn at random.

    Args:
        n_train: Faces to fit on.
        n_validation: Faces to choose with.
        n_test: Faces to be tested on.
        seed: What is drawn; no split shares random numbers with another, and setting the view changes nothing else.
        yaw: Degrees that every head is turned to the right of the picture, -45 to 45.
        light: Degrees that the light comes from the right of the camera, -90 to 90.
        occlusion: What covers every face: "none", a "hand", a bar over the "eyes" or over the "mouth".

    Raises:
        ConfigError: a split has fewer faces than there are emotions, or an angle or an occlusion cannot be drawn.
    """
    drawn = draw_splits((n_train, n_validation, n_test), seed=seed, **_fixed_view(yaw, light, occlusion))
    rows = np.split(np.arange(n_train + n_validation + n_test), np.cumsum([n_train, n_validation]))
    train, validation, test = (
        Split(faces.images, faces.labels, numbers, faces.persons) for faces, numbers in zip(drawn, rows, strict=True)
    )
    return Dataset("synthetic", EMOTIONS, train, validation, test, is_synthetic=True)


def draw_splits(sizes: tuple[int, int, int], *, seed: int = 0, **fixed: float) -> tuple[DrawnFaces, ...]:
    """The faces of `load_synthetic` with everything that made them: train, validation and test.

    Args:
        sizes: How many faces each split has.
        seed: What is drawn.
        fixed: Columns of `Scene` by name, one number each.

    Raises:
        ConfigError: a split has fewer faces than there are emotions.
    """
    splits: list[DrawnFaces] = []
    names = ("n_train", "n_validation", "n_test")
    for name, n, stream in zip(names, sizes, np.random.SeedSequence(seed).spawn(len(sizes)), strict=True):
        if n < len(EMOTIONS):
            raise ConfigError(f"{name} must be at least {len(EMOTIONS)}, one face an emotion, got {n}.")
        rng = np.random.default_rng(stream)
        labels = rng.permutation(np.arange(n, dtype=np.int64) % len(EMOTIONS))
        drawn = draw_faces(labels, rng=rng, size=48, faces_a_person=FACES_A_PERSON, **fixed)
        known = int(splits[-1].persons[-1]) + 1 if splits else 0
        splits.append(replace(drawn, persons=drawn.persons + known))
    return tuple(splits)


def _fixed_view(yaw: float | None, light: float | None, occlusion: Occlusion | None) -> dict[str, float]:
    fixed: dict[str, float] = {}
    for name, field, value, most in (("yaw", "yaw", yaw, _MAX_YAW), ("light", "light_yaw", light, _MAX_LIGHT)):
        if value is not None:
            if not -most <= value <= most:
                raise ConfigError(f"{name} must be -{most} to {most} degrees, got {value:g}.")
            fixed[field] = value
    if occlusion is not None:
        if occlusion not in OCCLUSIONS:
            raise ConfigError(f"occlusion must be one of {', '.join(OCCLUSIONS)}, got '{occlusion}'.")
        fixed["occlusion"] = OCCLUSIONS.index(occlusion)
    return fixed


def render_faces(labels: Labels, *, rng: np.random.Generator, size: int = 48) -> Images:
    """Draw one face for each label, an index into `EMOTIONS`, each of a person of its own.

    Args:
        labels: int64, (n,).
        rng: Where identity, view and strength come from.
        size: Height and width in pixels.

    Returns:
        uint8, (n, size, size).
    """
    return draw_faces(labels, rng=rng, size=size).images


def draw_faces(
    labels: Labels, *, rng: np.random.Generator, size: int = 48, faces_a_person: int = 1, **fixed: ArrayLike
) -> DrawnFaces:
    """Draw one face for each label and keep what made it.

    What is drawn at random does not depend on the labels: one seed shows the same people with any expression.

    Args:
        labels: int64, (n,), indices into `EMOTIONS`.
        rng: Where everything comes from that is not set.
        size: Height and width in pixels.
        faces_a_person: So many rows in succession show one person.
        fixed: Columns of `Scene` by name, one number or one a face.

    Raises:
        ConfigError: a label is no emotion, or a column does not exist.
    """
    labels = np.asarray(labels, np.int64)
    n = len(labels)
    persons = np.arange(n, dtype=np.int64) // faces_a_person
    units = _shown(labels, rng)
    identity = draw_identities(int(persons.max(initial=-1)) + 1, rng).take(persons)
    scene = draw_scenes(n, rng, **fixed)
    return DrawnFaces(render(units, identity, scene, size), labels, persons, units, identity, scene)


def _shown(labels: Labels, rng: np.random.Generator) -> Units:
    """Prototypes as people show them: some units more, some less, variants now and then, nothing wholly at rest."""
    n = len(labels)
    intensity = rng.uniform(MIN_INTENSITY, MAX_INTENSITY, n).astype(np.float32)
    units = action_units(labels, intensity)
    variants = prototypes(VARIANTS, labels) * intensity[:, None]
    units *= rng.uniform(0.7, 1, units.shape).astype(np.float32)
    units += variants * (rng.random(units.shape) < 0.5) * rng.uniform(0.3, 1, units.shape)
    units += np.abs(rng.normal(0, 0.04, units.shape))
    return np.clip(units, 0, 1).astype(np.float32)
