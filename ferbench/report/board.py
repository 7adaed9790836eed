"""A leaderboard and its entries. Numbers only; how they come about is in `ranking.py`, and nothing is drawn here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ferbench.data.dataset import DatasetCard
from ferbench.metrics import Scores
from ferbench.report.calibration import Calibration
from ferbench.report.exports import Export
from ferbench.report.predictions import SplitPredictions
from ferbench.report.runs import Run
from ferbench.results import RunResult
from ferbench.statistics.intervals import Interval, Spread
from ferbench.statistics.paired import PairTest
from ferbench.types import Family

SplitName = Literal["validation", "test"]


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """An experiment on a leaderboard: all its seeds.

    Attributes:
        name: Of the experiment.
        runs: By seed.
        accuracy: Mean over seeds on the split shown, with the interval of that mean over duplicate groups.
        seeds: What seeds change in it.
        shares: Share of the seeds that are right on each face, (n,).
    """

    name: str
    runs: tuple[Run, ...]
    split: SplitName
    accuracy: Interval
    seeds: Spread
    shares: NDArray[np.float64]
    calibration: Calibration

    @property
    def first(self) -> Run:
        """The run with the lowest seed."""
        return self.runs[0]

    @property
    def result(self) -> RunResult:
        """The result with the lowest seed."""
        return self.first.result

    @property
    def family(self) -> Family:
        """What kind of recognizer it is."""
        return self.result.recognizer.family

    def mean(self, figure: Callable[[Scores], float], split: SplitName | Literal["clean_test"]) -> float | None:
        """The mean over seeds of a figure of a split; None where a seed has no scores of it."""
        found: list[Scores | None] = [getattr(run.result, split) for run in self.runs]
        return None if None in found else float(np.mean([figure(scores) for scores in found if scores]))

    @property
    def aids(self) -> str:
        """What sets it apart from single recognizers, see `aids_of`."""
        return aids_of(self.result)


class Tested(NamedTuple):
    """What the paired tests of a leaderboard have: an entry, or a shipped form of which the predictions are stored.

    Attributes:
        clean: Accuracy on the clean test split; None on validation.
        right: Whether the lowest seed is right on each face, (n,).
        shares: Share of the seeds that are right on each face, (n,).
        is_export: Whether it is a shipped form.
    """

    name: str
    family: Family
    accuracy: Interval
    clean: float | None
    right: NDArray[np.bool_]
    shares: NDArray[np.float64]
    is_export: bool


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """A leaderboard.

    Attributes:
        card: What it was measured on.
        split: "test", or "validation" for those never scored on test.
        entries: The most accurate first.
        exports: Shipped forms of what was fitted on the same data.
        tested: Entries, and the exports of which the predictions are stored; the most accurate first.
        pairs: Tests of every two of `tested`, by their places.
        ties: Groups of places within which no two are significantly apart.
        ranks: From which to which rank each could be.
        is_aided: Whether it ranks ensembles and test-time augmentation, which stand on no other.
        warnings: What a reader must know before comparing.
    """

    card: DatasetCard
    split: SplitName
    entries: tuple[Entry, ...]
    exports: tuple[Export, ...]
    tested: tuple[Tested, ...]
    pairs: tuple[PairTest, ...]
    ties: tuple[tuple[int, ...], ...]
    ranks: tuple[tuple[int, int], ...]
    is_aided: bool
    warnings: tuple[str, ...]

    @property
    def title(self) -> str:
        """Dataset, number of classes and split in a few words."""
        synthetic = ", synthetic faces" if self.card.is_synthetic else ""
        split = "test split" if self.split == "test" else "validation only"
        aided = ", ensembles and test-time augmentation" if self.is_aided else ""
        return f"{self.card.name}, {len(self.card.classes)} classes{synthetic}, {split}{aided}"

    @property
    def n_faces(self) -> int:
        """Faces of the split."""
        return self.card.n_test if self.split == "test" else self.card.n_validation

    def is_of_the_same_faces(self, other: Board) -> bool:
        """Whether another leaderboard scores the same split of the same data under the same classes."""
        if (self.card.name, self.split) != (other.card.name, other.split):
            return False
        ours, theirs = shown(self.entries[0].first, self.split), shown(other.entries[0].first, other.split)
        return self.card.classes == other.card.classes and ours.is_of_the_same_faces(theirs)

    def place_of(self, one: Entry | Export) -> int | None:
        """Its place among `tested`; None where it is not there."""
        wanted = one.name, isinstance(one, Export)
        return next((place for place, two in enumerate(self.tested) if (two.name, two.is_export) == wanted), None)

    def letters(self, place: int) -> str:
        """Which groups of ties one of `tested` is in, a letter each."""
        return "".join(_letter(number) for number, group in enumerate(self.ties) if place in group)


def aids_of(result: RunResult) -> str:
    """What sets a result apart from those of single recognizers: several of them, or mirrored faces; else empty."""
    params = result.recognizer.params
    found = []
    if result.recognizer.family == "ensemble" or "ensemble" in result.recognizer.name or "members" in params:
        members = params.get("members")
        found.append(f"ensemble of {len(members)}" if isinstance(members, list | tuple) else "ensemble")
    if params.get("flip") is True:
        found.append("mirrored at test")
    return ", ".join(found)


def shown(run: Run, split: SplitName) -> SplitPredictions:
    """A run's predictions of a split."""
    found = run.test if split == "test" else run.validation
    if found is None:
        raise ValueError(f"{run.place} has no predictions of {split}.")
    return found


def _letter(number: int) -> str:
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    return alphabet[number] if number < len(alphabet) else f"({number + 1})"
