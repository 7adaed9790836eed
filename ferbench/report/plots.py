"""Figures of a leaderboard for Plotly, as its JSON. Colors are set by the page, which knows the theme.

A trace says what it is about in `meta.role` ("classical", "deep", "baseline", "muted", or "series 3").
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from ferbench.report.board import BUDGETS_MS, Board, Entry, shown
from ferbench.report.elements import Plot
from ferbench.statistics.calibration import reliability

_FAMILIES = (("classical", "square"), ("deep", "circle"))
_SHOWN_A_FAMILY = 2
_MOST_POINTS = 400
_LABEL_WIDTH, _LABEL_HEIGHT = 0.7, 0.07  # decades of time, share of the axis of accuracy


def pareto(board: Board) -> Plot | None:
    """Accuracy against the time of one face, intervals both ways, without baselines; None where nothing was timed."""
    timed = [entry for entry in board.entries if _ms(entry) > 0 and entry.family != "baseline"]
    if not timed:
        return None
    front = _front(timed)
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [_ms(entry) for entry in front],
            "y": [_percent(entry.accuracy.value) for entry in front],
            "line": {"shape": "hv", "dash": "dot", "width": 1.5},
            "name": "nothing is both faster and better",
            "hoverinfo": "skip",
            "meta": {"role": "muted"},
        }
    ]
    for family, symbol in _FAMILIES:
        members = [entry for entry in timed if entry.family == family]
        if members:
            traces.append(_points(members, family, symbol, _labelled(front)))
    lines = [
        {
            "type": "line",
            "x0": budget,
            "x1": budget,
            "y0": 0,
            "y1": 1,
            "yref": "paper",
            "line": {"dash": "dash", "width": 1},
        }
        for budget in BUDGETS_MS
    ]
    labels = [
        {"x": float(np.log10(budget)), "y": 1.0, "yref": "paper", "yanchor": "bottom", "text": f"{budget:g} ms"}
        | {"showarrow": False, "font": {"size": 11}}
        for budget in BUDGETS_MS
    ]
    layout = {
        "xaxis": {"type": "log", "title": {"text": "time of one face, ms (median; bar to p95)"}, "dtick": 1},
        "yaxis": {"title": {"text": f"{board.split} accuracy, % (95 % interval)"}},
        "legend": {"orientation": "h", "yanchor": "top", "y": -0.18},
        "shapes": lines,
        "annotations": labels,
        "hovermode": "closest",
    }
    named = ", ".join(f"{entry.name} {_percent(entry.accuracy.value):.1f} % at {_ms(entry):.2f} ms" for entry in front)
    text = f"Accuracy against time of one face. Nothing is both faster and better than: {named}."
    return Plot("pareto", f"Accuracy against time: {board.title}", text, traces, layout, height=400)


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


def _points(members: list[Entry], family: str, symbol: str, front: set[str]) -> dict[str, Any]:
    values = [entry.accuracy for entry in members]
    medians = [_ms(entry) for entry in members]
    slow = [entry.latency_ms("p95_ms") or _ms(entry) for entry in members]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": family,
        "x": medians,
        "y": [_percent(value.value) for value in values],
        "text": [escape(entry.name) if entry.name in front else "" for entry in members],
        "textposition": "top left",
        "cliponaxis": False,
        "textfont": {"size": 11},
        "hovertext": [escape(_hover(entry)) for entry in members],
        "hoverinfo": "text",
        "marker": {"symbol": symbol, "size": 10},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [max(0.0, p95 - p50) for p95, p50 in zip(slow, medians, strict=True)],
            "arrayminus": [0.0] * len(members),
            "thickness": 1,
            "width": 3,
        },
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [_percent(value.high - value.value) for value in values],
            "arrayminus": [_percent(value.value - value.low) for value in values],
            "thickness": 1,
            "width": 3,
        },
        "meta": {"role": family},
    }


def _hover(entry: Entry) -> str:
    low, high = 100 * entry.accuracy.low, 100 * entry.accuracy.high
    aids = f", {entry.aids}" if entry.aids else ""
    return f"{entry.name}{aids}: {100 * entry.accuracy.value:.1f} % [{low:.1f}, {high:.1f}], {_ms(entry):.2f} ms"


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
    for family, _ in _FAMILIES:
        found |= set([place for place, entry in enumerate(entries) if entry.family == family][:n])
    return found or {0}


def _labelled(front: Sequence[Entry]) -> set[str]:
    """Names that can stand beside their points: the better one where two would cover each other."""
    kept: list[Entry] = []
    span = max((entry.accuracy.value for entry in front), default=0) - min(
        (entry.accuracy.value for entry in front), default=0
    )
    for entry in reversed(front):
        near = (
            other
            for other in kept
            if abs(np.log10(_ms(other) / _ms(entry))) < _LABEL_WIDTH
            and abs(other.accuracy.value - entry.accuracy.value) < _LABEL_HEIGHT * span
        )
        if next(near, None) is None:
            kept.append(entry)
    return {entry.name for entry in kept}


def _front(entries: list[Entry]) -> list[Entry]:
    """Those that no other beats in both time and accuracy, by rising time."""
    front: list[Entry] = []
    for entry in sorted(entries, key=lambda entry: (_ms(entry), -entry.accuracy.value)):
        if not front or entry.accuracy.value > front[-1].accuracy.value:
            front.append(entry)
    return front


def _thinned(n: int) -> list[int]:
    if n <= _MOST_POINTS:
        return list(range(n))
    return sorted({int(step) for step in np.linspace(0, n - 1, _MOST_POINTS)})


def _height(n_series: int) -> int:
    """Room for a figure and its legend."""
    return 400 + 22 * (n_series // 5)


def _ms(entry: Entry) -> float:
    return round(entry.latency_ms("p50_ms") or 0.0, 4)


def _percent(share: float) -> float:
    return round(100 * share, 2)
