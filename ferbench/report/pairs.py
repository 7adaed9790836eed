"""Which differences on a leaderboard are real: a matrix, the ties, and a row a pair."""

from __future__ import annotations

import numpy as np

from ferbench.report.board import Board, Tested, shown
from ferbench.report.elements import Cell, Column, Element, Grid, Text, number, p_value_text, points_interval
from ferbench.statistics.intervals import Interval
from ferbench.statistics.paired import compare_pairs


def pair_tests(board: Board) -> list[Element]:
    """How the tests were made, all differences, the ties, and all pairs; nothing for a single entry."""
    if not board.pairs:
        return []
    n = len(board.tested)
    exports = [one.name for one in board.tested if one.is_export]
    intro = (
        f"McNemar's test on the same {board.n_faces:,} faces for every pair, {len(board.pairs):,} in all, p-values "
        "corrected together (Holm): exact where fewer than 25 faces are right for one alone, else chi-square with "
        "continuity correction. Where an experiment has several seeds the test is between the lowest ones, and the "
        "difference between means. Intervals are paired bootstraps over duplicate groups, for each pair alone."
    )
    if exports:
        intro += f" Shipped exports, by the stored predictions of their evaluations: {', '.join(exports)}."
    by_places = {(pair.first, pair.second): pair for pair in board.pairs}
    rows = []
    for i in range(n):
        cells = [Cell(board.tested[i].name, mark=board.tested[i].family)]
        for j in range(n):
            pair = by_places.get((min(i, j), max(i, j)))
            if pair is None:
                cells.append(Cell("·", 0.0))
                continue
            sign = 1 if i < j else -1
            value = sign * 100 * pair.difference.value
            words = "significant" if pair.is_apart else "a tie"
            note = f"{board.tested[i].name} less {board.tested[j].name}: {words}, p = {p_value_text(pair.p_adjusted)}"
            cells.append(Cell(f"{value:+.1f}", value, note, mark="apart" if pair.is_apart else "weak"))
        rows.append(tuple(cells))
    columns = (Column("row less column", is_text=True), *(Column(one.name) for one in board.tested))
    matrix = Grid("Difference in accuracy, points; in bold where significant", columns, tuple(rows), is_sortable=False)
    return [Text(intro), matrix, _ties(board), _pairs(board)]


def against_single(aided: Board, single: Board) -> Grid:
    """Ensembles and the like against the best single recognizer on the same faces, tested pair by pair."""
    best = single.tested[0]
    tested = [best, *aided.tested]
    right = np.column_stack([one.right for one in tested])
    groups = shown(aided.entries[0].first, aided.split).groups
    found = compare_pairs(right, groups, shares=np.column_stack([one.shares for one in tested]))
    columns = (
        Column("with aids", is_text=True),
        Column("single", is_text=True),
        Column("difference, points", "with its 95 % paired bootstrap interval"),
        Column("clean, points", "the difference on the clean test split"),
        Column("p, Holm", "McNemar's test, corrected for all pairs of these"),
        Column("verdict", is_text=True),
    )
    rows = []
    for pair in found:
        if pair.first == 0:
            value, low, high = pair.difference
            rows.append(
                (
                    Cell(tested[pair.second].name, mark=tested[pair.second].family),
                    Cell(best.name),
                    points_interval(Interval(-value, -high, -low)),
                    _clean(tested[pair.second], best),
                    Cell(p_value_text(pair.p_adjusted), pair.p_adjusted),
                    Cell("apart" if pair.is_apart else "tie"),
                )
            )
    return Grid("Against the best single recognizer, on the same faces", columns, tuple(rows))


def _clean(one: Tested, other: Tested) -> Cell:
    if one.clean is None or other.clean is None:
        return number(None)
    points = 100 * (one.clean - other.clean)
    return Cell(f"{points:+.1f}", points)


def _ties(board: Board) -> Grid:
    rows = [
        (
            Cell(board.letters(group[0]) if len(group) == 1 else _common_letter(board, number)),
            Cell(", ".join(board.tested[place].name for place in group)),
        )
        for number, group in enumerate(board.ties)
    ]
    columns = (Column("letter", is_text=True), Column("not significantly apart from each other", is_text=True))
    return Grid("Ties", columns, tuple(rows), is_sortable=False)


def _common_letter(board: Board, number: int) -> str:
    group = board.ties[number]
    shared = set(board.letters(group[0]))
    for place in group[1:]:
        shared &= set(board.letters(place))
    return "".join(sorted(shared))


def _pairs(board: Board) -> Grid:
    columns = (
        Column("better", is_text=True),
        Column("than", is_text=True),
        Column("difference, points", "with its 95 % paired bootstrap interval"),
        *([Column("clean, points", "the difference on the clean test split")] if board.split == "test" else []),
        Column("only the better right", "faces"),
        Column("only the other right", "faces"),
        Column("p", "of this pair alone"),
        Column("p, Holm", "corrected for all pairs"),
        Column("verdict", is_text=True),
    )
    rows = []
    for pair in board.pairs:
        first, second = board.tested[pair.first], board.tested[pair.second]
        rows.append(
            (
                Cell(first.name),
                Cell(second.name),
                points_interval(pair.difference),
                *([_clean(first, second)] if board.split == "test" else []),
                number(pair.test.only_first, 0),
                number(pair.test.only_second, 0),
                Cell(p_value_text(pair.test.p_value), pair.test.p_value, "exact" if pair.test.is_exact else ""),
                Cell(p_value_text(pair.p_adjusted), pair.p_adjusted),
                Cell("apart" if pair.is_apart else "tie"),
            )
        )
    return Grid("All pairs", columns, tuple(rows), is_folded=len(rows) > 10)
