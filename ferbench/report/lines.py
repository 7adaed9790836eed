"""Lines with their intervals for Plotly: how a share changes as something grows, a line a recognizer."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

from ferbench.report.elements import Plot
from ferbench.statistics.intervals import Interval

_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross", "star", "pentagon")
_COLORS = 8  # of the page; the shape changes where they begin anew


class Line(NamedTuple):
    """One recognizer; `place` fixes its color and shape, the same in all figures of a section."""

    name: str
    place: int
    at: Sequence[float]
    shares: Sequence[Interval]


def line_plot(
    name: str,
    title: str,
    text: str,
    lines: Sequence[Line],
    *,
    x_axis: dict[str, Any],
    chance: float | None = None,
    is_small: bool = False,
) -> Plot:
    """A figure of shares in percent over something that grows.

    Args:
        name: Of its place on the page.
        title: Above it.
        text: What it shows, in words.
        lines: Best first.
        x_axis: As Plotly has it.
        chance: Drawn as a dotted line.
        is_small: One of several side by side: without a legend.
    """
    traces = [_trace(line) for line in lines]
    if chance is not None and lines:
        ends = min(min(line.at) for line in lines), max(max(line.at) for line in lines)
        traces.insert(
            0,
            {"type": "scatter", "mode": "lines", "name": "chance", "x": list(ends), "y": [_percent(chance)] * 2}
            | {"hoverinfo": "skip", "line": {"dash": "dot", "width": 1}, "meta": {"role": "muted"}},
        )
    layout: dict[str, Any] = {
        "xaxis": x_axis,
        "yaxis": {"title": {"text": "" if is_small else "right, %"}, "rangemode": "tozero"},
        "hovermode": "closest",
        "showlegend": not is_small,
    }
    if not is_small:
        layout["legend"] = {"orientation": "h", "yanchor": "top", "y": -0.2}
    height = 230 if is_small else 420 + 22 * (len(lines) // 5)
    return Plot(name, title, text, traces, layout, height=height)


def _trace(line: Line) -> dict[str, Any]:
    name = escape(line.name)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": list(line.at),
        "y": [_percent(share.value) for share in line.shares],
        "marker": {"symbol": _SYMBOLS[(line.place + line.place // _COLORS) % len(_SYMBOLS)], "size": 6},
        "line": {"width": 1.6},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [_percent(share.high - share.value) for share in line.shares],
            "arrayminus": [_percent(share.value - share.low) for share in line.shares],
            "thickness": 1,
            "width": 2,
        },
        "customdata": [[_percent(share.low), _percent(share.high)] for share in line.shares],
        "hovertemplate": f"{name}<br>%{{y:.1f}} % [%{{customdata[0]:.1f}}, %{{customdata[1]:.1f}}]<extra></extra>",
        "meta": {"role": f"series {line.place}"},
    }


def _percent(share: float) -> float:
    return round(100 * share, 2)
