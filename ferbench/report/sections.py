"""The parts of a leaderboard below the first screen: tests, confusions, recall, calibration, leakage, cost, curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ferbench.report.board import Board, Entry
from ferbench.report.costs import costs
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
from ferbench.report.exports import Export
from ferbench.report.pairs import pair_tests
from ferbench.report.plots import curves, reliability_plot
from ferbench.report.standing import Contender, Recall, Standing
from ferbench.statistics.calibration import calibration_error, reliability
from ferbench.statistics.intervals import Interval

_OPEN_MATRICES = 2


def board_sections(standing: Standing) -> list[Section]:
    """All sections of a leaderboard that have something in them."""
    board = standing.board
    found = [
        Section("tests", "Which differences are real", pair_tests(board)),
        Section("confusion", "What is taken for what", _confusions(board)),
        Section("recall", "Recall by emotion", _recalls(standing)),
        Section("calibration", "Are the probabilities true", _calibration(board)),
        Section("leakage", "What twins across splits are worth", _leakage(board)),
        Section("cost", "What it costs", costs(standing)),
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
    seed = f" seed{entry.result.config.seed} of {len(entry.runs)} seeds" if len(entry.runs) > 1 else ""
    caption = f"{entry.name}{seed}: taken for, % of the faces that are of the emotion"
    return Grid(caption, columns, tuple(rows), is_sortable=False, is_folded=place >= _OPEN_MATRICES)


def _recalls(standing: Standing) -> list[Element]:
    board = standing.board
    counts = board.card.counts[board.split]
    titles = tuple(f"{name} ({counts.get(name, 0):,})" for name in board.card.classes)
    caption = "Recall, % of the faces that are of the emotion (their number), with Wilson's 95 % intervals"
    everyone = [(one, one.recalls) for one in standing.contenders]
    clean = [(one, one.clean_recalls) for one in standing.contenders if one.clean_recalls]
    found: list[Element] = [_recall(caption, titles, everyone)]
    if clean:
        caption = f"Recall on the {board.card.n_clean_test:,} clean test faces, %, with Wilson's 95 % intervals"
        found.append(_recall(caption, board.card.classes, clean, is_folded=True))
    return found


def _recall(
    caption: str,
    titles: Sequence[str],
    found: Sequence[tuple[Contender, tuple[Recall, ...]]],
    *,
    is_folded: bool = False,
) -> Grid:
    columns = (
        Column("recognizer", is_text=True),
        *(Column(title) for title in titles),
        Column("balanced accuracy", "mean of the recalls"),
    )
    rows = []
    for one, recalls in found:
        shares = [recall.share for recall in recalls]
        cells = [
            Cell(_whole_percent(share), share.value, heat=share.value) if share else number(None) for share in shares
        ]
        known = [share.value for share in shares if share]
        rows.append((Cell(one.name, mark=one.family), *cells, percent(sum(known) / len(known))))
    return Grid(caption, columns, tuple(rows), is_folded=is_folded)


def _whole_percent(share: Interval) -> str:
    return f"{100 * share.value:.0f} [{100 * share.low:.0f}, {100 * share.high:.0f}]"


def _calibration(board: Board) -> list[Element]:
    columns = (
        Column("recognizer", is_text=True),
        Column("ECE, %", "expected calibration error, 15 bins of equal width"),
        *([Column("ECE clean, %", "equal width, on the clean test split")] if board.split == "test" else []),
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
                *([percent(entry.mean(lambda one: one.calibration_error, "clean_test"))] * (board.split == "test")),
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
    if board.exports:
        fitted += " Of shipped exports no answers on validation are stored, and so they have none here."
        rows += [_calibration_of_export(one, has_clean=board.split == "test") for one in board.exports]
    grid = Grid("Calibration against the labels", columns, tuple(rows))
    return [Text(fitted), reliability_plot(board), grid]


def _calibration_of_export(one: Export, *, has_clean: bool) -> tuple[Cell, ...]:
    scores, clean, stored = one.evaluation.scores, one.evaluation.clean, one.predictions
    mass = (
        reliability(stored.right.astype(np.float64), stored.probabilities.max(axis=1), binning="mass") if stored else []
    )
    return (
        Cell(one.name, mark="deep"),
        percent(scores.calibration_error),
        *([percent(clean.calibration_error if clean else None)] * has_clean),
        percent(calibration_error(mass) if mass else None),
        number(scores.brier, 3),
        number(scores.log_loss, 3),
        number(None),
        percent(None),
        number(None),
    )


def _leakage(board: Board) -> list[Element]:
    if board.split != "test":
        return []
    n_all, n_clean = board.card.n_test, board.card.n_clean_test

    def gain(full: Interval, clean: Interval) -> tuple[Cell, ...]:
        n_twins = n_all - n_clean
        twins = (full.value * n_all - clean.value * n_clean) / n_twins if n_twins else None
        points = number(100 * (full.value - clean.value), 1)
        return percent_interval(full), percent_interval(clean), points, percent(twins)

    rows = []
    for entry in board.entries:
        clean = entry.mean(lambda scores: scores.accuracy, "clean_test")
        if clean is None:
            continue
        low = entry.mean(lambda scores: scores.accuracy_interval[0], "clean_test") or 0.0
        high = entry.mean(lambda scores: scores.accuracy_interval[1], "clean_test") or 0.0
        rows.append((Cell(entry.name, mark=entry.family), *gain(entry.accuracy, Interval(clean, low, high))))
    for one in board.exports:
        scores, found = one.evaluation.scores, one.evaluation.clean
        if found:
            full = Interval(scores.accuracy, *scores.accuracy_interval)
            rows.append((Cell(one.name, mark="deep"), *gain(full, Interval(found.accuracy, *found.accuracy_interval))))
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
        "validation. What a recognizer gains from the others is memory, not recognition, but for what their other "
        "mix of emotions does: one that remembers nothing, such as prior, tells how much that is."
    )
    return [Text(intro), Grid("All test faces and the clean ones", columns, tuple(rows))]
