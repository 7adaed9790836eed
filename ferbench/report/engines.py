"""A survey of engines as a table and as one figure: accuracy against the time of one face, a point a form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from rich.table import Table

from ferbench.engines.record import Form, Survey, Timing
from ferbench.report.tables import bytes_text
from ferbench.results import write_whole

COLUMNS = (
    *("recognizer", "engine", "precision", "gate", "accuracy, %", "macro-F1, %", "threads"),
    *("p10 ms", "p50 ms", "p90 ms", "p99 ms", "faces/s at 64", "size", "start s", "load s", "memory"),
)
_INK = "#1f2933"
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#1f2933")
_MARKERS = {"keras": "o", "litert": "s", "onnxruntime": "^", "openvino": "D", "native": "P"}
_FILLS = {"float32": "full", "float16": "left", "int8": "none", "int8_dynamic": "bottom"}


def engine_rows(survey: Survey) -> list[list[str]]:
    """A row a form and number of threads, recognizers as they were given, the fastest form of each first."""
    recognizers = list(dict.fromkeys(form.display_name for form in survey.forms))

    def place(pair: tuple[Form, Timing]) -> tuple[int, int, float]:
        form, timing = pair
        return timing.threads, recognizers.index(form.display_name), timing.single.p50_ms

    pairs = [(form, timing) for form in survey.forms for timing in form.timings]
    return [_row(form, timing) for form, timing in sorted(pairs, key=place)]


def engines_markdown(survey: Survey) -> str:
    """The table in Markdown, with what it was measured on and how."""
    head = [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * 4}{'---:|' * (len(COLUMNS) - 4)}"]
    rows = [f"| {' | '.join(row)} |" for row in engine_rows(survey)]
    left_out = [f"- left out: {form}: {reason}" for form, reason in survey.left_out.items()]
    environment = survey.environment
    calls = min((timing.single.n for form in survey.forms for timing in form.timings), default=0)
    synthetic = " (drawn by a program)" if survey.is_synthetic else ""
    installed = [f"- installed for {engine}: {bytes_text(size)}" for engine, size in survey.installed_bytes.items()]
    notes = [*left_out, *installed]
    text = f"""\
# Recognizers, engines, precisions

{survey.n:,} validation faces of {survey.dataset}{synthetic}; the test split was not opened. All forms were timed in one
run, by turns, the first rotating, {calls:,} calls of one face each, in one process for each number of threads, on
{environment.processor}, {environment.cores}, Python {environment.python}. The gate compares a form with the
network in Keras. Load time and growth of peak memory are of a fresh process with one thread, libraries included; start
is from starting Python to the first answer, and what was exported could import neither TensorFlow nor Keras. Installed
is all that it needs on disk: ferbench, the engine, NumPy, pydantic. Times hold for that machine on that day. A tenth of
the calls took p10 or less: what a call takes while nothing is in the way; p50 lies far above it where others used the
same cores at times.
"""
    return "\n".join([text, *head, *rows, *(["", *notes] if notes else [])]) + "\n"


def engines_table(survey: Survey) -> Table:
    """The table for a terminal."""
    table = Table(title=f"{survey.dataset} validation, n = {survey.n:,}", title_justify="left")
    for number, column in enumerate(COLUMNS):
        table.add_column(column, justify="left" if number < 4 else "right", no_wrap=number == 0)
    for row in engine_rows(survey):
        table.add_row(*row)
    return table


def engines_figure(survey: Survey) -> Figure:
    """Validation accuracy against the median time of one face with the first number of threads; up and left is best."""
    figure = Figure(figsize=(9.2, 5.6), layout="constrained")
    axes = figure.add_subplot()
    recognizers = list(dict.fromkeys(form.display_name for form in survey.forms))
    for form in survey.forms:
        color = _COLORS[recognizers.index(form.display_name) % len(_COLORS)]
        place = ([form.timings[0].single.p50_ms], [100 * form.accuracy])
        axes.plot(
            *place,
            color=color,
            marker=_MARKERS.get(form.engine, "v"),
            fillstyle=_FILLS[form.precision],
            markerfacecoloralt="white",
            markersize=9,
            linestyle="none",
        )
        if form.verdict and not form.verdict.passed:
            axes.plot(*place, color=_INK, marker="x", markersize=13, linestyle="none")
    _legend(axes, survey.forms, recognizers)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:.0e}"[0] in "25" else "")
    axes.set_xlabel(f"median time of one face, ms, threads: {survey.threads[0]}")
    axes.set_ylabel("validation accuracy, %")
    axes.grid(color="#d9dee5", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    synthetic = " (synthetic faces)" if survey.is_synthetic else ""
    axes.set_title(
        f"What an engine gains and a precision loses: {survey.dataset}{synthetic}, validation, n = {survey.n:,}",
        fontsize=11,
        color=_INK,
    )
    return figure


def write_survey(survey: Survey, directory: Path) -> None:
    """Write `engines.json`, `engines.md` and `engines.png`."""
    directory.mkdir(parents=True, exist_ok=True)
    write_whole(directory / "engines.json", survey.model_dump_json(indent=2) + "\n")
    write_whole(directory / "engines.md", engines_markdown(survey))
    figure = engines_figure(survey)
    FigureCanvasAgg(figure)
    figure.savefig(directory / "engines.png", dpi=130)


def _legend(axes: Any, forms: Sequence[Form], recognizers: Sequence[str]) -> None:
    entries = [
        Line2D([], [], color=_COLORS[number % len(_COLORS)], linewidth=5, label=name)
        for number, name in enumerate(recognizers)
    ]
    point: dict[str, Any] = {"color": _INK, "linestyle": "none", "markersize": 8, "markerfacecoloralt": "white"}
    for engine in dict.fromkeys(form.engine for form in forms):
        entries.append(Line2D([], [], marker=_MARKERS.get(engine, "v"), label=engine, **point))
    for precision in dict.fromkeys(form.precision for form in forms):
        entries.append(Line2D([], [], marker="o", fillstyle=_FILLS[precision], label=precision, **point))
    if any(form.verdict and not form.verdict.passed for form in forms):
        entries.append(Line2D([], [], marker="x", label="gate failed", **point))
    axes.legend(handles=entries, frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _row(form: Form, timing: Timing) -> list[str]:
    gate = "" if form.verdict is None else "passed" if form.verdict.passed else "failed"
    single = timing.single
    return [
        *(form.display_name, form.engine, form.precision, gate),
        *(f"{100 * form.accuracy:.2f}", f"{100 * form.macro_f1:.2f}", str(timing.threads)),
        *("" if ms is None else f"{ms:.3f}" for ms in (single.p10_ms, single.p50_ms, single.p90_ms, single.p99_ms)),
        f"{timing.batch.images_per_second:,.0f}",
        bytes_text(form.size_bytes),
        "" if form.start_seconds is None else f"{form.start_seconds:.2f}",
        f"{form.load_seconds:.2f}",
        "" if form.memory_bytes is None else bytes_text(form.memory_bytes),
    ]
