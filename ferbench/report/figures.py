"""Pictures of one result: confusion matrix, reliability and curve. They show numbers, never faces."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ferbench.metrics import Scores
from ferbench.results import RunResult
from ferbench.statistics.calibration import reliability

_INK, _BLUE, _ORANGE = "#1f2933", "#1f6feb", "#d9730d"


def draw_figures(result: RunResult, directory: Path) -> list[Path]:
    """Write `confusion.png`, `reliability.png`, and `curve.png` where fitting had one, into `directory`.

    Args:
        result: Of a finished run.
        directory: Where its `predictions.npz` is.

    Returns:
        The files written.
    """
    with np.load(directory / "predictions.npz", allow_pickle=False) as stored:
        reliability_picture = reliability_figure(result, stored)
    written = [
        _save(confusion_figure(result), directory / "confusion.png"),
        _save(reliability_picture, directory / "reliability.png"),
    ]
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


def reliability_figure(result: RunResult, predictions: Mapping[str, np.ndarray]) -> Figure:
    """How often answers of about the same confidence are right, on the test split if scored, else on validation.

    The diagonal is where probabilities come true; a point is as large as its share of the faces.
    """
    split, scores = ("test", result.test) if result.test else ("validation", result.validation)
    probabilities = predictions[f"{split}_probabilities"]
    right = (probabilities.argmax(axis=1) == predictions[f"{split}_labels"]).astype(np.float64)
    bins = reliability(right, probabilities.max(axis=1))
    figure = Figure(figsize=(5.4, 5.0), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 100], [0, 100], color=_INK, linewidth=0.8, linestyle="--", label="probabilities come true")
    confidence, share = ([100 * value for value in values] for values in zip(*(one[1:] for one in bins), strict=True))
    axes.plot(confidence, share, color=_BLUE, label=result.recognizer.name)
    axes.scatter(confidence, share, s=[12 + 400 * one.n / len(right) for one in bins], color=_BLUE, alpha=0.7)
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.set_xlabel("mean confidence, %")
    axes.set_ylabel("right, %")
    axes.set_title(
        f"{result.title}\n{split} split: calibration error {100 * scores.calibration_error:.1f} %, n = {scores.n:,}",
        fontsize=11,
    )
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
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
