"""The first screen: who leads, how sure that is, what it costs, and which recognizer to take for a budget."""

from __future__ import annotations

from typing import NamedTuple

from ferbench.report.board import BUDGETS_MS, Board, Entry
from ferbench.report.elements import Cell, Column, Grid, number, percent, percent_interval
from ferbench.report.tables import bytes_text


class Recommendation(NamedTuple):
    """What to take where one face may take so long; `name` is empty where nothing is fast enough."""

    budget: str
    name: str
    family: str
    accuracy: str
    cost: str


def recommendations(board: Board) -> list[Recommendation]:
    """One for each of `BUDGETS_MS`, chosen by validation accuracy; the accuracy told is that of the split shown."""
    found = []
    for budget in BUDGETS_MS:
        entry, text = board.recommended(budget), f"{budget:g} ms a face"
        if entry is None:
            found.append(Recommendation(text, "", "", "", "No recognizer here is as fast as that."))
            continue
        p50, p95 = entry.latency_ms("p50_ms"), entry.latency_ms("p95_ms")
        found.append(
            Recommendation(
                text,
                entry.name,
                entry.family,
                f"{percent_interval(entry.accuracy).text} % right on {board.split}",
                f"p50 {p50:.2f} ms, p95 {p95:.2f} ms, {bytes_text(entry.result.cost.size_bytes)}",
            )
        )
    return found


def leaderboard(board: Board) -> Grid:
    """An entry a row, the most accurate first."""
    is_test = board.split == "test"
    has_aids = any(entry.aids for entry in board.entries)
    has_seeds = any(len(entry.runs) > 1 for entry in board.entries)
    columns = [
        Column("rank", "from which to which rank it could be, given what is significantly apart"),
        Column("recognizer", is_text=True),
        Column("accuracy, %", f"on {board.split}, with its 95 % bootstrap interval over duplicate groups"),
        Column("ms a face", "median time of one face, batch 1, on the machine of the run"),
        Column("tie", "recognizers that share a letter are not significantly apart (McNemar, Holm)", is_text=True),
        *([Column("clean, %", "one row an image, no identical twin in train or validation")] if is_test else []),
        Column("macro-F1"),
        Column("size", "on disk"),
        Column("kind", is_text=True),
        *([Column("seeds", "number of seeds ± their standard deviation, points")] if has_seeds else []),
        *([Column("with aids", "ensembles and test-time augmentation", is_text=True)] if has_aids else []),
    ]
    rows = []
    for place, entry in enumerate(board.entries):
        clean = entry.mean(lambda scores: scores.accuracy, "clean_test")
        rows.append(
            (
                _rank(board, place),
                Cell(entry.name, mark=entry.family),
                percent_interval(entry.accuracy),
                number(entry.latency_ms("p50_ms"), 2),
                Cell(board.letters(place)),
                *([percent(clean)] if is_test else []),
                percent(entry.mean(lambda scores: scores.macro_f1, board.split)),
                Cell(bytes_text(entry.result.cost.size_bytes), float(entry.result.cost.size_bytes)),
                Cell(entry.family),
                *([_seeds(entry)] if has_seeds else []),
                *([Cell(entry.aids)] if has_aids else []),
            )
        )
    return Grid(f"Leaderboard: {board.title}, n = {board.n_faces:,}", tuple(columns), tuple(rows))


def verdict(board: Board) -> str:
    """The board in one sentence."""
    if not board.entries:
        return ""
    best = board.entries[0]
    ties = {board.entries[place].name for group in board.ties if 0 in group for place in group} - {best.name}
    tied = f", tied with {_listed(sorted(ties))}" if ties else ", significantly ahead of all others"
    alone = tied if len(board.entries) > 1 else ""
    text = f"{best.name} is right on {percent_interval(best.accuracy).text} % of {board.n_faces:,} faces{alone}."
    classical = next((entry for entry in board.entries if entry.family == "classical"), None)
    if classical is not None and classical is not best:
        text += f" The best classical one, {classical.name}, is right on {percent_interval(classical.accuracy).text} %."
    return text


def _listed(names: list[str]) -> str:
    shown = names if len(names) <= 4 else [*names[:3], f"{len(names) - 3} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _rank(board: Board, place: int) -> Cell:
    low, high = board.ranks[place]
    return Cell(f"{low}" if low == high else f"{low}-{high}", float(place))


def _seeds(entry: Entry) -> Cell:
    n, deviation = entry.seeds.n, entry.seeds.deviation
    return Cell(f"{n}" if deviation is None else f"{n} ± {100 * deviation:.1f}", float(n))
