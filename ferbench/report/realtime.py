"""A comparison in the loop as a table and as one figure: accuracy against frames a second, a point a pair."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from rich.table import Table

from ferbench.realtime.agreement import Difference
from ferbench.realtime.record import ComparedPair, RealtimeResult
from ferbench.realtime.summary import STAGES, RealtimeSummary, Share

COLUMNS = (
    *("recognizer", "detector", "right, whole path", "macro-F1", "found", "right on found", "crop cost", "false faces"),
    *("frames/s", "detect ms", "crop ms", "recognize ms", "streaming"),
)
_INK = "#1f2933"
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#1f2933", "#7f3c8d", "#8c6d31", "#7a7a7a")
_MARKERS = ("o", "s", "D", "^", "v", "P")


def realtime_rows(result: RealtimeResult) -> list[list[str]]:
    """A row a pair, the most accurate first: shares in percent with 95 % intervals, times as medians."""
    ordered = sorted(result.pairs, key=lambda pair: -_accuracy(pair.waiting).value)
    return [_row(pair) for pair in ordered]


def realtime_markdown(result: RealtimeResult) -> str:
    """The table in Markdown."""
    head = [f"| {' | '.join(COLUMNS)} |", f"|---|---|{'---:|' * (len(COLUMNS) - 2)}"]
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in realtime_rows(result))])


def realtime_table(result: RealtimeResult) -> Table:
    """The table for a terminal."""
    synthetic = ", synthetic faces" if result.dataset.is_synthetic else ""
    title = f"{result.dataset.name} {result.split}{synthetic}, n = {result.n_faces:,}, one face a frame; shares in %"
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(COLUMNS):
        table.add_column(column, justify="left" if number < 2 else "right")
    for row in realtime_rows(result):
        table.add_row(*row)
    return table


def summary_table(source: str, summaries: Sequence[RealtimeSummary]) -> Table:
    """What a session measured, a row each recognizer with each detector; shares only where frames carried labels."""
    is_labelled = any(summary.labelled for summary in summaries)
    columns = ["recognizer", "detector", "frames", "frames/s", "dropped", "age", "p95", *STAGES]
    columns += ["labelled", "right", "streaming"] if is_labelled else []
    table = Table(title=f"{source}: age of what is seen and stages, median ms; shares in %", title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < 2 else "right", no_wrap=number < 2)
    for summary in summaries:
        table.add_row(*_session_row(summary, is_labelled=is_labelled))
    return table


def flat_summary(summary: RealtimeSummary) -> dict[str, float]:
    """One level of names and figures, for tracking; what is not known is left out."""
    found: dict[str, float | None] = {"fps": summary.fps, "drop_rate": summary.drop_rate}
    found["age_p50_ms"] = summary.age.p50_ms if summary.age else None
    found |= {f"{stage}_p50_ms": times.p50_ms for stage, times in summary.stages.items()}
    if summary.labelled:
        for name in ("accuracy", "accuracy_on_found", "detection_rate", "streaming_accuracy"):
            share: Share | None = getattr(summary.labelled, name)
            found[name] = share.value if share else None
        found["macro_f1"] = summary.labelled.macro_f1
    return {name: value for name, value in found.items() if value is not None}


def realtime_figure(result: RealtimeResult) -> Figure:
    """Accuracy through the whole path against frames a second, the frames that wait; up and right is better."""
    figure = Figure(figsize=(8.2, 5.4), layout="constrained")
    axes = figure.add_subplot()
    recognizers = list(dict.fromkeys(pair.waiting.recognizer for pair in result.pairs))
    detectors = list(dict.fromkeys(pair.waiting.detector for pair in result.pairs))
    for pair in result.pairs:
        accuracy, seen = _accuracy(pair.waiting), pair.waiting
        axes.errorbar(
            seen.fps or float("nan"),
            100 * accuracy.value,
            yerr=[[100 * (accuracy.value - accuracy.low)], [100 * (accuracy.high - accuracy.value)]],
            color=_COLORS[recognizers.index(seen.recognizer) % len(_COLORS)],
            marker=_MARKERS[detectors.index(seen.detector) % len(_MARKERS)],
            markersize=8,
            elinewidth=1,
            capsize=2,
        )
    _legend(axes, recognizers, detectors)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:.0e}"[0] in "25" else "")
    axes.set_xlabel(f"frames a second: capture, detect, crop, recognize ({result.environment.cores})")
    axes.set_ylabel("faces found and named right, %")
    axes.grid(color="#d9dee5", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    synthetic = " (synthetic faces)" if result.dataset.is_synthetic else ""
    low, high = result.face_sizes
    edges = "" if result.config.comparison.surroundings else ", cut off at straight edges"
    axes.set_title(
        f"Right and fast on the same frames: {result.dataset.name}{synthetic}, {result.split} faces\n"
        f"of {low} to {high} pixels in 640 x 480{edges}, one a frame, n = {result.n_faces:,}, 95 % intervals",
        fontsize=11,
        color=_INK,
    )
    return figure


def draw_realtime(result: RealtimeResult, directory: Path) -> Path:
    """Write `realtime.png`."""
    path = directory / "realtime.png"
    figure = realtime_figure(result)
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=130)
    return path


def _legend(axes: Any, recognizers: list[str], detectors: list[str]) -> None:
    entries = [
        Line2D([], [], color=_COLORS[number % len(_COLORS)], linewidth=5, label=name)
        for number, name in enumerate(recognizers)
    ]
    entries += [
        Line2D([], [], color=_INK, marker=_MARKERS[number % len(_MARKERS)], linestyle="none", label=name)
        for number, name in enumerate(detectors)
    ]
    axes.legend(handles=entries, frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _row(pair: ComparedPair) -> list[str]:
    seen = pair.waiting
    labelled = seen.labelled
    streaming = pair.paced.labelled.streaming_accuracy if pair.paced and pair.paced.labelled else None
    return [
        seen.recognizer,
        seen.detector,
        _percent(labelled.accuracy if labelled else None),
        f"{100 * labelled.macro_f1:.1f}" if labelled and labelled.macro_f1 is not None else "",
        _percent(labelled.detection_rate if labelled else None, interval=False),
        _percent(labelled.accuracy_on_found if labelled else None, interval=False),
        _points(pair.crop_cost),
        f"{labelled.n_false_faces:,}" if labelled else "",
        f"{seen.fps:,.0f}" if seen.fps else "",
        *(_median(seen, stage) for stage in ("detect", "crop", "recognize")),
        _percent(streaming),
    ]


def _session_row(summary: RealtimeSummary, *, is_labelled: bool) -> list[str]:
    age = summary.age
    row = [summary.recognizer, summary.detector, f"{summary.n_arrived:,}"]
    row += [f"{summary.fps:,.1f}" if summary.fps else "", _rate(summary.drop_rate)]
    row += [f"{age.p50_ms:.1f}", f"{age.p95_ms:.1f}"] if age else ["", ""]
    row += [_median(summary, stage) for stage in STAGES]
    if is_labelled:
        labelled = summary.labelled
        row.append(f"{labelled.accuracy.n:,}" if labelled and labelled.accuracy else "0")
        row.append(_percent(labelled.accuracy if labelled else None, interval=False))
        row.append(_percent(labelled.streaming_accuracy if labelled else None, interval=False))
    return row


def _rate(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f}"


def _accuracy(summary: RealtimeSummary) -> Share:
    share = summary.labelled.accuracy if summary.labelled else None
    return share or Share(value=0.0, low=0.0, high=0.0, n=0)


def _percent(share: Share | None, *, interval: bool = True) -> str:
    if share is None:
        return ""
    text = f"{100 * share.value:.1f}"
    return f"{text} [{100 * share.low:.1f}, {100 * share.high:.1f}]" if interval else text


def _points(difference: Difference | None) -> str:
    if difference is None:
        return ""
    return f"{100 * difference.value:+.1f} [{100 * difference.low:+.1f}, {100 * difference.high:+.1f}]"


def _median(summary: RealtimeSummary, stage: str) -> str:
    found = summary.stages.get(stage)
    return f"{found.p50_ms:.2f}" if found else ""
