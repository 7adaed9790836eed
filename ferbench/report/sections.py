"""The parts of a leaderboard below the first screen: tests, confusions, recall, calibration, leakage, cost, curves."""

from __future__ import annotations

import numpy as np

from ferbench.report.board import Board, Entry
from ferbench.report.elements import (
    Cell,
    Column,
    Element,
    Grid,
    Section,
    Text,
    number,
    percent,
    percent_interval,
)
from ferbench.report.pairs import pair_tests
from ferbench.report.plots import curves, reliability_plot
from ferbench.report.tables import bytes_text
from ferbench.statistics.intervals import Interval

_OPEN_MATRICES = 2


def board_sections(board: Board) -> list[Section]:
    """All sections of a leaderboard that have something in them."""
    found = [
        Section("tests", "Which differences are real", pair_tests(board)),
        Section("confusion", "What is taken for what", _confusions(board)),
        Section("recall", "Recall by emotion", [_recall(board)]),
        Section("calibration", "Are the probabilities true", _calibration(board)),
        Section("leakage", "What twins across splits are worth", _leakage(board)),
        Section("cost", "What it costs", [_cost(board)]),
    ]
    plot = curves(board)
    found.append(Section("curves", "How training went", [plot] if plot else []))
    return [section for section in found if section.elements]


def _confusions(board: Board) -> list[Element]:
    return [_confusion(board, entry, place) for place, entry in enumerate(board.entries)]


def _confusion(board: Board, entry: Entry, place: int) -> Grid:
    scores = entry.result.test if board.split == "test" else entry.result.validation
    counts = np.asarray(scores.confusion if scores else [], float)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    rows = []
    for row, name in enumerate(board.card.classes):
        cells = [
            Cell(
                f"{100 * share:.0f}",
                float(share),
                f"{int(counts[row, column]):,} of {int(counts[row].sum()):,} faces of {name} "
                f"taken for {board.card.classes[column]}",
                heat=float(share),
            )
            for column, share in enumerate(shares[row])
        ]
        rows.append((Cell(f"{name} ({int(counts[row].sum()):,})"), *cells))
    columns = (Column("is (faces)", is_text=True), *(Column(name) for name in board.card.classes))
    caption = f"{entry.name}: taken for, % of the faces that are of the emotion"
    return Grid(caption, columns, tuple(rows), is_sortable=False, is_folded=place >= _OPEN_MATRICES)


def _recall(board: Board) -> Grid:
    support = (board.entries[0].result.test or board.entries[0].result.validation).classes
    columns = (
        Column("recognizer", is_text=True),
        *(Column(f"{name} ({support[name].support:,})") for name in board.card.classes),
        Column("balanced accuracy", "mean of the recalls"),
    )
    rows = []
    for entry in board.entries:
        cells = []
        for name in board.card.classes:
            value = entry.mean(lambda scores, name=name: scores.classes[name].recall, board.split)  # type: ignore[misc]
            cells.append(Cell(f"{100 * (value or 0):.0f}", value, heat=value))
        balanced = entry.mean(lambda scores: scores.balanced_accuracy, board.split)
        rows.append((Cell(entry.name, mark=entry.family), *cells, percent(balanced)))
    return Grid("Recall, % of the faces that are of the emotion (their number)", columns, tuple(rows))


def _calibration(board: Board) -> list[Element]:
    columns = (
        Column("recognizer", is_text=True),
        Column("ECE, %", "expected calibration error, 15 bins of equal width"),
        Column("ECE by mass, %", "15 bins with equally many faces"),
        Column("Brier", "sum over classes, 0 to 2"),
        Column("log loss", "natural logarithm"),
        Column("temperature", "that makes validation labels most probable; above 1: too sure of itself"),
        Column("ECE scaled, %", "equal width, after that temperature"),
        Column("log loss scaled"),
    )
    rows = []
    for entry in board.entries:
        found = entry.calibration
        rows.append(
            (
                Cell(entry.name, mark=entry.family),
                percent(found.equal_width),
                percent(found.equal_mass),
                number(found.brier, 3),
                number(found.log_loss, 3),
                number(found.temperature, 2),
                percent(found.scaled_error),
                number(found.scaled_log_loss, 3),
            )
        )
    fitted = (
        "The temperature is fitted on validation and read on test."
        if board.split == "test"
        else "The temperature is fitted on the same validation faces, so the scaled figures flatter."
    )
    grid = Grid("Calibration against the labels", columns, tuple(rows))
    return [Text(fitted), reliability_plot(board), grid]


def _leakage(board: Board) -> list[Element]:
    if board.split != "test":
        return []
    n_all, n_clean = board.card.n_test, board.card.n_clean_test
    rows = []
    for entry in board.entries:
        clean = entry.mean(lambda scores: scores.accuracy, "clean_test")
        if clean is None:
            continue
        low = entry.mean(lambda scores: scores.accuracy_interval[0], "clean_test") or 0.0
        high = entry.mean(lambda scores: scores.accuracy_interval[1], "clean_test") or 0.0
        n_twins = n_all - n_clean
        twins = (entry.accuracy.value * n_all - clean * n_clean) / n_twins if n_twins else None
        rows.append(
            (
                Cell(entry.name, mark=entry.family),
                percent_interval(entry.accuracy),
                percent_interval(Interval(clean, low, high)),
                number(100 * (entry.accuracy.value - clean), 1),
                percent(twins),
            )
        )
    if not rows:
        return []
    columns = (
        Column("recognizer", is_text=True),
        Column("all, %", f"{n_all:,} faces"),
        Column("clean, %", f"{n_clean:,} faces"),
        Column("gain by twins, points", "all less clean"),
        Column("on the rest, %", f"on the {n_all - n_clean:,} faces that are not clean"),
    )
    intro = (
        f"The clean test split has {n_clean:,} of {n_all:,} faces: one row an image, no identical twin in train or "
        "validation. What a recognizer gains from the others is memory, not recognition."
    )
    return [Text(intro), Grid("All test faces and the clean ones", columns, tuple(rows))]


def _cost(board: Board) -> Grid:
    has_operations = any(entry.result.cost.multiply_adds for entry in board.entries)
    columns = (
        Column("recognizer", is_text=True),
        Column("p50, ms", "one face, batch 1"),
        Column("p90, ms"),
        Column("p99, ms", "from 1,000 calls up"),
        Column("faces/s", "largest batch that was timed"),
        Column("parameters"),
        *([Column("multiply-adds", "of one face, counted in the network, millions")] if has_operations else []),
        Column("size", "on disk"),
        Column("fit, s", "wall clock, on the cores named"),
        Column("fit, CPU s"),
        Column("peak memory", "high-water mark of the process, data included"),
        Column("cores"),
        Column("processor", is_text=True),
    )
    rows = []
    for entry in board.entries:
        cost = entry.result.cost
        fastest = max((latency.images_per_second for latency in cost.latency), default=None)
        peak = cost.peak_memory_bytes
        rows.append(
            (
                Cell(entry.name, mark=entry.family),
                number(entry.latency_ms("p50_ms"), 2),
                number(entry.latency_ms("p90_ms"), 2),
                number(entry.latency_ms("p99_ms"), 2),
                number(fastest, 0),
                number(cost.n_parameters, 0),
                *([number(cost.multiply_adds / 1e6 if cost.multiply_adds else None)] if has_operations else []),
                Cell(bytes_text(cost.size_bytes), float(cost.size_bytes)),
                number(cost.fit_seconds, 0),
                number(cost.fit_cpu_seconds, 0),
                Cell(bytes_text(peak), float(peak)) if peak else number(None),
                number(cost.n_cores, 0),
                Cell(entry.result.environment.processor),
            )
        )
    return Grid("Cost, measured at the end of each run", columns, tuple(rows))
