"""Accuracy on drawn faces as conditions grow: a figure with the faces themselves, and the order of the recognizers.

Only drawn faces are shown.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.ticker import MultipleLocator
from numpy.typing import NDArray

from ferbench.conditions import Condition, ConditionsResult, Estimate
from ferbench.data.conditions import Setting, draw_at
from ferbench.results import write_whole
from ferbench.types import EMOTIONS

_INK, _GRAY = "#1f2933", "#7b8794"
_COLORS = ("#1f6feb", "#d9730d", "#2a9d5c", "#8250df", "#bf3989")
_MARKERS = ("o", "s", "^", "D", "v")
_SHOWN_PERSON = 7
_AXES = {
    "yaw": ("Head turned", "yaw, degrees to either side"),
    "light": ("Light from the side", "light, degrees to either side of the camera"),
    "hand": ("Covered by a hand", "hand, % of the picture"),
    "eyes": ("Bar over the eyes", "bar, % of the picture"),
    "mouth": ("Bar over the mouth", "bar, % of the picture"),
}


def write_conditions(result: ConditionsResult, target: Path) -> list[Path]:
    """Write the record and the figure.

    Args:
        result: From `measure_conditions`.
        target: A path without ending, as reports/conditions; its folder is made.

    Returns:
        The .json and the .png.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    record, picture = target.with_suffix(".json"), target.with_suffix(".png")
    write_whole(record, result.model_dump_json(indent=2) + "\n")
    figure = conditions_figure(result)
    figure.savefig(picture, dpi=110, metadata={"Software": None})
    return [record, picture]


def conditions_figure(result: ConditionsResult) -> Figure:
    """Accuracy by condition, a line an experiment with intervals over persons, above the faces it was measured on."""
    figure = Figure(figsize=(12, 8.8), facecolor="white")
    FigureCanvasAgg(figure)
    heights = (3, 0.55, 0.85)  # of a plot, of what stands below its axis, of the faces
    grid = figure.add_gridspec(7, 3, height_ratios=(*heights, 0.5, *heights), hspace=0, wspace=0.14)
    grid.update(left=0.055, right=0.99, top=0.875, bottom=0.015)
    colors = dict(zip(_ranked(result), zip(_COLORS, _MARKERS, strict=True), strict=False))
    places = [(0, 0), (0, 1), (4, 0), (4, 1), (4, 2)]
    for condition, (row, column) in zip(result.conditions, places, strict=True):
        axes = figure.add_subplot(grid[row, column])
        _draw_lines(axes, condition, colors)
        if column == 0:
            axes.set_ylabel("accuracy, %", color=_INK)
        _draw_strip(figure.add_subplot(grid[row + 2, column], sharex=axes), condition)
    _draw_key(figure.add_subplot(grid[0:3, 2]), result, colors)
    n_persons = -(-result.n_faces // result.faces_a_person)
    figure.text(0.055, 0.96, "Accuracy on drawn (synthetic) faces as one condition grows", fontsize=15, color=_INK)
    figure.text(
        0.055,
        0.928,
        f"{result.n_faces:,} faces of {n_persons:,} unseen persons at each level, the same persons and expressions "
        "throughout. Says nothing about human faces.",
        fontsize=10.5,
        color=_GRAY,
    )
    return figure


def order_markdown(result: ConditionsResult) -> str:
    """A row an experiment and seed: accuracy in percent on its validation and test split, and with nothing set."""
    leads = {lead.better: lead for lead in result.leads}
    first = result.runs[0]
    n_test = f" (n = {first.n_test:,})" if first.test else ""
    lines = [
        f"| recognizer | seed | validation (n = {first.n_validation:,}) | test{n_test} | "
        f"new faces (n = {result.n_unset:,}) | lead over the one above |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name in reversed(_ranked(result)):
        runs = [run for run in result.runs if run.experiment == name]
        lead = leads.get(name)
        for run in runs:
            cells = [name, str(run.seed), _percent(run.validation), _percent(run.test), _percent(run.unset)]
            lines.append(f"| {' | '.join(cells)} | {_signed(lead.by_seed.get(run.seed) if lead else None)} |")
        mean = f"{100 * float(np.mean([run.unset.value for run in runs])):.1f}"
        lines.append(f"| {name} | mean | | | {mean} | {_signed(lead.mean if lead else None)} |")
    return "\n".join(lines)


def _ranked(result: ConditionsResult) -> list[str]:
    """Experiments, the most accurate first."""
    accuracy: dict[str, list[float]] = {}
    for run in result.runs:
        accuracy.setdefault(run.experiment, []).append(run.unset.value)
    return sorted(accuracy, key=lambda name: -float(np.mean(accuracy[name])))


def _percent(estimate: Estimate | None) -> str:
    if estimate is None:
        return "not scored"
    return f"{100 * estimate.value:.1f} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def _signed(lead: Estimate | None) -> str:
    return f"{100 * lead.value:+.1f} [{100 * lead.low:+.1f}, {100 * lead.high:+.1f}]" if lead else ""


def _draw_lines(axes: Axes, condition: Condition, colors: dict[str, tuple[str, str]]) -> None:
    at = [level.at for level in condition.levels]
    span = max(at) - min(at)
    if condition.usual is not None:
        axes.axvspan(min(at) - span, condition.usual, color="#eef2f6", zorder=0)
    axes.axhline(100 / len(EMOTIONS), color=_GRAY, linewidth=1, linestyle=(0, (2, 3)), zorder=1)
    for name, (color, marker) in colors.items():
        found = [level.accuracy[name] for level in condition.levels]
        values = np.array([100 * estimate.value for estimate in found])
        reach = [values - [100 * e.low for e in found], [100 * e.high for e in found] - values]
        axes.errorbar(
            at, values, reach, color=color, marker=marker, markersize=5, linewidth=1.8, elinewidth=1, capsize=2.5
        )
    title, label = _AXES[condition.name]
    axes.set_title(title, fontsize=11.5, loc="left", color=_INK)
    axes.set_xlabel(label, fontsize=10, color=_INK, labelpad=2)
    axes.set_xlim(min(at) - 0.14 * span, max(at) + 0.14 * span)
    if condition.unit == "degrees":
        axes.set_xticks(at, [f"{value:g}°" for value in at])
    else:
        axes.xaxis.set_major_locator(MultipleLocator(5))
    axes.set_ylim(0, 100)
    axes.grid(axis="y", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=_INK, labelsize=9.5)


def _draw_strip(axes: Axes, condition: Condition) -> None:
    """One face at some of the levels, each below its place on the axis."""
    axes.axis("off")
    axes.set_ylim(0, 1)
    for index in _evenly(condition):
        level = condition.levels[index]
        image = OffsetImage(_example(level.setting), zoom=0.5, cmap="gray", norm=Normalize(0, 255))
        axes.add_artist(AnnotationBbox(image, (level.at, 0.5), frameon=False, pad=0))


def _example(setting: Setting) -> NDArray[np.uint8]:
    drawn = draw_at(setting, 14, rng=np.random.default_rng(_SHOWN_PERSON), size=112)
    picture: NDArray[np.uint8] = drawn.images[int(np.argmax(drawn.labels == EMOTIONS.index("happiness")))]
    return picture


def _evenly(condition: Condition) -> list[int]:
    """The levels nearest to evenly spaced places on the axis."""
    at = np.array([level.at for level in condition.levels])
    wanted = np.linspace(at[0], at[-1], 4 if condition.unit == "degrees" else 3)
    return [int(index) for index in np.abs(at[:, None] - wanted).argmin(axis=0)]


def _draw_key(axes: Axes, result: ConditionsResult, colors: dict[str, tuple[str, str]]) -> None:
    """What the lines are, and what each recognizer reaches where nothing is set."""
    axes.axis("off")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.text(0.06, 0.95, f"Nothing set, {result.n_unset:,} faces", fontsize=11.5, color=_INK)
    for line, (name, (color, marker)) in enumerate(colors.items()):
        y = 0.86 - 0.075 * line
        found = [run.unset for run in result.runs if run.experiment == name]
        axes.plot([0.06, 0.16], [y, y], color=color, linewidth=1.8)
        axes.plot([0.11], [y], color=color, marker=marker, markersize=5)
        axes.text(0.2, y, name, va="center", fontsize=11, color=_INK)
        accuracy = " · ".join(f"{100 * estimate.value:.1f}" for estimate in found)
        axes.text(0.98, y, f"{accuracy} %", va="center", ha="right", fontsize=11, color=_INK)
    notes = (
        "Lines: mean of the trainings above, one a seed.",
        "Bars: 95 % bootstrap interval over persons.",
        "Shaded: as far as the faces trained on go.",
        "Dotted: chance, one in seven.",
        "Faces: one person, at some of the levels.",
    )
    axes.text(0.06, 0.84 - 0.075 * len(colors), "\n".join(notes), va="top", fontsize=9.5, color=_GRAY, linespacing=1.6)
