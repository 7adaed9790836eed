"""All that a report tells, in order: leaderboards with their sections, then what concerns all runs.

A record that cannot be read becomes a sentence among what was set apart; the rest is told all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeVar

from ferbench.engines.record import Survey
from ferbench.errors import DataError
from ferbench.evaluation import Origin
from ferbench.realtime.record import FILENAME
from ferbench.realtime.record import read_record as read_realtime
from ferbench.report.audits import audit_section, clean_faces, near_leakage, read_audit
from ferbench.report.board import Board
from ferbench.report.contenders import standing
from ferbench.report.drawn import drawn_section, read_drawn
from ferbench.report.elements import Section, percent_interval
from ferbench.report.engine_costs import engines_section, read_engines
from ferbench.report.evaluations import evaluations_section, read_evaluation
from ferbench.report.exports import Recorded
from ferbench.report.live import live_section
from ferbench.report.pairs import against_single
from ferbench.report.provenance import apart_section, ledger_section, protocol_section, provenance_section
from ferbench.report.ranking import boards
from ferbench.report.records import read_json
from ferbench.report.robustness import read_robustness, robustness_section
from ferbench.report.runs import SetApart, collect
from ferbench.report.sections import board_sections
from ferbench.report.standing import Standing
from ferbench.report.taggers import read_votes, taggers_section
from ferbench.report.weights import (
    Weights,
    drawn_sentence,
    drawn_today,
    evaluated_today,
    live_sentence,
    live_today,
    of_today,
    unknown_sentence,
)
from ferbench.robustness import RobustnessResult

T = TypeVar("T")


class Story(NamedTuple):
    """What a report tells; `board_sections` has a list a leaderboard."""

    standings: list[Standing]
    board_sections: list[list[Section]]
    sections: list[Section]
    set_apart: tuple[SetApart, ...]


def tell(reports: Path, runs: Path | None = None) -> Story:
    """Read what lies under a folder of reports.

    Args:
        reports: Holds runs, the ledger, and what else was measured.
        runs: Where runs lie, if elsewhere.

    Raises:
        DataError: there is no such folder.
    """
    collection = collect(runs or reports)
    apart = list(collection.set_apart)
    weights = Weights(runs or reports, collection.runs)
    audits = [one for _, one in _readable("audit/*.json", read_audit, reports, apart)]
    live = live_today(_readable(f"realtime/*/{FILENAME}", read_realtime, reports, apart), weights, apart)
    surveys = [one for _, one in _readable("engines/*.json", read_engines, reports, apart)]
    drawn = drawn_today(_readable("conditions.json", read_drawn, reports, apart), weights, apart)
    robust = of_today(_readable("robustness/*.json", read_robustness, reports, apart), weights, apart)
    evaluations = [
        Recorded(place, *one) for place, one in _readable("evaluations/*.json", read_evaluation, reports, apart)
    ]
    found, others = boards(collection.runs, evaluations)
    apart += others
    placed = {one.place for board in found for one in board.exports} | {one.place for one in others}
    elsewhere = evaluated_today(
        [(one.place, one.evaluation) for one in evaluations if one.place not in placed], weights, apart
    )
    votes = read_votes()
    standings = _standings(found, surveys)
    by_board = []
    for one in standings:
        board, own = one.board, board_sections(one)
        near = near_leakage(board, audits)
        if near is not None:
            next(section for section in own if section.name == "leakage").elements.append(near)
        single = _single_of(board, found)
        if single is not None:
            own.insert(0, Section("singles", "Against single recognizers", [against_single(board, single)]))
        taggers = taggers_section(board, votes, clean_faces(board, audits))
        by_board.append([*own, *([taggers] if taggers else [])])
    ranked = [run for board in found for entry in board.entries for run in entry.runs]
    sections: list[Section | None] = [
        *([engines_section(surveys)] if surveys else []),
        *([robustness_section(robust, unknown_sentence(_measured(robust), weights))] if robust else []),
        *(drawn_section(one, drawn_sentence(one, weights)) for one in drawn),
        *(
            [evaluations_section(elsewhere, unknown_sentence([one.recognizer for one in elsewhere], weights))]
            if elsewhere
            else []
        ),
        *([live_section([(one, live_sentence(one, weights)) for one in live])] if live else []),
        *([audit_section(audits)] if audits else []),
        protocol_section(),
        *([provenance_section(ranked)] if ranked else []),
        ledger_section(reports, ranked),
        apart_section(apart),
    ]
    return Story(standings, by_board, [section for section in sections if section], tuple(apart))


def _standings(found: Sequence[Board], surveys: Sequence[Survey]) -> list[Standing]:
    """Leaderboards with their contenders, and a sentence on who is ranked apart."""
    standings = [standing(board, surveys) for board in found]
    aided = [one for one in standings if one.board.is_aided]
    return [_with_aided(one, aided) for one in standings]


def _single_of(board: Board, found: Sequence[Board]) -> Board | None:
    """The leaderboard of single recognizers on the same faces as one of ensembles."""
    if not board.is_aided:
        return None
    of_the_same = (one for one in found if not one.is_aided and one.is_of_the_same_faces(board))
    return next(of_the_same, None)


def _with_aided(one: Standing, aided: Sequence[Standing]) -> Standing:
    """The same, with a sentence on who is ranked on the same faces with aids."""
    board = one.board
    best = [other.board.entries[0] for other in aided if other.board.is_of_the_same_faces(board)]
    if board.is_aided or not best:
        return one
    clean = best[0].mean(lambda scores: scores.accuracy, "clean_test")
    text = (
        "Ensembles and test-time augmentation are ranked in a table of their own: "
        f"the best, {best[0].name} ({best[0].aids}), is right on {percent_interval(best[0].accuracy).text} %"
        f"{'' if clean is None or board.split != 'test' else f', clean {100 * clean:.1f} %'}."
    )
    return replace(one, elsewhere=text)


def _measured(records: Sequence[RobustnessResult]) -> list[Origin]:
    return [run.recognizer for one in records for run in one.runs]


def _readable(pattern: str, read: Callable[[Path], T], reports: Path, apart: list[SetApart]) -> Iterable[tuple[str, T]]:
    """Records with their places; what cannot be read gets a sentence."""
    for path in sorted(reports.glob(pattern)):
        place = path.relative_to(reports).as_posix()
        try:
            read_json(path)
            yield place, read(path)
        except DataError as error:
            apart.append(SetApart(place, str(error)))
