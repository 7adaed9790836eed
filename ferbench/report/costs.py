"""What answers cost, all from one survey of engines, and what fitting cost, each run on its own machine."""

from __future__ import annotations

import numpy as np

from ferbench.report.board import Board
from ferbench.report.elements import Cell, Column, Element, Grid, Text, number
from ferbench.report.standing import Contender, Standing
from ferbench.report.tables import bytes_text


def costs(standing: Standing) -> list[Element]:
    """Where times come from, a row a form that was timed, and a row an entry that was fitted."""
    timed = [_timed_cost(standing)] if standing.timed else []
    return [Text(" ".join(standing.sentences)), *timed, _fit_cost(standing.board)]


def _timed_cost(standing: Standing) -> Grid:
    has_operations = any(one.multiply_adds for one in standing.timed)
    columns = (
        Column("recognizer", is_text=True),
        Column("runs on", "engine and precision", is_text=True),
        Column("p10, ms", "one face, batch 1, while nothing is in the way"),
        Column("p50, ms"),
        Column("p90, ms"),
        Column("p99, ms", "from 1,000 calls up"),
        Column("faces/s", "in batches of 64"),
        Column("parameters"),
        *([Column("multiply-adds", "of one face, counted in the network, millions")] if has_operations else []),
        Column("size", "on disk"),
        Column("load, s", "of a fresh process, libraries included"),
        Column("memory", "by how much the peak of a fresh process grows"),
    )
    rows = [_timed_row(one, has_operations=has_operations) for one in standing.timed]
    return Grid("Cost of an answer, all from one run in rotated order", columns, tuple(rows))


def _timed_row(one: Contender, *, has_operations: bool) -> tuple[Cell, ...]:
    cost = one.entry.result.cost if one.entry else None
    timing, form = one.timing, one.form
    memory = form.memory_bytes if form else None
    return (
        Cell(one.name, mark=one.family),
        Cell(one.runs_on),
        number(timing.single.p10_ms if timing else None, 2),
        number(timing.single.p50_ms if timing else None, 2),
        number(timing.single.p90_ms if timing else None, 2),
        number(timing.single.p99_ms if timing else None, 2),
        number(timing.batch.images_per_second if timing else None, 0),
        number(cost.n_parameters if cost else None, 0),
        *([number(one.multiply_adds / 1e6 if one.multiply_adds else None)] if has_operations else []),
        Cell(bytes_text(one.size_bytes), float(one.size_bytes)),
        number(form.load_seconds if form else None, 1),
        Cell(bytes_text(memory), float(memory)) if memory else number(None),
    )


def _fit_cost(board: Board) -> Grid:
    columns = (
        Column("recognizer", is_text=True),
        Column("fit, s", "wall clock, on the cores named; the median of its seeds"),
        Column("fit, CPU s"),
        Column("peak memory", "high-water mark of the process, data included; the largest of its seeds"),
        Column("cores"),
        Column("processor", is_text=True),
    )
    rows = []
    for entry in board.entries:
        costs = [run.result.cost for run in entry.runs]
        peak = max((cost.peak_memory_bytes or 0 for cost in costs), default=0)
        cores = sorted({cost.n_cores for cost in costs})
        processors = sorted({run.result.environment.processor for run in entry.runs})
        rows.append(
            (
                Cell(entry.name, mark=entry.family),
                number(float(np.median([cost.fit_seconds for cost in costs])), 0),
                number(float(np.median([cost.fit_cpu_seconds for cost in costs])), 0),
                Cell(bytes_text(peak), float(peak)) if peak else number(None),
                Cell(", ".join(str(n) for n in cores), float(cores[0])),
                Cell("; ".join(processors)),
            )
        )
    caption = "Cost of fitting, each run on its own machine and day: compare with care"
    return Grid(caption, columns, tuple(rows))
