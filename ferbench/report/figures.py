"""Pictures of one result: its confusion matrix and its curve. They show numbers, never faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ferbench.metrics import Scores
from ferbench.results import RunResult

_INK, _BLUE, _ORANGE = "#1f2933", "#1f6feb", "#d9730d"


def draw_figures(result: RunResult, directory: Path) -> list[Path]:
    """Write `confusion.png`, and `curve.png` where fitting had one, into `directory`.

    Returns:
        The files written.
    """
    written = [_save(confusion_figure(result), directory / "confusion.png")]
    if len(result.curve) > 1:
        written.append(_save(curve_figure(result), directory / "curve.png"))
    return written


def confusion_figure(result: RunResult) -> Figure:
    """The confusion matrix, rows in percent of the true class, of the test split if scored, else of validation."""
    split, scores = ("test", result.test) if result.test else ("validation", result.validation)
    figure = Figure(figsize=(6.4, 5.8), layout="constrained")
    axes = figure.add_subplot()
    shares = _row_shares(scores)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    names = list(scores.classes)
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
    axes.set_yticks(range(len(names)), [f"{name} ({entry.support})" for name, entry in scores.classes.items()])
    for (row, column), share in np.ndenumerate(shares):
        color = "white" if share > 0.55 else _INK
        axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", color=color, fontsize=10)
    axes.set_xlabel("taken for")
    axes.set_ylabel("is (faces)")
    low, high = scores.accuracy_interval
    axes.set_title(
        f"{result.title}\n{split} split: {100 * scores.accuracy:.1f} % right "
        f"[{100 * low:.1f}, {100 * high:.1f}], n = {scores.n:,}",
        fontsize=11,
    )
    return figure


def curve_figure(result: RunResult) -> Figure:
    """Accuracy on training and validation faces, by epoch or by value tried; the chosen one marked."""
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.add_subplot()
    steps = np.arange(1, len(result.curve) + 1)
    for key, color, label in (
        ("accuracy", _ORANGE, "training, augmented"),
        ("validation_accuracy", _BLUE, "validation"),
    ):
        values = np.array([100 * values.get(key, np.nan) for values in result.curve])
        if np.isfinite(values).any():
            axes.plot(steps, values, color=color, label=label, marker="o", markersize=3)
            if key == "validation_accuracy":
                best = int(np.nanargmax(values))
                axes.annotate(
                    f"{values[best]:.1f}",
                    (steps[best], values[best]),
                    (0, -14),
                    textcoords="offset points",
                    ha="center",
                )
    axes.set_xlabel("epoch" if result.recognizer.family == "deep" else "value tried")
    axes.set_ylabel("accuracy, %")
    axes.set_title(result.title, fontsize=11)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    return figure


def _row_shares(scores: Scores) -> np.ndarray:
    counts = np.asarray(scores.confusion, dtype=float)
    shares: np.ndarray = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares


def _save(figure: Figure, path: Path) -> Path:
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    return path
