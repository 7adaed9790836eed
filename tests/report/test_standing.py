"""What can be taken from a leaderboard: times from one survey alone, shipped forms, recommendations."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ferbench import registry
from ferbench.data.dataset import Split
from ferbench.engines.gate import TOLERANCES, Quality, Verdict, write_verdict
from ferbench.engines.record import read_survey
from ferbench.environment import Environment
from ferbench.evaluation import Evaluation, origin_of, share
from ferbench.report.elements import Grid
from ferbench.report.evaluations import write_evaluation
from ferbench.report.leaderboard import leaderboard, recommendations, verdict
from ferbench.report.pareto import pareto
from ferbench.report.predictions import sha256_of
from ferbench.report.runs import read_run
from ferbench.report.standing import Standing
from ferbench.report.story import tell
from ferbench.results import now, read_result
from tests.report.conftest import CLASSES, N_FACES, form_of

Ship = Callable[..., Path]


def first(reports: Path) -> Standing:
    return tell(reports).standings[0]


def cells(standing: Standing, column: str) -> dict[str, str]:
    """A column of the leaderboard by recognizer."""
    grid = leaderboard(standing)
    place = [one.title for one in grid.columns].index(column)
    return {row[1].text: row[place].text for row in grid.rows}


@pytest.fixture
def ship(reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ship:
    """Ship an int8 form of a run and record its evaluation, which is what the run was scored with."""
    weights = tmp_path / "weights"
    weights.mkdir()
    monkeypatch.setattr(registry, "WEIGHTS", weights)

    def make(run: Path, name: str = "net_int8", *, passed: bool = True, is_stored: bool = False, **change: Any) -> Path:
        result, test = read_result(run / "result.json"), read_run(run).test
        folder = weights / name
        folder.mkdir()
        files = {"network.tflite": "0" * 64}
        (folder / "network.tflite").write_bytes(b"1234")
        header = {
            "format": 1,
            "name": "exported",
            "params": {"seed": 0},
            "classes": list(CLASSES),
            "image_size": [48, 48],
            "versions": {},
            "files": files,
            "temperature": None,
        }
        (folder / "recognizer.json").write_text(json.dumps(header))
        (folder / "card.json").write_text(
            json.dumps({"dataset": "fer2013", "config_hash": result.config_hash, "sha256": files})
        )
        scores = result.validation
        quality = Quality(**{field: getattr(scores, field) for field in Quality.model_fields})
        verdict = Verdict(
            passed=passed,
            failures=() if passed else ("accuracy lost 2.00 points",),
            source="net",
            engine="litert",
            precision="int8",
            threads=1,
            dataset="fer2013",
            n=N_FACES,
            tolerances=TOLERANCES["int8"],
            max_difference=0.01,
            agreement=0.99,
            reference=quality,
            exported=quality,
            latency_ratio=0.2,
            latency_ratio_interval=(0.1, 0.3),
        )
        write_verdict(verdict, folder)
        card = result.dataset
        found = Evaluation(
            recognizer=origin_of(name),
            classes=CLASSES,
            dataset="fer2013",
            dataset_classes=CLASSES,
            fingerprint=card.fingerprint,
            is_synthetic=False,
            split="test",
            sharing=share(CLASSES, CLASSES, card.counts["test"]),
            n_split=N_FACES,
            scores=result.test,
            clean=result.clean_test,
            environment=Environment.capture(),
            created_at=now(),
        ).model_copy(update=change)
        faces = Split(np.zeros((N_FACES, 4, 4), np.uint8), test.labels, test.rows, test.groups)
        return write_evaluation(found, reports, (faces, test.probabilities) if is_stored else None)

    return make


def test_recommendation_is_chosen_on_validation_within_the_budget(make_run, make_survey, reports: Path) -> None:
    for name, skill in (("quick", 0.3), ("better", 0.6), ("best", 0.95)):
        make_run(name, skill=skill)
    make_survey({"quick": 0.1, "better": 2.0, "best": 90.0})
    found = recommendations(first(reports))
    assert [one.name for one in found] == ["quick", "better", "better"]
    assert found[0].accuracy.startswith("validation ") and ", test " in found[0].accuracy
    assert found[0].cost.startswith("own code, 1 thread: p50 0.10, p95 0.13 ms")


def test_budget_that_nothing_keeps_is_told(make_run, make_survey, reports: Path) -> None:
    make_run("slow")
    make_survey({"slow": 500.0})
    assert {one.name for one in recommendations(first(reports))} == {""}


def test_without_a_survey_there_are_no_times_and_no_recommendations(make_run, reports: Path) -> None:
    for name in ("a", "b"):
        make_run(name)
    standing = first(reports)
    assert recommendations(standing) == [] and pareto(standing) is None
    assert "ms a face" not in {column.title for column in leaderboard(standing).columns}
    assert standing.sentences[0].startswith("No survey of engines")


def test_recognizer_that_was_not_timed_has_a_dash_and_a_sentence(make_run, make_survey, reports: Path) -> None:
    make_run("timed", skill=0.1)
    make_run("other", skill=0.9)
    make_survey({"timed": 0.5})
    standing = first(reports)
    assert cells(standing, "ms a face") == {"other": "-", "timed": "0.50"}
    assert {one.name for one in recommendations(standing)} == {"timed"}
    assert "never recommended: other." in standing.sentences[1]


@pytest.mark.parametrize("fingerprint", ["e" * 64, "f" * 63])
def test_survey_of_other_data_tells_no_times(make_run, make_survey, reports: Path, fingerprint: str) -> None:
    make_run("a")
    make_survey({"a": 0.5}, fingerprint=fingerprint)
    assert first(reports).survey is None


def test_survey_that_timed_another_recognizer_of_the_name_is_told(make_run, make_survey, reports: Path) -> None:
    make_run("a", skill=0.9)
    make_survey({}, forms=(form_of("a", "native", "float32", 0.1, 0.5),))
    standing = first(reports)
    assert standing.timed == []
    assert "the a that was timed is right on 10.0 %" in standing.sentences[-1].lower()


def test_newest_of_two_surveys_tells_all_times(make_run, make_survey, reports: Path) -> None:
    make_run("a")
    make_run("b")
    make_survey({"a": 0.5, "b": 0.5}, name="old")
    path = reports / "engines" / "old.json"
    path.write_text(path.read_text().replace(f'"created_at":"{now().year}', '"created_at":"2001'))
    make_survey({"a": 0.7}, name="new")
    standing = first(reports)
    assert standing.survey == read_survey(reports / "engines" / "new.json")
    assert cells(standing, "ms a face") == {"a": "0.70", "b": "-"} and "the newest of 2" in standing.sentences[0]


def test_survey_that_names_the_folder_of_a_run_times_it(make_run, make_survey, reports: Path) -> None:
    directory = make_run("a")
    accuracy = read_result(directory / "result.json").validation.accuracy
    make_survey({}, forms=(form_of("reports/a/fer2013/seed0/model", "native", "float32", accuracy, 0.5),))
    assert [one.name for one in first(reports).timed] == ["a"]


def test_multiply_adds_are_those_that_the_survey_counted(make_run, make_survey, reports: Path) -> None:
    make_run("net", family="deep")
    make_run("svm")
    accuracy = read_result(reports / "net/fer2013/seed0/result.json").validation.accuracy
    counted = form_of("net", "keras", "float32", accuracy, 2.0).model_copy(update={"multiply_adds": 7_500_000})
    make_survey({"svm": 1.0}, forms=(counted,))
    (costs,) = [one for one in tell(reports).board_sections[0] if one.name == "cost"]
    grid = next(one for one in costs.elements if isinstance(one, Grid))
    place = [column.title for column in grid.columns].index("multiply-adds")
    assert {row[0].text: row[place].text for row in grid.rows} == {"net": "7.5", "svm": "-"}


def test_shipped_form_stands_with_its_own_scores_and_time(make_run, make_survey, ship, reports: Path) -> None:
    run = make_run("net", skill=0.9, family="deep")
    make_run("plain", skill=0.2)
    ship(run)
    accuracy = read_result(run / "result.json").validation.accuracy
    make_survey({"net": 6.0, "plain": 0.1}, forms=(form_of("net", "litert", "int8", accuracy, 0.6),))
    story = tell(reports)
    standing = story.standings[0]
    assert cells(standing, "runs on") == {"net": "keras float32", "net_int8": "litert int8", "plain": "own code"}
    assert cells(standing, "ms a face")["net_int8"] == "0.60"
    assert cells(standing, "tie")["net_int8"] == "-" == cells(standing, "rank")["net_int8"]
    assert cells(standing, "accuracy, %")["net_int8"] == cells(standing, "accuracy, %")["net"]
    found = recommendations(standing)
    assert {one.name for one in found} == {"net_int8"} and found[0].cost.startswith("litert int8, 1 thread")
    plot = pareto(standing)
    assert plot is not None and [trace["name"] for trace in plot.traces[1:]] == [
        *("classical", "deep", "deep, shipped export"),
    ]
    assert story.set_apart == () and "evaluations" not in {section.name for section in story.sections}
    (recall,) = [one for one in story.board_sections[0] if one.name == "recall"]
    assert {row[0].text for row in recall.elements[0].rows} == {"net", "net_int8", "plain"}


def test_shipped_form_of_a_distilled_network_is_told_from_its_namesake(
    make_run, make_survey, ship, reports: Path
) -> None:
    make_run("net", skill=0.2, family="deep")
    run = make_run("net_distilled", skill=0.9, family="deep", recognizer="net")
    ship(run)
    accuracy = read_result(run / "result.json").validation.accuracy
    forms = (form_of("net", "litert", "int8", 0.1, 0.6), form_of("net_distilled", "litert", "int8", accuracy, 0.4))
    make_survey({"net": 6.0}, forms=forms)
    assert cells(first(reports), "ms a face")["net_int8"] == "0.40"


def test_form_that_failed_its_gate_is_set_apart(make_run, ship, reports: Path) -> None:
    ship(make_run("net", family="deep"), passed=False)
    story = tell(reports)
    assert [one.name for one in story.standings[0].contenders] == ["net"]
    assert "failed its gate: accuracy lost 2.00 points" in story.set_apart[0].reason


def test_form_with_other_weights_than_were_evaluated_is_set_apart(make_run, ship, reports: Path) -> None:
    path = ship(make_run("net", family="deep"))
    content = json.loads(path.read_text())
    content["recognizer"]["weights"] = "1" * 64
    path.write_text(json.dumps(content))
    assert "other weights than were evaluated" in tell(reports).set_apart[0].reason


def test_form_whose_scores_are_not_of_all_faces_is_set_apart(make_run, ship, reports: Path) -> None:
    run = make_run("net", family="deep")
    path = ship(run)
    content = json.loads(path.read_text())
    row = content["scores"]["confusion"][0]
    row[0], row[1] = row[0] - 1, row[1] + 1
    path.write_text(json.dumps(content))
    (one,) = tell(reports).set_apart
    assert one.place == "evaluations/net_int8-seed0.fer2013.test.json" and "not those of all 140 faces" in one.reason


def test_form_of_which_the_predictions_are_stored_is_tested(make_run, ship, reports: Path) -> None:
    make_run("weak", skill=0.1)
    ship(make_run("net", skill=0.8, family="deep"), is_stored=True)
    one = first(reports)
    assert [tested.name for tested in one.board.tested] == ["net", "net_int8", "weak"]
    assert cells(one, "rank") == {"net": "1-2", "net_int8": "1-2", "weak": "3"}
    assert cells(one, "tie")["net"] == cells(one, "tie")["net_int8"] != cells(one, "tie")["weak"]
    assert [(pair.first, pair.second, pair.is_apart) for pair in one.board.pairs] == [
        (0, 1, False),
        (0, 2, True),
        (1, 2, True),
    ]
    intro, matrix = next(section for section in tell(reports).board_sections[0] if section.name == "tests").elements[:2]
    assert "Shipped exports" in intro.text
    assert [column.title for column in matrix.columns[1:]] == ["net", "net_int8", "weak"]
    assert verdict(one.board).startswith("net is right on") and "tied with net_int8" in verdict(one.board)


def test_form_of_which_the_predictions_are_not_stored_is_in_no_test(make_run, ship, reports: Path) -> None:
    ship(make_run("net", family="deep"))
    assert first(reports).board.pairs == () and cells(first(reports), "tie") == {"net": "a", "net_int8": "-"}


def _is_other_bytes(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"0")


def _stores(path: Path, **change: Any) -> None:
    """Change arrays of the predictions, and the hash in the record with them."""
    with np.load(path) as stored:
        arrays = dict(stored) | change
    np.savez_compressed(path, **arrays)
    record = path.with_suffix(".json")
    record.write_text(json.dumps(json.loads(record.read_text()) | {"predictions_sha256": sha256_of(path)}))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (Path.unlink, "does not exist"),
        (_is_other_bytes, "sha256 is another"),
        (lambda path: _stores(path, test_probabilities=np.eye(7, dtype=np.float32)[[0] * N_FACES]), "one was changed"),
        (lambda path: _stores(path, test_probabilities=np.full((N_FACES, 7), np.nan, np.float32)), "NaN"),
        (lambda path: _stores(path, test_labels=np.zeros(N_FACES, np.int64)), "labels of test"),
        (lambda path: _stores(path, classes=np.array(CLASSES[::-1])), "class is missing or in another place"),
        (lambda path: _stores(path, test_index=np.arange(N_FACES)), "other faces, labels or duplicate groups"),
    ],
)
def test_stored_predictions_that_do_not_fit_are_told(
    make_run, ship, reports: Path, damage: Callable[[Path], None], sentence: str
) -> None:
    path = ship(make_run("net", family="deep"), is_stored=True)
    damage(path.with_suffix(".npz"))
    story = tell(reports)
    assert [one.name for one in story.standings[0].contenders] == ["net"]
    assert [one.place for one in story.set_apart] == [f"evaluations/{path.name}"]
    assert sentence in story.set_apart[0].reason and "evaluations" not in {one.name for one in story.sections}


def test_second_record_of_one_form_is_set_apart(make_run, ship, reports: Path) -> None:
    path = ship(make_run("net", family="deep"))
    path.with_name("other.json").write_text(path.read_text())
    story = tell(reports)
    assert [one.name for one in story.standings[0].contenders] == ["net", "net_int8"]
    assert "of the same form as evaluations/net_int8" in story.set_apart[0].reason


def test_form_whose_clean_scores_are_not_of_its_faces_is_set_apart(make_run, ship, reports: Path) -> None:
    run = make_run("net", family="deep")
    ship(run, clean=read_result(run / "result.json").test)
    assert "clean split are not those of 70 of its faces" in tell(reports).set_apart[0].reason


def test_evaluation_on_another_dataset_stays_among_evaluations(make_run, ship, reports: Path) -> None:
    ship(make_run("net", family="deep"), dataset="other", fingerprint="e" * 64)
    story = tell(reports)
    assert [one.name for one in story.standings[0].contenders] == ["net"]
    assert "evaluations" in {section.name for section in story.sections}


def test_pareto_front_holds_those_that_nothing_beats_in_both(make_run, make_survey, reports: Path) -> None:
    make_run("quick", skill=0.4)
    make_run("beaten", skill=0.1)
    make_run("good", skill=0.9, family="deep")
    make_survey({"quick": 0.1, "beaten": 0.5, "good": 1.0})
    plot = pareto(first(reports))
    assert plot is not None
    assert plot.traces[0]["x"] == [0.1, 1.0]
    assert {trace["meta"]["role"] for trace in plot.traces} == {"muted", "classical", "deep"}
    assert "beaten" not in plot.text


def test_single_recognizers_are_told_of_the_ensembles(make_run, reports: Path) -> None:
    make_run("plain", skill=0.2)
    make_run("pool", skill=0.9, family="ensemble")
    story = tell(reports)
    assert [one.board.is_aided for one in story.standings] == [False, True]
    assert "the best, pool (ensemble), is right on" in story.standings[0].elsewhere
    assert set(cells(story.standings[1], "with aids").values()) == {"ensemble"}


def test_every_class_has_its_recall_with_an_interval(make_run, reports: Path) -> None:
    for seed in (0, 1):
        make_run("net", family="deep", seed=seed)
    (one,) = first(reports).contenders
    assert [recall.name for recall in one.recalls] == list(CLASSES)
    assert all(0 <= r.share.low <= r.share.value <= r.share.high <= 1 for r in one.recalls if r.share)


def test_ensembles_are_tested_against_the_best_single_recognizer(make_run, reports: Path) -> None:
    make_run("weak", skill=0.1)
    make_run("strong", skill=0.3)
    make_run("pool", skill=0.95, family="ensemble")
    (section,) = [one for one in tell(reports).board_sections[1] if one.name == "singles"]
    (row,) = section.elements[0].rows
    assert [row[0].text, row[1].text, row[5].text] == ["pool", "strong", "apart"] and row[2].text.startswith("+")


def test_recall_of_a_class_that_is_never_found_has_an_interval(make_run, reports: Path) -> None:
    make_run("never", skill=0.0, family="deep")
    recalls = [recall.share for recall in first(reports).contenders[0].recalls if recall.share]
    assert all(share.low < share.high for share in recalls)


@pytest.mark.parametrize(
    "change",
    [{"threads": []}, {"threads": [4]}, {"forms": [{}]}, {"dataset": None}],
)
def test_survey_that_does_not_fit_is_told(make_run, make_survey, reports: Path, change: dict[str, Any]) -> None:
    make_run("a")
    make_run("b")
    make_survey({"a": 0.5, "b": 0.2})
    path = reports / "engines" / "engines.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    story = tell(reports)
    assert [one.place for one in story.set_apart] == ["engines/engines.json"] and story.standings[0].survey is None


@pytest.mark.parametrize("p50_ms", [0.0, -1.0])
def test_survey_with_a_time_that_is_none_is_told(make_run, make_survey, reports: Path, p50_ms: float) -> None:
    make_run("a")
    make_survey({}, forms=(form_of("a", "native", "float32", 0.5, 1.0),))
    path = reports / "engines" / "engines.json"
    content = json.loads(path.read_text())
    content["forms"][0]["timings"][0]["single"]["p50_ms"] = p50_ms
    path.write_text(json.dumps(content))
    assert "a time above 0" in tell(reports).set_apart[0].reason


def test_clean_split_stands_beside_the_full_one(make_run, ship, reports: Path) -> None:
    make_run("strong", skill=0.9)
    run = make_run("net", skill=0.5, family="deep")
    ship(run, is_stored=True)
    make_run("pool", skill=0.95, family="ensemble")
    story, clean = tell(reports), read_result(run / "result.json").clean_test
    single, aided = story.standings
    assert "% of the 70 clean ones)" in verdict(single.board) and ", clean " in single.elsewhere
    sections = {section.name: section.elements for section in story.board_sections[0]}
    pairs = next(one for one in sections["tests"] if isinstance(one, Grid) and one.caption == "All pairs")
    gains = {(row[0].text, row[1].text): row[3].text for row in pairs.rows}
    assert gains["net", "net_int8"] == "+0.0" and float(gains["strong", "net"]) > 0
    _, recalls = sections["recall"]
    by_name = {row[0].text: row for row in recalls.rows}
    assert by_name["net"][1].order == by_name["net_int8"][1].order == clean.classes["anger"].recall
    against = story.board_sections[1][0].elements[0]
    assert against.columns[3].title == "clean, points" and aided.board.tested[0].clean is not None


def test_form_stands_in_the_tables_of_calibration_and_of_twins(make_run, ship, reports: Path) -> None:
    make_run("weak", skill=0.1)
    ship(make_run("net", skill=0.8, family="deep"), is_stored=True)
    rows = {}
    for name in ("calibration", "leakage"):
        (section,) = [one for one in tell(reports).board_sections[0] if one.name == name]
        grid = next(one for one in section.elements if isinstance(one, Grid))
        rows[name] = {row[0].text: [cell.text for cell in row[1:]] for row in grid.rows}
    told = rows["calibration"]
    assert told["net_int8"] == [*told["net"][:5], "-", "-", "-"], "no answers on validation, so no temperature"
    assert rows["leakage"]["net_int8"] == rows["leakage"]["net"]
