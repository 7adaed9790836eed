"""`python -m ferbench compare`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ferbench import registry
from ferbench.cli import main
from ferbench.errors import DataError
from ferbench.evaluation import Evaluation, Origin, Sharing, origin_of
from ferbench.recognizers.header import sha256_of
from ferbench.report.compared import Compared, find_pair, of_run
from ferbench.report.comparison import compare
from ferbench.report.evaluations import write_evaluation
from ferbench.report.runs import read_run
from ferbench.statistics.paired import mcnemar
from tests.report.test_weights import save


def run_at(directory: Path) -> Compared:
    return of_run(read_run(directory))


def test_comparison_is_the_paired_test_of_stored_predictions(make_run) -> None:
    first, second = run_at(make_run("a", skill=0.9)), run_at(make_run("b", skill=0.3))
    found = compare(first, second)
    test = mcnemar(*(one.splits["test"].predictions.right for one in (first, second)))
    assert (found.only_first_right, found.only_second_right, found.p_value) == test[:3]
    assert found.split == "test" and found.n == 140
    counted = found.both_right + found.only_first_right + found.only_second_right + found.neither_right
    assert counted == found.n
    assert found.difference == pytest.approx(found.first.accuracy - found.second.accuracy)
    assert found.verdict.startswith("a seed0 is better than b seed0 by ")
    assert compare(second, first).verdict == found.verdict


def test_comparison_of_a_run_without_test_is_on_validation(make_run) -> None:
    first, second = run_at(make_run("a")), run_at(make_run("b", with_test=False))
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
        compare(*(run_at(Path(place)) for place in places))
    assert main(["compare", *places]) == 2
    assert capsys.readouterr().err.startswith("ferbench: ")


@pytest.mark.parametrize("name", ["a/seed1", "a/fer2013/seed1", "b", "b/seed0", "b/fer2013"])
def test_run_is_found_by_the_parts_of_its_place(make_run, reports: Path, name: str) -> None:
    for experiment, seed in (("a", 0), ("a", 1), ("b", 0)):
        make_run(experiment, seed=seed)
    assert find_pair(name, "b", reports)[0].place.startswith(name.split("/")[0])


def test_name_of_several_runs_is_refused_with_all_of_them(make_run, reports: Path) -> None:
    for seed in (0, 1):
        make_run("a", seed=seed)
    with pytest.raises(DataError, match="names 2 runs: give one of a/fer2013/seed0, a/fer2013/seed1"):
        find_pair("a", "a/seed0", reports)


def test_name_that_is_unknown_is_refused_with_a_suggestion(make_run, reports: Path) -> None:
    make_run("hog_svm")
    with pytest.raises(DataError, match="Did you mean 'hog_svm'"):
        find_pair("hog_svm", "hog_smv", reports)


def test_name_of_runs_on_several_datasets_is_the_one_on_the_same_as_the_other(make_run, reports: Path) -> None:
    for experiment, dataset in (("a", "fer2013"), ("a", "ferplus_majority"), ("b", "fer2013")):
        make_run(experiment, dataset=dataset)
    assert [one.place for one in find_pair("a", "b", reports)] == ["a/fer2013/seed0", "b/fer2013/seed0"]


@pytest.fixture
def record(make_run, reports: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write an evaluation of what gives the answers of a run; returns the record's path."""
    monkeypatch.setattr(registry, "WEIGHTS", reports.parent / "weights")

    def write(name: str, *, skill: float = 0.5, weights: str = "0" * 64, is_stored: bool = True, **made: Any) -> Path:
        directory = make_run("source", skill=skill, **made)
        result = read_run(directory).result
        found = Evaluation(
            recognizer=Origin(experiment=name, seed=0, weights=weights, fitted_on="fer2013"),
            classes=result.dataset.classes,
            dataset=result.dataset.name,
            dataset_classes=result.dataset.classes,
            fingerprint=result.dataset.fingerprint,
            is_synthetic=False,
            split="test",
            sharing=Sharing(scored=result.dataset.classes, dropped={}, moved={}, merged={}, absent=()),
            n_split=result.test.n,
            scores=result.test,
            clean=result.clean_test,
            environment=result.environment,
            created_at=result.created_at,
        )
        path = write_evaluation(found, reports)
        if is_stored:
            shutil.move(directory / "predictions.npz", path.with_suffix(".npz"))
            digest = sha256_of(path.with_suffix(".npz"))
            path.write_text(found.model_copy(update={"predictions_sha256": digest}).model_dump_json())
        shutil.rmtree(reports / "source")
        return path

    return write


@pytest.mark.parametrize("by", ["name", "record", "folder"])
def test_recorded_evaluation_is_compared_with_a_run(make_run, record, reports: Path, by: str) -> None:
    folder = save(reports.parent / "exports" / "a_int8", "a")
    path = record("a_int8", skill=0.9, weights=origin_of(folder).weights)
    make_run("a", skill=0.2)
    named = {"name": "a_int8", "record": str(path), "folder": str(folder)}[by]
    ours, theirs = find_pair(named, "a", reports)
    found = compare(ours, theirs)
    assert (found.split, found.n, found.first.experiment) == ("test", 140, "a_int8")
    assert found.verdict.startswith("a_int8 seed0 is better than a seed0 by ")
    assert found.first.clean_accuracy is not None


def test_recorded_evaluations_are_compared_with_each_other(record, reports: Path, capsys) -> None:
    record("a_int8", skill=0.9)
    record("b_int8", skill=0.1)
    assert main(["compare", "a_int8", "b_int8", "--reports", str(reports)]) == 0
    assert "a_int8 seed0 is better than b_int8 seed0" in capsys.readouterr().out


def test_run_goes_before_what_is_recorded_of_its_name(make_run, record, reports: Path) -> None:
    record("a")
    make_run("a")
    make_run("b")
    assert "validation" in find_pair("a", "b", reports)[0].splits


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        ({"is_stored": False}, "Of 'a_int8' no predictions are stored .* evaluate with --record"),
        ({"fingerprint": "e" * 64}, "different copies of the dataset"),
        ({"first_row": 7}, "other faces, labels or duplicate groups in test"),
    ],
)
def test_recorded_evaluation_that_does_not_fit_is_refused(
    make_run, record, reports: Path, made: dict, sentence: str
) -> None:
    record("a_int8", **made)
    make_run("a")
    with pytest.raises(DataError, match=sentence):
        compare(*find_pair("a_int8", "a", reports))


def test_recorded_evaluation_of_other_weights_is_refused(make_run, record, reports: Path) -> None:
    save(registry.WEIGHTS / "a_int8", "a")
    make_run("a")
    record("a_int8", weights="f" * 64)
    with pytest.raises(DataError, match="other weights than a_int8 seed0 has today: evaluate again"):
        find_pair("a_int8", "a", reports)


def test_split_that_one_side_lacks_is_refused(make_run, record, reports: Path) -> None:
    record("a_int8")
    make_run("a")
    make_run("b", with_test=False)
    with pytest.raises(DataError, match="a_int8/fer2013/seed0 was not scored on validation: compare with --split test"):
        compare(*find_pair("a_int8", "a", reports), split="validation")
    with pytest.raises(DataError, match="predictions of test and b/fer2013/seed0 of validation: only the same split"):
        compare(*find_pair("a_int8", "b", reports))


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
