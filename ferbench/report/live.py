"""Comparisons through the whole camera path in a report: detect, crop, recognize, right and fast on the same frames."""

from __future__ import annotations

from html import escape

from ferbench.realtime.record import RealtimeResult
from ferbench.report.elements import Cell, Column, Element, Grid, Plot, Section, Text
from ferbench.report.realtime import COLUMNS, realtime_rows

_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross")
_TEXT_COLUMNS = 2


def live_section(found: list[tuple[RealtimeResult, str]]) -> Section:
    """A table and a figure each comparison, with what a reader must know of it besides; those on test faces first."""
    elements: list[Element] = []
    order = sorted(found, key=lambda one: (one[0].dataset.is_synthetic, one[0].split != "test", one[0].config.name))
    for place, (result, note) in enumerate(order):
        synthetic = " (synthetic faces)" if result.dataset.is_synthetic else ""
        low, high = result.face_sizes
        edges = "" if result.config.comparison.surroundings else ", cut off at straight edges"
        elements.append(
            Text(
                f"{result.config.name}: {result.n_faces:,} {result.split} faces of {result.dataset.name}{synthetic}, "
                f"{low} to {high} pixels in 640 x 480{edges}, one a frame, on {result.environment.cores} "
                f"({result.environment.processor}), {result.created_at:%Y-%m-%d}. Not found counts as wrong."
            )
        )
        elements += [*([Text(note)] if note else []), _plot(result, f"realtime{place}"), _grid(result)]
    return Section("realtime", "Through the whole camera path", elements)


def _grid(result: RealtimeResult) -> Grid:
    columns = tuple(Column(title, is_text=place < _TEXT_COLUMNS) for place, title in enumerate(COLUMNS))
    rows = tuple(
        tuple(Cell(text, None if place < _TEXT_COLUMNS else _leading_number(text)) for place, text in enumerate(row))
        for row in realtime_rows(result)
    )
    return Grid(f"{result.config.name}: shares in %, times as medians", columns, rows)


def _leading_number(text: str) -> float:
    words = text.replace(",", "").split()
    try:
        return float(words[0])
    except (IndexError, ValueError):
        return float("-inf")


def _plot(result: RealtimeResult, name: str) -> Plot:
    recognizers = list(dict.fromkeys(pair.waiting.recognizer for pair in result.pairs))
    detectors = list(dict.fromkeys(pair.waiting.detector for pair in result.pairs))
    traces = []
    for pair in result.pairs:
        seen = pair.waiting
        share = seen.labelled.accuracy if seen.labelled else None
        if share is None or not seen.fps:
            continue
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": escape(f"{seen.recognizer}, {seen.detector}"),
                "x": [round(seen.fps, 2)],
                "y": [round(100 * share.value, 2)],
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [round(100 * (share.high - share.value), 2)],
                    "arrayminus": [round(100 * (share.value - share.low), 2)],
                    "thickness": 1,
                },
                "marker": {"symbol": _SYMBOLS[detectors.index(seen.detector) % len(_SYMBOLS)], "size": 11},
                "hovertemplate": "%{y:.1f} % right, %{x:.0f} frames/s",
                "meta": {"role": f"series {recognizers.index(seen.recognizer)}"},
            }
        )
    layout = {
        "xaxis": {"type": "log", "title": {"text": "frames a second: capture, detect, crop, recognize"}, "dtick": "D2"},
        "yaxis": {"title": {"text": "found and named right, %"}},
        "legend": {"orientation": "h", "y": -0.2},
    }
    text = (
        f"Accuracy through the whole path against frames a second for {', '.join(recognizers)} with "
        f"{', '.join(detectors)}; a color a recognizer, a shape a detector."
    )
    return Plot(name, f"Right and fast: {result.config.name}", text, traces, layout)
