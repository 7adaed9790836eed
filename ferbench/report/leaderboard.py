"""The first screen: who leads, how sure that is, what it costs, and which recognizer to take for a budget."""

from __future__ import annotations

from typing import NamedTuple

from ferbench.report.board import Board
from ferbench.report.elements import Cell, Column, Grid, number, percent, percent_interval
from ferbench.report.standing import BUDGETS_MS, Contender, Standing
from ferbench.report.tables import bytes_text

_UNTESTED = "its predictions are not stored, so it is in no paired test"


class Recommendation(NamedTuple):
    """What to take where one face may take so long; `name` is empty where nothing is fast enough."""

    budget: str
    name: str
    family: str
    accuracy: str
    cost: str


def recommendations(standing: Standing) -> list[Recommendation]:
    """One for each of `BUDGETS_MS`, chosen by validation accuracy, told with that of the split shown; none untimed."""
    if standing.survey is None or not standing.timed:
        return []
    threads = standing.survey.threads[0]
    found = []
    for budget in BUDGETS_MS:
        one, text = standing.recommended(budget), f"{budget:g} ms a face"
        if one is None or one.timing is None:
            found.append(Recommendation(text, "", "", "", "No recognizer that was timed is as fast as that."))
            continue
        single = one.timing.single
        shown = f"{percent_interval(one.accuracy).text} %"
        if one.clean is not None:
            shown += f", clean {100 * one.clean:.1f} %"
        is_test = standing.board.split == "test"
        accuracy = f"validation {100 * one.validation:.1f} %, test {shown}" if is_test else f"validation {shown}"
        cost = (
            f"{one.runs_on}, {threads} {'thread' if threads == 1 else 'threads'}: p50 {single.p50_ms:.2f}, "
            f"p95 {single.p95_ms:.2f} ms, {bytes_text(one.size_bytes)}"
        )
        found.append(Recommendation(text, one.name, one.family, accuracy, cost))
    return found


def leaderboard(standing: Standing) -> Grid:
    """A contender a row, the most accurate first."""
    board = standing.board
    is_test = board.split == "test"
    has_times = bool(standing.timed)
    has_seeds = any(len(entry.runs) > 1 for entry in board.entries)
    columns = [
        Column("rank", "from which to which rank it could be, given what is significantly apart"),
        Column("recognizer", is_text=True),
        Column("accuracy, %", f"on {board.split}, with its 95 % bootstrap interval over duplicate groups"),
        *([Column("ms a face", "median, batch 1; all from one run, where it is not in that run a dash")] * has_times),
        Column("runs on", "engine and precision", is_text=True),
        *([Column("valid., %", "accuracy on validation, by which the recommendations are made")] if is_test else []),
        Column("tie", "recognizers that share a letter are not significantly apart (McNemar, Holm)", is_text=True),
        *([Column("clean, %", "one row an image, no identical twin in train or validation")] if is_test else []),
        Column("macro-F1"),
        Column("size", "on disk"),
        Column("kind", is_text=True),
        *([Column("seeds", "number of seeds ± their standard deviation, points")] if has_seeds else []),
        *([Column("with aids", "ensembles and test-time augmentation", is_text=True)] if board.is_aided else []),
    ]
    rows = []
    for place, one in enumerate(standing.contenders):
        rows.append(
            (
                _rank(board, one, place),
                Cell(one.name, mark=one.family),
                percent_interval(one.accuracy),
                *([number(one.p50_ms, 2)] if has_times else []),
                Cell(one.runs_on),
                *([percent(one.validation)] if is_test else []),
                Cell("-", note=_UNTESTED, mark="weak") if one.place is None else Cell(board.letters(one.place)),
                *([percent(one.clean)] if is_test else []),
                percent(one.macro_f1),
                Cell(bytes_text(one.size_bytes), float(one.size_bytes)),
                Cell(_kind(one)),
                *([_seeds(one)] if has_seeds else []),
                *([Cell(one.entry.aids if one.entry else "")] if board.is_aided else []),
            )
        )
    return Grid(f"Leaderboard: {board.title}, n = {board.n_faces:,}", tuple(columns), tuple(rows))


def verdict(board: Board) -> str:
    """The board in one sentence."""
    if not board.tested:
        return ""
    best = board.tested[0]
    ties = {board.tested[place].name for group in board.ties if 0 in group for place in group} - {best.name}
    tied = f", tied with {_listed(sorted(ties))}" if ties else ", significantly ahead of all others"
    alone = tied if len(board.tested) > 1 else ""
    clean = "" if best.clean is None else f" ({100 * best.clean:.1f} % of the {board.card.n_clean_test:,} clean ones)"
    right = f"is right on {percent_interval(best.accuracy).text} %"
    text = f"{best.name} {right} of {board.n_faces:,} faces{clean}{alone}."
    classical = next((entry for entry in board.entries if entry.family == "classical"), None)
    if classical is not None and classical.name != best.name:
        text += f" The best classical one, {classical.name}, is right on {percent_interval(classical.accuracy).text} %."
    return text


def _listed(names: list[str]) -> str:
    shown = names if len(names) <= 4 else [*names[:3], f"{len(names) - 3} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _rank(board: Board, one: Contender, place: int) -> Cell:
    if one.place is None:
        return Cell("-", float(place), _UNTESTED)
    low, high = board.ranks[one.place]
    return Cell(f"{low}" if low == high else f"{low}-{high}", float(place))


def _kind(one: Contender) -> str:
    is_distilled = one.entry is not None and one.entry.result.config.distill is not None
    return f"{one.family}, distilled" if is_distilled else one.family


def _seeds(one: Contender) -> Cell:
    if one.is_export or one.entry is None:
        return Cell("1", 1.0)
    n, deviation = one.entry.seeds.n, one.entry.seeds.deviation
    return Cell(f"{n}" if deviation is None else f"{n} ± {100 * deviation:.1f}", float(n))
