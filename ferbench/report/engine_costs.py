"""Recognizers by engine and precision, timed in one run: a section of the report."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from ferbench.engines.record import Form, Survey, Timing, read_survey
from ferbench.errors import DataError
from ferbench.report.elements import Cell, Column, Element, Grid, Plot, Section, Text, number, percent
from ferbench.report.tables import bytes_text

_SYMBOLS = {"keras": "circle", "litert": "square", "onnxruntime": "triangle-up", "openvino": "diamond"}
_OWN = "cross"  # what is no network runs as it is


def read_engines(path: Path) -> Survey:
    """Read an `engines.json` of which every form has its time for every number of threads.

    Raises:
        DataError: it cannot be read, is no survey of this version, or a time is missing or none.
    """
    survey = read_survey(path)
    for form in survey.forms:
        times = [latency for timing in form.timings for latency in (timing.single, timing.batch)]
        is_whole = survey.threads and tuple(timing.threads for timing in form.timings) == survey.threads
        if not is_whole or min(latency.p50_ms for latency in times) <= 0 or not 0 <= form.accuracy <= 1:
            raise DataError(
                f"{path}: {form.recognizer[:80]} on {form.engine[:80]} needs a time above 0 for each number of threads "
                "and an accuracy between 0 and 1: measure it again."
            )
    return survey


def engines_section(surveys: Sequence[Survey]) -> Section:
    """What each form keeps of its recognizer's accuracy, and what it costs; one figure and one table a survey."""
    elements: list[Element] = []
    for place, survey in enumerate(surveys):
        elements += [Text(_explanation(survey)), _plot(survey, place), _grid(survey)]
        elements += [Text(f"Left out: {form}: {reason}", "warning") for form, reason in survey.left_out.items()]
    return Section("engines", "Engines and precisions", elements)


def _explanation(survey: Survey) -> str:
    environment = survey.environment
    synthetic = " (synthetic faces)" if survey.is_synthetic else ""
    return (
        f"Accuracy on {survey.n:,} validation faces of {survey.dataset}{synthetic}. All forms were timed by turns in "
        f"one run on {environment.processor}, {environment.cores}: compare times within this table, not with "
        "those of other runs. The gate holds a form to the network in Keras."
    )


def _plot(survey: Survey, place: int) -> Plot:
    threads = survey.threads[0]
    by_recognizer: dict[str, list[Form]] = {}
    for form in survey.forms:
        by_recognizer.setdefault(form.display_name, []).append(form)
    traces = [_trace(name, forms, series, threads) for series, (name, forms) in enumerate(by_recognizer.items())]
    layout = {
        "xaxis": {"type": "log", "title": {"text": f"time of one face, ms (median, threads: {threads})"}, "dtick": 1},
        "yaxis": {"title": {"text": "validation accuracy, %"}},
        "legend": {"orientation": "h", "yanchor": "top", "y": -0.18},
        "hovermode": "closest",
    }
    text = "The same recognizer at other speeds and nearly the same accuracy; the table below has every figure."
    return Plot(f"engines{place}", "Accuracy against time, a point an engine and precision", text, traces, layout)


def _trace(name: str, forms: Sequence[Form], series: int, threads: int) -> dict[str, Any]:
    timed = [(form, timing) for form in forms for timing in form.timings if timing.threads == threads]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": escape(name),
        "x": [timing.single.p50_ms for _, timing in timed],
        "y": [round(100 * form.accuracy, 2) for form, _ in timed],
        "text": [escape(f"{name} {form.engine} {form.precision}, gate {_gate(form)}") for form, _ in timed],
        "hovertemplate": "%{text}<br>%{y:.1f} %, %{x:.2f} ms<extra></extra>",
        "marker": {"symbol": [_SYMBOLS.get(form.engine, _OWN) for form, _ in timed], "size": 9},
        "meta": {"role": f"series {series}"},
    }


def _grid(survey: Survey) -> Grid:
    columns = (
        Column("recognizer", is_text=True),
        Column("engine", is_text=True),
        Column("precision", "of the weights; with int8 of all values", is_text=True),
        Column("gate", "whether it keeps to the network in Keras", is_text=True),
        Column("accuracy, %"),
        Column("macro-F1, %"),
        Column("threads"),
        Column("p10 ms", "of one face, while nothing is in the way"),
        Column("p50 ms"),
        Column("p90 ms"),
        Column("p99 ms"),
        Column("faces/s", "in batches of 64"),
        Column("size"),
        Column("load s", "of a fresh process, libraries included"),
        Column("memory", "by how much the peak of a fresh process grows"),
    )
    pairs = [(form, timing) for form in survey.forms for timing in form.timings]
    pairs.sort(key=lambda pair: (pair[1].threads, pair[1].single.p50_ms))
    return Grid("Each form in one run", columns, tuple(_row(form, timing) for form, timing in pairs), is_folded=True)


def _row(form: Form, timing: Timing) -> tuple[Cell, ...]:
    single = timing.single
    memory = form.memory_bytes
    return (
        Cell(form.display_name),
        Cell(form.engine),
        Cell(form.precision),
        Cell(_gate(form), mark="weak" if form.verdict and not form.verdict.passed else ""),
        percent(form.accuracy),
        percent(form.macro_f1),
        number(timing.threads, 0),
        number(single.p10_ms, 3),
        number(single.p50_ms, 3),
        number(single.p90_ms, 3),
        number(single.p99_ms, 3),
        number(timing.batch.images_per_second, 0),
        Cell(bytes_text(form.size_bytes), float(form.size_bytes)),
        number(form.load_seconds, 2),
        number(None) if memory is None else Cell(bytes_text(memory), float(memory)),
    )


def _gate(form: Form) -> str:
    if form.verdict is None:
        return "reference"
    return "passed" if form.verdict.passed else "failed"
