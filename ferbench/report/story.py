"""All that a report tells, in order: leaderboards with their sections, then what concerns all runs.

A record that cannot be read becomes a sentence among what was set apart; the rest is told all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple, TypeVar

from ferbench.engines.record import read_survey
from ferbench.errors import DataError
from ferbench.realtime.record import FILENAME
from ferbench.realtime.record import read_record as read_realtime
from ferbench.report.audits import audit_section, near_leakage, read_audit
from ferbench.report.board import Board
from ferbench.report.drawn import drawn_section, read_drawn
from ferbench.report.elements import Section
from ferbench.report.engine_costs import engines_section
from ferbench.report.evaluations import evaluations_section, read_evaluation
from ferbench.report.live import live_section
from ferbench.report.provenance import apart_section, ledger_section, protocol_section, provenance_section
from ferbench.report.ranking import boards
from ferbench.report.records import read_json
from ferbench.report.robustness import read_robustness, robustness_section
from ferbench.report.runs import SetApart, collect
from ferbench.report.sections import board_sections
from ferbench.report.taggers import read_votes, taggers_section

T = TypeVar("T")


class Story(NamedTuple):
    """What a report tells; `board_sections` has a list a board."""

    boards: list[Board]
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
    found, others = boards(collection.runs)
    apart = [*collection.set_apart, *others]
    audits = list(_readable(sorted(reports.glob("audit/*.json")), read_audit, reports, apart))
    live = list(_readable(sorted(reports.glob(f"realtime/*/{FILENAME}")), read_realtime, reports, apart))
    surveys = list(_readable(sorted(reports.glob("engines/*.json")), read_survey, reports, apart))
    robust = list(_readable(sorted(reports.glob("robustness/*.json")), read_robustness, reports, apart))
    drawn = list(_readable(sorted(reports.glob("conditions.json")), read_drawn, reports, apart))
    evaluations = list(_readable(sorted(reports.glob("evaluations/*.json")), read_evaluation, reports, apart))
    votes = read_votes()
    by_board = []
    for board in found:
        own = board_sections(board)
        near = near_leakage(board, audits)
        if near is not None:
            next(section for section in own if section.name == "leakage").elements.append(near)
        taggers = taggers_section(board, votes)
        by_board.append([*own, *([taggers] if taggers else [])])
    ranked = [run for board in found for entry in board.entries for run in entry.runs]
    sections: list[Section | None] = [
        *([engines_section(surveys)] if surveys else []),
        *([robustness_section(robust)] if robust else []),
        *(drawn_section(one) for one in drawn),
        *([evaluations_section(evaluations)] if evaluations else []),
        *([live_section(live)] if live else []),
        *([audit_section(audits)] if audits else []),
        protocol_section(),
        *([provenance_section(ranked)] if ranked else []),
        ledger_section(reports, ranked),
        apart_section(apart),
    ]
    return Story(found, by_board, [section for section in sections if section], tuple(apart))


def _readable(paths: Iterable[Path], read: Callable[[Path], T], reports: Path, apart: list[SetApart]) -> Iterable[T]:
    for path in paths:
        try:
            read_json(path)
            yield read(path)
        except DataError as error:
            apart.append(SetApart(path.relative_to(reports).as_posix(), str(error)))
