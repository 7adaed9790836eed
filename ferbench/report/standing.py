"""What can be taken from a leaderboard and what it costs: entries and shipped forms of them, timed in one run.

Numbers only; how they come about is in `contenders.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ferbench.engines.record import Form, Survey, Timing
from ferbench.report.board import Board, Entry
from ferbench.statistics.intervals import Interval
from ferbench.types import Family

BUDGETS_MS = (1.0, 5.0, 33.0)


class Recall(NamedTuple):
    """The share of a class's faces that is found, with its 95 % interval; None where the class has no face."""

    name: str
    share: Interval | None


@dataclass(frozen=True, slots=True, eq=False)
class Contender:
    """An entry of a leaderboard as it was fitted, or a shipped form of one.

    Attributes:
        name: Of the experiment, or of the shipped form.
        engine: "keras", "native" for what is no network, or a registered engine.
        precision: Of its weights.
        accuracy: On the split shown, with its 95 % interval.
        validation: Accuracy on validation, which chooses.
        size_bytes: Of its files.
        recalls: On the split shown, a class each.
        clean_recalls: On the clean test split; empty where that is not scored.
        place: Among `board.tested`; None for a form of which the predictions are not stored: no paired test has it.
        is_export: Whether it is a shipped form, not an entry as it was fitted.
        entry: What it is, or what it was exported from; None for a form of what is not on the board.
        form: What the survey measured; None where it is not in the survey.
        timing: With the survey's first number of threads.
    """

    name: str
    family: Family
    engine: str
    precision: str
    accuracy: Interval
    validation: float
    macro_f1: float | None
    clean: float | None
    size_bytes: int
    recalls: tuple[Recall, ...]
    clean_recalls: tuple[Recall, ...]
    place: int | None
    is_export: bool
    entry: Entry | None
    form: Form | None
    timing: Timing | None

    @property
    def p50_ms(self) -> float | None:
        """Median time of one face; None where it was not timed."""
        return self.timing.single.p50_ms if self.timing else None

    @property
    def multiply_adds(self) -> int | None:
        """Of one face: as the survey counted them, or the run; None where neither did, and for what is no network."""
        counted = self.form.multiply_adds if self.form else None
        return counted or (self.entry.result.cost.multiply_adds if self.entry else None)

    @property
    def runs_on(self) -> str:
        """Engine and precision in a few words."""
        return "own code" if self.engine == "native" else f"{self.engine} {self.precision}"


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """A leaderboard with its contenders.

    Attributes:
        board: Entries and their tests.
        contenders: Entries and shipped forms, the most accurate first.
        survey: The one run that all times come from; None: there are no times.
        sentences: Where times come from, and who has none.
        elsewhere: What is ranked apart from these on the same faces; empty where nothing is.
    """

    board: Board
    contenders: tuple[Contender, ...]
    survey: Survey | None
    sentences: tuple[str, ...]
    elsewhere: str

    @property
    def timed(self) -> list[Contender]:
        """Those with a time."""
        return [one for one in self.contenders if one.timing]

    def recommended(self, budget_ms: float) -> Contender | None:
        """The best on validation of those whose slowest face in twenty keeps the budget; of equals the fastest."""
        fast = [(one, one.timing.single) for one in self.contenders if one.timing]
        kept = [(one.validation, -single.p50_ms, one) for one, single in fast if single.p95_ms <= budget_ms]
        return max(kept, key=lambda found: found[:2])[2] if kept else None
