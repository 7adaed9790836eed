"""`python -m ferbench compare`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ferbench.cli import main
from ferbench.errors import DataError
from ferbench.report.comparison import compare, find_run
from ferbench.report.runs import read_run
from ferbench.statistics.paired import mcnemar


def test_comparison_is_the_paired_test_of_stored_predictions(make_run) -> None:
    first, second = read_run(make_run("a", skill=0.9)), read_run(make_run("b", skill=0.3))
    found = compare(first, second)
    test = mcnemar(first.test.right, second.test.right)
    assert (found.only_first_right, found.only_second_right, found.p_value) == test[:3]
    assert found.split == "test" and found.n == 140
    counted = found.both_right + found.only_first_right + found.only_second_right + found.neither_right
    assert counted == found.n
    assert found.difference == pytest.approx(found.first.accuracy - found.second.accuracy)
    assert found.verdict.startswith("a seed0 is better than b seed0 by ")
    assert compare(second, first).verdict == found.verdict


def test_comparison_of_a_run_without_test_is_on_validation(make_run) -> None:
    first, second = read_run(make_run("a")), read_run(make_run("b", with_test=False))
    assert compare(first, second).split == "validation"
    with pytest.raises(DataError, match="was not scored on test"):
        compare(first, second, split="test")


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"dataset": "ferplus_majority"}, "different datasets: fer2013 against ferplus_majority"),
        ({"classes": ("anger", "fear", "neutral")}, "different classes"),
        ({"fingerprint": "e" * 64}, "different copies of the dataset"),
        ({"first_row": 7}, "other faces, labels or duplicate groups in test"),
        ({"n_faces": 70}, "has 140 predictions of test and .* 70"),
    ],
)
def test_runs_on_other_faces_are_refused(make_run, capsys, other: dict, sentence: str) -> None:
    places = [str(make_run("a")), str(make_run("b", **other))]
    with pytest.raises(DataError, match=sentence):
        compare(*(read_run(Path(place)) for place in places))
    assert main(["compare", *places]) == 2
    assert capsys.readouterr().err.startswith("ferbench: ")


@pytest.mark.parametrize("name", ["a/seed1", "a/fer2013/seed1", "b", "b/seed0", "b/fer2013"])
def test_run_is_found_by_the_parts_of_its_place(make_run, reports: Path, name: str) -> None:
    for experiment, seed in (("a", 0), ("a", 1), ("b", 0)):
        make_run(experiment, seed=seed)
    assert find_run(name, reports).place.startswith(name.split("/")[0])


def test_name_of_several_runs_is_refused_with_all_of_them(make_run, reports: Path) -> None:
    for seed in (0, 1):
        make_run("a", seed=seed)
    with pytest.raises(DataError, match="names 2 runs: give one of a/fer2013/seed0, a/fer2013/seed1"):
        find_run("a", reports)


def test_name_that_is_unknown_is_refused_with_a_suggestion(make_run, reports: Path) -> None:
    make_run("hog_svm")
    with pytest.raises(DataError, match="Did you mean 'hog_svm'"):
        find_run("hog_smv", reports)


def test_compare_prints_a_table_and_a_verdict(make_run, reports: Path, capsys) -> None:
    make_run("a", skill=0.9)
    make_run("b", skill=0.2)
    assert main(["compare", "a", "b", "--reports", str(reports)]) == 0
    printed = capsys.readouterr().out
    assert "McNemar's test" in printed and "a seed0 is better than b seed0" in printed


def test_compare_prints_json(make_run, reports: Path, capsys) -> None:
    make_run("a")
    make_run("b")
    assert main(["compare", "a", "b", "--reports", str(reports), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["n"] == 140 and found["split"] == "test" and found["first"]["experiment"] == "a"


def test_compare_of_one_split_takes_it(make_run, reports: Path, capsys) -> None:
    make_run("a")
    make_run("b")
    assert main(["compare", "a", "b", "--reports", str(reports), "--split", "validation", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["split"] == "validation"
