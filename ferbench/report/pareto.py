"""Accuracy against the time of one face, for Plotly: contenders of one leaderboard, timed in one run."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np

from ferbench.report.elements import Plot
from ferbench.report.standing import BUDGETS_MS, Contender, Standing
from ferbench.timing import Latency

_KINDS = (("classical", "square", "classical"), ("deep", "circle", "deep"), ("deep", "diamond", "deep, shipped export"))
_LETTER_WIDTH, _LETTER_HEIGHT = 0.036, 0.07  # decades of time, share of the range of accuracies
_MARKER_WIDTH = 0.06  # decades of time
_ROOM = 2.5  # times the shortest time, to the left of it


class _Point(NamedTuple):
    one: Contender
    single: Latency

    @property
    def ms(self) -> float:
        return round(self.single.p50_ms, 4)


class _Box(NamedTuple):
    left: float
    right: float
    bottom: float
    top: float

    def covers(self, other: _Box) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.bottom < other.top and other.bottom < self.top
        )


def pareto(standing: Standing) -> Plot | None:
    """Intervals of accuracy, bars from median to p95, no baselines; None where nothing was timed."""
    board = standing.board
    points = [_Point(one, one.timing.single) for one in standing.timed if one.timing and one.family != "baseline"]
    if not points or standing.survey is None:
        return None
    front = _front(points)
    traces = [_steps(front)]
    places = _label_places([*reversed(front), *(point for point in points if point not in front)])
    for family, symbol, words in _KINDS:
        members = [
            point for point in points if point.one.family == family and point.one.is_export == ("export" in words)
        ]
        if members:
            traces.append(_markers(members, family, symbol, words, places))
    others = [point for point in points if point.one.family not in ("classical", "deep")]
    if others:
        traces.append(_markers(others, "ensemble", "star", "ensemble", places))
    threads = standing.survey.threads[0]
    unit = "1 thread" if threads == 1 else f"{threads} threads"
    layout = {
        "xaxis": {"title": {"text": f"time of one face, ms (bar: p95), {unit}"}, **_time_axis(points)},
        "yaxis": {"title": {"text": f"{board.split} accuracy, % (95 % interval)"}},
        "legend": {"orientation": "h", "yanchor": "top", "y": -0.2},
        "shapes": [_budget_line(budget) for budget in BUDGETS_MS],
        "annotations": [_budget_label(budget) for budget in BUDGETS_MS],
        "hovermode": "closest",
    }
    named = ", ".join(f"{one.name} {100 * one.accuracy.value:.1f} % at {single.p50_ms:.2f} ms" for one, single in front)
    text = f"Accuracy against time of one face. Nothing is both faster and better than: {named}."
    return Plot("pareto", f"Accuracy against time: {board.title}", text, traces, layout, height=420)


def _time_range(points: Sequence[_Point]) -> tuple[float, float]:
    """With room to the left for names."""
    low = min(point.ms for point in points) / _ROOM
    return low, 1.2 * max(*BUDGETS_MS, *(point.single.p95_ms for point in points))


def _time_axis(points: Sequence[_Point]) -> dict[str, Any]:
    """1, 2, 5 of each decade written out."""
    low, high = _time_range(points)
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [step * 10.0**decade for decade in decades for step in (1, 2, 5)]
    shown = [tick for tick in ticks if low <= tick <= high]
    at = {"tickmode": "array", "tickvals": shown, "ticktext": [f"{tick:g}" for tick in shown]}
    return {"type": "log", "range": [float(np.log10(low)), float(np.log10(high))], **at}


def _steps(front: Sequence[_Point]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [point.ms for point in front],
        "y": [_percent(point.one.accuracy.value) for point in front],
        "line": {"shape": "hv", "dash": "dot", "width": 1.5},
        "name": "none is both faster and better",
        "hoverinfo": "skip",
        "meta": {"role": "muted"},
    }


def _markers(members: Sequence[_Point], role: str, symbol: str, name: str, places: dict[_Point, str]) -> dict[str, Any]:
    values = [point.one.accuracy for point in members]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": name,
        "x": [point.ms for point in members],
        "y": [_percent(value.value) for value in values],
        "text": [escape(point.one.name) if point in places else "" for point in members],
        "textposition": [places.get(point, "top left") for point in members],
        "cliponaxis": False,
        "textfont": {"size": 11},
        "hovertext": [escape(_hover(point)) for point in members],
        "hoverinfo": "text",
        "marker": {"symbol": symbol, "size": 10},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [max(0.0, point.single.p95_ms - point.ms) for point in members],
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
        "meta": {"role": role},
    }


def _hover(point: _Point) -> str:
    one = point.one
    low, high = 100 * one.accuracy.low, 100 * one.accuracy.high
    return f"{one.name}, {one.runs_on}: {100 * one.accuracy.value:.1f} % [{low:.1f}, {high:.1f}], {point.ms:.2f} ms"


def _budget_line(budget: float) -> dict[str, Any]:
    line = {"dash": "dash", "width": 1}
    return {"type": "line", "x0": budget, "x1": budget, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def _budget_label(budget: float) -> dict[str, Any]:
    place = {"x": float(np.log10(budget)), "y": 1.0, "yref": "paper", "yanchor": "bottom"}
    return {**place, "text": f"{budget:g} ms", "showarrow": False, "font": {"size": 11}}


def _label_places(points: Sequence[_Point]) -> dict[_Point, str]:
    """On which side of its point a name covers no other point and no name that came before; not in it: on none."""
    values = [point.one.accuracy.value for point in points]
    height = _LETTER_HEIGHT * max(max(values) - min(values), 0.01)
    left, right = (float(np.log10(edge)) for edge in _time_range(points))
    markers = {point: _marker(point, height) for point in points}
    names: list[_Box] = []
    places: dict[_Point, str] = {}
    for point in points:
        x, y, width = np.log10(point.ms), point.one.accuracy.value, _LETTER_WIDTH * len(point.one.name)
        taken = [*names, *(box for other, box in markers.items() if other is not point)]
        for place, low, bottom in (
            ("top left", x - width, y),
            ("bottom right", x, y - height),
            ("top right", x, y),
            ("bottom left", x - width, y - height),
        ):
            box = _Box(low, low + width, bottom, bottom + height)
            if left <= box.left and box.right <= right and not any(box.covers(other) for other in taken):
                names.append(box)
                places[point] = place
                break
    return places


def _marker(point: _Point, height: float) -> _Box:
    x, y = float(np.log10(point.ms)), point.one.accuracy.value
    return _Box(x - _MARKER_WIDTH / 2, x + _MARKER_WIDTH / 2, y - height / 4, y + height / 4)


def _front(points: Sequence[_Point]) -> list[_Point]:
    """Those that no other beats in both time and accuracy, by rising time."""
    front: list[_Point] = []
    for point in sorted(points, key=lambda point: (point.ms, -point.one.accuracy.value)):
        if not front or point.one.accuracy.value > front[-1].one.accuracy.value:
            front.append(point)
    return front


def _percent(share: float) -> float:
    return round(100 * share, 2)
