"""Runs put on leaderboards, with the statistics of each entry and of each two.

A leaderboard is one dataset under one label rule, one set of classes, one fingerprint and the very same faces; single
recognizers stand on one, ensembles and test-time augmentation on another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ferbench.metrics import Scores
from ferbench.report.board import Board, Entry, SplitName, Tested, aids_of, shown
from ferbench.report.calibration import Calibration, calibration_of
from ferbench.report.exports import Export, Recorded, exports_of
from ferbench.report.predictions import SplitPredictions
from ferbench.report.runs import Run, SetApart
from ferbench.results import RunResult
from ferbench.statistics.calibration import fit_temperature
from ferbench.statistics.intervals import Interval, bootstrap_interval, bootstrap_intervals, spread
from ferbench.statistics.paired import compare_pairs, rank_ranges, tie_groups


def boards(runs: Iterable[Run], records: Sequence[Recorded] = ()) -> tuple[list[Board], list[SetApart]]:
    """Put runs on leaderboards, and shipped forms beside them: those of real faces first, then those with more entries.

    Args:
        runs: Finished ones.
        records: Evaluations; those of shipped forms on the data and split of a leaderboard stand on it.

    Returns:
        The boards, and what claims to be of a board and cannot stand on it.
    """
    by_key: dict[tuple[tuple[str, tuple[str, ...], str], bool], list[Run]] = {}
    for run in runs:
        by_key.setdefault((run.key, aids_of(run.result) != ""), []).append(run)
    names = Counter((name, classes) for name, classes, _ in {key for key, _ in by_key})
    found: list[Board] = []
    apart: list[SetApart] = []
    for ((name, classes, fingerprint), _), members in by_key.items():
        notes = []
        if names[name, classes] > 1:
            notes.append(
                f"There is more than one copy of {name} among the runs; this one has the fingerprint "
                f"{fingerprint[:12]}. Scores on different copies are not compared."
            )
        for split in ("test", "validation"):
            kept, others = _of_the_same_faces(members, split)
            apart += others
            if kept:
                board, others = _board(kept, split, records, notes)
                found.append(board)
                apart += others
    return sorted(found, key=_importance), apart


def _importance(board: Board) -> tuple[bool, bool, bool, int, str]:
    return board.split != "test", board.card.is_synthetic, board.is_aided, -len(board.entries), board.title


def _of_the_same_faces(runs: Sequence[Run], split: SplitName) -> tuple[list[Run], list[SetApart]]:
    """Runs whose last word is on this split, without those that scored other faces than most."""
    members = [run for run in runs if (run.test is not None) == (split == "test")]
    kinds: list[list[Run]] = []
    for run in members:
        kind = next((kind for kind in kinds if _have_the_same_faces(kind[0], run, split)), None)
        if kind is None:
            kinds.append([run])
        else:
            kind.append(run)
    kinds.sort(key=len, reverse=True)
    reason = "Its splits have other faces, labels or duplicate groups than those of the other runs."
    return (kinds[0] if kinds else []), [SetApart(run.place, reason) for kind in kinds[1:] for run in kind]


def _have_the_same_faces(one: Run, other: Run, split: SplitName) -> bool:
    """In the split shown, and in validation, which chose."""
    return one.validation.is_of_the_same_faces(other.validation) and shown(one, split).is_of_the_same_faces(
        shown(other, split)
    )


def _board(
    runs: Sequence[Run], split: SplitName, records: Sequence[Recorded], notes: list[str]
) -> tuple[Board, list[SetApart]]:
    by_name: dict[str, list[Run]] = {}
    for run in runs:
        by_name.setdefault(run.result.config.name, []).append(run)
    groups = shown(runs[0], split).groups
    shares = [np.mean([shown(run, split).right for run in members], axis=0) for members in by_name.values()]
    intervals = bootstrap_intervals(np.column_stack(shares), groups)
    entries = [
        _entry(name, members, split, accuracy, right)
        for (name, members), accuracy, right in zip(by_name.items(), intervals, shares, strict=True)
    ]
    entries.sort(key=lambda entry: (-entry.accuracy.value, entry.name))
    card, faces, is_aided = runs[0].result.dataset, shown(runs[0], split), entries[0].aids != ""
    exports, objections = ([], []) if is_aided else exports_of(card, faces, split, records)
    tested = [_tested(entry) for entry in entries]
    tested += [_tested_export(one, one.predictions) for one in exports if one.predictions]
    tested.sort(key=lambda one: (-one.accuracy.value, one.name))
    right = np.column_stack([one.right for one in tested])
    pairs = compare_pairs(right, faces.groups, shares=np.column_stack([one.shares for one in tested]))
    apart = [(pair.first, pair.second) for pair in pairs if pair.is_apart]
    board = Board(
        card=card,
        split=split,
        entries=tuple(entries),
        exports=tuple(exports),
        tested=tuple(tested),
        pairs=tuple(pairs),
        ties=tuple(tie_groups(len(tested), apart)),
        ranks=tuple(rank_ranges([one.accuracy.value for one in tested], apart)),
        is_aided=is_aided,
        warnings=(*notes, *_warnings(runs, entries)),
    )
    return board, objections


def _entry(name: str, runs: Sequence[Run], split: SplitName, accuracy: Interval, shares: NDArray[np.float64]) -> Entry:
    ordered = tuple(sorted(runs, key=lambda run: run.result.config.seed))
    return Entry(
        name=name,
        runs=ordered,
        split=split,
        accuracy=accuracy,
        seeds=spread([float(shown(run, split).right.mean()) for run in ordered]),
        shares=shares,
        calibration=_mean_calibration([_calibration(run, split) for run in ordered]),
    )


def _tested(entry: Entry) -> Tested:
    right, clean = shown(entry.first, entry.split).right, entry.mean(lambda scores: scores.accuracy, "clean_test")
    return Tested(entry.name, entry.family, entry.accuracy, clean, right, entry.shares, is_export=False)


def _tested_export(one: Export, found: SplitPredictions) -> Tested:
    shares, clean = found.right.astype(np.float64), one.evaluation.clean
    accuracy = Interval(float(shares.mean()), *bootstrap_interval(shares, found.groups))
    return Tested(one.name, "deep", accuracy, clean.accuracy if clean else None, found.right, shares, is_export=True)


def _calibration(run: Run, split: SplitName) -> Calibration:
    found = shown(run, split)
    temperature = fit_temperature(run.validation.labels, run.validation.probabilities)
    return calibration_of(found.labels, found.probabilities, temperature)


def _mean_calibration(found: list[Calibration]) -> Calibration:
    return Calibration(*(float(value) for value in np.mean(found, axis=0)))


def _warnings(runs: Sequence[Run], entries: Sequence[Entry]) -> list[str]:
    found = []
    empty = [name for name, scores in _scores(runs[0]).classes.items() if scores.support == 0]
    if empty:
        found.append(f"No face of this split is of {', '.join(empty)}: nothing is known of it.")
    for entry in entries:
        differing = {_without_seed(run.result) for run in entry.runs}
        if len(differing) > 1:
            found.append(f"The seeds of {entry.name} were not run with one configuration: their mean mixes several.")
        answers = {shown(run, entry.split).probabilities.tobytes() for run in entry.runs}
        if len(answers) < len(entry.runs):
            found.append(f"Seeds of {entry.name} gave the very same answers: their spread says nothing.")
        if any(run.result.protocol.test_scorings > 1 for run in entry.runs):
            found.append(f"{entry.name} was scored on test more than once, see the ledger.")
    return found


def _scores(run: Run) -> Scores:
    return run.result.test or run.result.validation


def _without_seed(result: RunResult) -> str:
    return result.config.model_dump_json(exclude={"seed", "tracking", "search"})
