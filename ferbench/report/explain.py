"""The picture that explains one answer: where in the face it was found. It draws arrays and knows no recognizer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from ferbench.types import Images

_INK, _GRAY, _BLUE, _ORANGE = "#1f2933", "#9aa5b1", "#1f6feb", "#d9730d"
_WIDTH, _TOP_HEIGHT, _STAGE_HEIGHT = 11.0, 3.1, 1.35
_MAPS_A_STAGE = 10
_SMALLEST_SCALE = 0.02  # below it an occlusion map would show rounding


def draw_explanation(
    path: Path,
    face: Images,
    probabilities: Mapping[str, float],
    *,
    title: str,
    asked: str,
    grad_cam: NDArray[np.float32] | None = None,
    occlusion: NDArray[np.float32] | None = None,
    features: Mapping[str, NDArray[np.float32]] | None = None,
) -> Path:
    """Write the picture of one face.

    Args:
        path: A file that ends in .png; its folder must exist.
        face: uint8, (height, width).
        probabilities: By class.
        title: Which recognizer, which picture.
        asked: The class that the maps are about.
        grad_cam: (height, width), 0 to 1 (Selvaraju et al., "Grad-CAM", ICCV 2017).
        occlusion: (height, width), the probability lost where the face is covered (Zeiler and Fergus, ECCV 2014).
        features: By layer, (height, width, channels): those that vary most over the face are shown.

    Returns:
        `path`.
    """
    n_panels = 2 + (grad_cam is not None) + (occlusion is not None)
    stages = features or {}
    heights = [_TOP_HEIGHT, *[_STAGE_HEIGHT] * len(stages)]
    figure = Figure(figsize=(_WIDTH * (n_panels / 4 if not stages else 1), sum(heights) + 0.3), layout="constrained")
    figure.suptitle(title, fontsize=12, color=_INK)
    rows = figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    panels = list(np.atleast_1d(rows[0].subplots(1, n_panels)))
    _draw_face(panels[0], face)
    panels[0].set_title(f"what it sees, {face.shape[0]} x {face.shape[1]} pixels", fontsize=10)
    if grad_cam is not None:
        _draw_grad_cam(rows[0], panels[1], face, grad_cam, asked)
    if occlusion is not None:
        _draw_occlusion(rows[0], panels[-2], face, occlusion, asked)
    _draw_probabilities(panels[-1], probabilities, asked)
    for row, (layer, maps) in zip(rows[1:], stages.items(), strict=True):
        _draw_stage(row, layer, maps)
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=100, metadata={"Software": None})
    return path


def _draw_face(axes: Any, face: Images, *, faded: bool = False) -> None:
    low, high = (-160, 320) if faded else (0, 255)
    axes.imshow(face, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
    axes.set_axis_off()


def _draw_grad_cam(row: SubFigure, axes: Any, face: Images, heat: NDArray[np.float32], asked: str) -> None:
    _draw_face(axes, face)
    shown = axes.imshow(heat, cmap="inferno", vmin=0, vmax=1, alpha=0.1 + 0.6 * heat, interpolation="bilinear")
    axes.set_title(f"Grad-CAM: {asked}", fontsize=10)
    bar = row.colorbar(shown, ax=axes, orientation="horizontal", shrink=0.8, ticks=[0, 0.5, 1])
    bar.set_label("speaks for it, 1: the most" if heat.any() else "nothing speaks for it", fontsize=9)
    _thin(bar)


def _draw_occlusion(row: SubFigure, axes: Any, face: Images, losses: NDArray[np.float32], asked: str) -> None:
    _draw_face(axes, face, faded=True)
    most = max(float(np.abs(losses).max()), _SMALLEST_SCALE)
    alpha = 0.15 + 0.65 * np.abs(losses) / most
    shown = axes.imshow(losses, cmap="RdBu_r", vmin=-most, vmax=most, alpha=alpha, interpolation="bilinear")
    axes.set_title(f"occlusion: {asked}", fontsize=10)
    bar = row.colorbar(shown, ax=axes, orientation="horizontal", shrink=0.8)
    bar.set_label("probability lost when covered", fontsize=9)
    _thin(bar)


def _thin(bar: Any) -> None:
    bar.solids.set_alpha(1)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, colors=_INK)
    bar.ax.locator_params(nbins=5)


def _draw_probabilities(axes: Any, probabilities: Mapping[str, float], asked: str) -> None:
    names, values = list(probabilities), [100 * value for value in probabilities.values()]
    colors = [_ORANGE if name == asked else _GRAY for name in names]
    axes.barh(range(len(names)), values, color=colors)
    axes.set_yticks(range(len(names)), names, fontsize=9)
    axes.invert_yaxis()
    axes.set_xlim(0, 118)
    axes.set_xticks([0, 50, 100])
    for place, value in enumerate(values):
        axes.text(value + 2, place, f"{value:.0f}", va="center", fontsize=9, color=_INK)
    axes.set_title("probability, %", fontsize=10)
    axes.tick_params(length=0, labelsize=9)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_bounds(0, 100)


def _draw_stage(row: SubFigure, layer: str, maps: NDArray[np.float32]) -> None:
    height, width, n_channels = maps.shape
    chosen = np.argsort(-maps.std(axis=(0, 1)), kind="stable")[:_MAPS_A_STAGE]
    row.suptitle(
        f"{height} x {width} values after {layer}: the {len(chosen)} of {n_channels} maps that vary most",
        fontsize=9,
        x=0.01,
        ha="left",
        color=_INK,
    )
    panels = np.atleast_1d(row.subplots(1, _MAPS_A_STAGE))
    low, high = float(maps[..., chosen].min()), float(maps[..., chosen].max())
    for axes in panels:
        axes.set_axis_off()
    for axes, channel in zip(panels, chosen, strict=False):
        shown = axes.imshow(maps[..., channel], cmap="viridis", vmin=low, vmax=high, interpolation="nearest")
    bar = row.colorbar(shown, ax=list(panels), pad=0.005, aspect=12)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, colors=_INK)
    bar.ax.locator_params(nbins=3)
