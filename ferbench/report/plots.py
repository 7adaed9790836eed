"""Figures of a leaderboard for Plotly, as its JSON. Colors are set by the page, which knows the theme.

A trace says what it is about in `meta.role` ("classical", "deep", "baseline", "muted", or "series 3").
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from ferbench.report.board import Board, Entry, shown
from ferbench.report.elements import Plot
from ferbench.statistics.calibration import reliability

_FAMILIES = ("classical", "deep")
_SHOWN_A_FAMILY = 2
_MOST_POINTS = 400


def reliability_plot(board: Board) -> Plot:
    """Share right against stated confidence in 15 equal-width bins, a line an experiment."""
    traces: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "lines", "x": [0, 100], "y": [0, 100], "name": "as stated", "hoverinfo": "skip"}
        | {"line": {"dash": "dot", "width": 1.5}, "meta": {"role": "muted"}}
    ]
    picked = _picked(board.entries)
    for place, entry in enumerate(board.entries):
        found = shown(entry.first, board.split)
        bins = reliability(found.right.astype(np.float64), found.probabilities.max(axis=1))
        traces.append(
            _series(place, entry, is_shown=place in picked)
            | {
                "mode": "lines+markers",
                "marker": {"size": [round(4 + 14 * (one.n / len(found.labels)) ** 0.5, 1) for one in bins]},
                "x": [_percent(one.confidence) for one in bins],
                "y": [_percent(one.right) for one in bins],
                "customdata": [one.n for one in bins],
                "hovertemplate": "stated %{x:.1f} %, right %{y:.1f} %, n = %{customdata}",
            }
        )
    layout = {
        "xaxis": {"title": {"text": "stated confidence, %"}, "range": [0, 102]},
        "yaxis": {"title": {"text": "right, %"}, "range": [0, 102]},
        "legend": {"orientation": "h", "yanchor": "top", "y": -0.18},
    }
    text = (
        f"Reliability of {', '.join(entry.name for entry in board.entries)}; the calibration table has their errors. "
        "Below the diagonal a recognizer is too sure of itself."
    )
    title = "Reliability: is it right as often as it says? Size of a point: faces"
    return Plot("reliability", title, text, traces, layout, height=_height(len(board.entries)))


def curves(board: Board) -> Plot | None:
    """Validation accuracy by epoch of the networks; None where none has a curve."""
    traces = []
    trained = [
        (place, entry)
        for place, entry in enumerate(board.entries)
        if entry.family == "deep" and len(entry.result.curve) > 1
    ]
    picked = _picked([entry for _, entry in trained], n=2 * _SHOWN_A_FAMILY)
    for number, (place, entry) in enumerate(trained):
        steps = _thinned(len(entry.result.curve))
        for key, label, dash in (("accuracy", "train", "dot"), ("validation_accuracy", "validation", "solid")):
            values = [entry.result.curve[step].get(key) for step in steps]
            if all(value is None for value in values):
                continue
            trace = _series(place, entry, is_shown=number in picked) | {
                "mode": "lines",
                "x": [step + 1 for step in steps],
                "y": [None if value is None else _percent(value) for value in values],
                "line": {"dash": dash, "width": 2 if dash == "solid" else 1.2},
                "hovertemplate": f"{label} %{{y:.1f}} %, epoch %{{x}}",
                "showlegend": dash == "solid",
            }
            traces.append(trace)
    if not traces:
        return None
    layout = {
        "xaxis": {"title": {"text": "epoch"}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": "accuracy, %"}},
        "legend": {"orientation": "h", "yanchor": "top", "y": -0.18},
    }
    text = (
        f"Training curves of {', '.join(entry.name for _, entry in trained)}: validation drawn through, training "
        "(augmented) dotted. The epoch kept is the one best on validation."
    )
    return Plot("curves", "Training curves", text, traces, layout, height=_height(len(trained)))


def _series(place: int, entry: Entry, *, is_shown: bool) -> dict[str, Any]:
    return {
        "type": "scatter",
        "name": escape(entry.name),
        "legendgroup": str(place),
        "visible": True if is_shown else "legendonly",
        "meta": {"role": f"series {place}"},
    }


def _picked(entries: Sequence[Entry], *, n: int = _SHOWN_A_FAMILY) -> set[int]:
    """Places of the first few of each kind: what is drawn before a reader chooses."""
    found: set[int] = set()
    for family in _FAMILIES:
        found |= set([place for place, entry in enumerate(entries) if entry.family == family][:n])
    return found or {0}


def _thinned(n: int) -> list[int]:
    if n <= _MOST_POINTS:
        return list(range(n))
    return sorted({int(step) for step in np.linspace(0, n - 1, _MOST_POINTS)})


def _height(n_series: int) -> int:
    """Room for a figure and its legend."""
    return 400 + 22 * (n_series // 5)


def _percent(share: float) -> float:
    return round(100 * share, 2)
