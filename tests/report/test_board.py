"""Who may stand on one leaderboard, and what is said of each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ferbench.report.board import Board
from ferbench.report.leaderboard import verdict
from ferbench.report.ranking import boards
from ferbench.report.runs import collect, read_run
from ferbench.statistics import bootstrap_interval


def only_board(reports: Path) -> Board:
    (board,), _ = boards(collect(reports).runs)
    return board


def test_entries_are_ordered_by_test_accuracy_with_its_interval(make_run, reports: Path) -> None:
    for name, skill in (("weak", 0.1), ("strong", 0.9)):
        make_run(name, skill=skill)
    board = only_board(reports)
    assert [entry.name for entry in board.entries] == ["strong", "weak"]
    for entry in board.entries:
        scores = entry.result.test
        assert scores is not None and entry.first.test is not None
        assert entry.accuracy.value == pytest.approx(scores.accuracy)
        assert (entry.accuracy.low, entry.accuracy.high) == scores.accuracy_interval
    assert board.pairs[0].is_apart and board.ties == ((0,), (1,)) and board.ranks == ((1, 1), (2, 2))


def test_seeds_make_one_entry_with_their_mean_and_spread(make_run, reports: Path) -> None:
    for seed in (0, 1, 2):
        make_run(seed=seed)
    (entry,) = only_board(reports).entries
    accuracies = [run.result.test.accuracy for run in entry.runs]
    assert entry.accuracy.value == pytest.approx(np.mean(accuracies))
    assert entry.seeds.deviation == pytest.approx(np.std(accuracies, ddof=1))
    right = np.mean([run.test.right for run in entry.runs], axis=0)
    assert (entry.accuracy.low, entry.accuracy.high) == bootstrap_interval(right, entry.first.test.groups)


def test_other_datasets_classes_copies_and_splits_have_leaderboards_of_their_own(make_run, reports: Path) -> None:
    make_run("a")
    make_run("b")
    make_run("fewer", classes=("anger", "fear", "neutral"))
    make_run("rule", dataset="ferplus_majority")
    make_run("copy", fingerprint="e" * 64)
    make_run("unscored", with_test=False)
    make_run("drawn", dataset="synthetic", is_synthetic=True)
    found, apart = boards(collect(reports).runs)
    assert not apart
    assert {entry.name for entry in found[0].entries} == {"a", "b"}
    assert all(len(board.entries) == 1 for board in found[1:])
    assert [board.split for board in found].count("validation") == 1 and found[-1].split == "validation"
    assert "synthetic faces" in found[-2].title
    copies = [board for board in found if board.warnings]
    assert {board.entries[0].name for board in copies} >= {"copy"}
    assert all("more than one copy" in board.warnings[0] for board in copies)


def test_run_that_scored_other_faces_is_set_apart(make_run, reports: Path) -> None:
    make_run("a")
    make_run("b")
    make_run("other", first_row=7)
    (board,), (one,) = boards(collect(reports).runs)
    assert {entry.name for entry in board.entries} == {"a", "b"}
    assert one.place == "other/fer2013/seed0" and "other faces" in one.reason


def test_run_that_was_chosen_on_other_faces_is_set_apart(make_run, reports: Path) -> None:
    first, second, other = (read_run(make_run(name)) for name in ("a", "b", "other"))
    rows = other.validation.rows + 500
    moved = replace(other, validation=replace(other.validation, rows=rows))
    (board,), (one,) = boards([first, second, moved])
    assert len(board.entries) == 2 and "other faces" in one.reason


def test_verdict_names_ties(make_run, reports: Path) -> None:
    make_run("first", skill=0.8)
    make_run("second", skill=0.8)
    board = only_board(reports)
    assert f"tied with {board.entries[1].name}" in verdict(board)


def test_ensembles_and_mirrored_faces_have_a_leaderboard_of_their_own(make_run, reports: Path) -> None:
    make_run("all", skill=0.9, recognizer="ensemble", params={"members": ["a", "b", "c"], "flip": True})
    make_run("pool", skill=0.8, family="ensemble")
    make_run("plain", skill=0.1)
    (single, aided), _ = boards(collect(reports).runs)
    assert [entry.name for entry in single.entries] == ["plain"] and not single.is_aided
    assert {entry.name: entry.aids for entry in aided.entries} == {
        "all": "ensemble of 3, mirrored at test",
        "pool": "ensemble",
    }
    assert aided.is_aided and "ensembles and test-time augmentation" in aided.title
    assert single.warnings == aided.warnings == ()


def test_seeds_of_the_very_same_answers_are_warned_of(make_run, reports: Path) -> None:
    first, second = (read_run(make_run("one", seed=seed)) for seed in (0, 1))
    copied = replace(second, validation=first.validation, test=first.test)
    assert not any("very same answers" in warning for warning in boards([first, second])[0][0].warnings)
    assert any("very same answers" in warning for warning in boards([first, copied])[0][0].warnings)


def test_seeds_of_different_configurations_are_warned_of(make_run, reports: Path) -> None:
    make_run("one", params={"c": 1})
    make_run("one", params={"c": 2}, seed=1)
    assert any("mixes several" in warning for warning in only_board(reports).warnings)
