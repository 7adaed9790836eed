"""A picture of what the renderer can do: expressions by strength, and one face as pose, light and occlusion change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from ferbench.data.appearance import HAIR_STYLES, OCCLUSIONS, Identity, draw_identities, draw_scenes
from ferbench.data.expressions import Units, action_units
from ferbench.data.rendering import render
from ferbench.data.synthetic import draw_faces
from ferbench.types import EMOTIONS, Images

_SIZE = 144
_COLUMNS = 7
_INK = "#1f2933"
_STILL: dict[str, ArrayLike] = {
    "yaw": 0,
    "pitch": 0,
    "roll": 0,
    "gaze": 0,
    "scale": 0.92,
    "shift_x": 0,
    "shift_y": -0.05,
    "occlusion": 0,
}
_STUDIO: dict[str, ArrayLike] = {
    "light_yaw": 25,
    "light_pitch": 35,
    "light": 1.0,
    "ambient": 0.35,
    "background": 0.55,
    "background_slope": 0,
}
_HARD: dict[str, ArrayLike] = {"light": 1.3, "ambient": 0.15}
_CLEAN: dict[str, ArrayLike] = {"blur": 0, "noise": 1, "clothes": 0.08, "occlusion_size": 0.7, "occlusion_shade": 0.05}


def contact_sheet(path: Path, *, seed: int = 0) -> Path:
    """Write the picture: a row an emotion from neutral to full strength, then yaw, light, occlusion, and chance.

    Args:
        path: A file that ends in .png; its folder must exist.
        seed: Who is shown.

    Returns:
        `path`.
    """
    rows = contact_rows(seed)
    figure = Figure(figsize=(_COLUMNS * 1.3 + 1.1, len(rows) * 1.3 + 0.5), facecolor="white")
    top, left = 1 - 0.36 / (len(rows) * 1.3 + 0.5), 1.1 / (_COLUMNS * 1.3 + 1.1)
    axes = figure.add_axes((left, 0.01, 0.99 - left, top - 0.01))
    grid = np.concatenate([np.concatenate(list(images), axis=1) for images in rows.values()])
    axes.imshow(grid, cmap="gray", vmin=0, vmax=255, interpolation="antialiased", aspect="auto")
    axes.set_yticks((np.arange(len(rows)) + 0.5) * _SIZE, list(rows), fontsize=10, color=_INK)
    axes.set_xticks([])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for edge in range(1, max(len(rows), _COLUMNS)):
        axes.axhline(edge * _SIZE - 0.5, color="white", linewidth=1.5)
        axes.axvline(edge * _SIZE - 0.5, color="white", linewidth=1.5)
    axes.set_xlim(-0.5, _COLUMNS * _SIZE - 0.5)
    axes.set_ylim(len(rows) * _SIZE - 0.5, -0.5)
    figure.text(left, 1 - 0.24 / (len(rows) * 1.3 + 0.5), "Faces drawn by ferbench: no person is shown", color=_INK)
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    return path


def contact_rows(seed: int = 0) -> dict[str, Images]:
    """The rows of the sheet by title, each uint8 (7, 144, 144)."""
    rng = np.random.default_rng(seed)
    hair = np.array([1, 4, 2, 4, 1, 3, 4]) % len(HAIR_STYLES)
    people = draw_identities(len(EMOTIONS), rng, hair_style=hair, glasses=[0, 1, 0, 0, 0, 0, 0], beard=0, moustache=0)
    strengths = np.linspace(0, 1, _COLUMNS)
    rows = {}
    for row, emotion in enumerate(EMOTIONS):
        person = people.take(np.full(_COLUMNS, row))
        units = action_units(np.full(_COLUMNS, row), strengths)
        title = f"{emotion}\n0 to 1" if emotion != "neutral" else "neutral\ngaze"
        gaze: dict[str, ArrayLike] = {"gaze": np.linspace(-1, 1, _COLUMNS)} if emotion == "neutral" else {}
        rows[title] = _view(units, person, rng, **gaze)
    surprise, joy, fear = (
        action_units(np.full(_COLUMNS, EMOTIONS.index(e)), 0.7) for e in ("surprise", "happiness", "fear")
    )
    mixed = _posed("happiness", strengths) + _posed("surprise", 1 - strengths)
    first, second, third = (people.take(np.full(_COLUMNS, who)) for who in (0, 4, 6))
    rows["surprise to\nhappiness"] = _view(np.minimum(mixed, 1), third, rng)
    rows["yaw\n-45° to 45°"] = _view(joy, first, rng, yaw=np.linspace(-45, 45, _COLUMNS))
    rows["pitch\n-21° to 21°"] = _view(surprise, second, rng, pitch=np.linspace(-21, 21, _COLUMNS))
    rows["light\n-90° to 90°"] = _view(
        fear, third, rng, light_yaw=np.linspace(-90, 90, _COLUMNS), light=1.3, ambient=0.15
    )
    kinds = [OCCLUSIONS.index(kind) for kind in ("none", "hand", "hand", "eyes", "eyes", "mouth", "mouth")]
    hands: dict[str, ArrayLike] = {"occlusion_x": [0, -0.8, 0.8, 0, 0, 0, 0], "occlusion_y": [0, -0.5, 0.7, 0, 0, 0, 0]}
    sizes = [0, 0.6, 0.9, 0.2, 0.9, 0.2, 0.9]
    rows["occlusion"] = _view(joy, second, rng, occlusion=kinds, occlusion_size=sizes, **hands)
    for name in ("as drawn\nby default", "the same,\n48 pixels"):
        size = _SIZE if "default" in name else 48
        faces = draw_faces(np.arange(_COLUMNS), rng=np.random.default_rng(seed + 1), size=size).images
        rows[name] = faces.repeat(_SIZE // size, axis=1).repeat(_SIZE // size, axis=2)
    return rows


def _posed(emotion: str, intensity: ArrayLike = 0.7) -> Units:
    return action_units(np.full(_COLUMNS, EMOTIONS.index(emotion)), intensity)


def _view(units: Units, identity: Identity, rng: np.random.Generator, **changed: ArrayLike) -> Images:
    scene = draw_scenes(len(identity), rng, **{**_STILL, **_STUDIO, **_CLEAN, **changed})
    return render(units, identity, scene, _SIZE)
