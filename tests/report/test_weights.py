"""Records of weights that are no longer those of their name are set apart; those that cannot be told are named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ferbench import registry
from ferbench.evaluation import Origin, origin_of
from ferbench.recognizers.header import FILENAME, sha256_of
from ferbench.report.elements import Grid, Section, Text
from ferbench.report.robustness import write_robustness
from ferbench.report.runs import collect
from ferbench.report.story import tell
from ferbench.report.weights import Weights
from ferbench.results import read_result
from tests.report.test_page import robustness_of


def save(folder: Path, digest: str, config_hash: str = "") -> Path:
    """Headers of a saved recognizer, without the files that they list."""
    folder.mkdir(parents=True)
    header = {"format": 1, "name": "hog_svm", "params": {"seed": 0}, "classes": ["anger", "fear"]}
    header |= {"image_size": [48, 48], "versions": {}, "files": {"classifier.skops": digest}}
    (folder / FILENAME).write_text(json.dumps(header))
    if config_hash:
        (folder / "card.json").write_text(json.dumps({"dataset": "fer2013", "config_hash": config_hash}))
    return folder


@pytest.fixture
def weights_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(registry, "WEIGHTS", tmp_path / "weights")
    return tmp_path / "weights"


def match(reports: Path, origin: Origin) -> str:
    return Weights(reports, collect(reports).runs).match(origin)


def test_record_is_compared_with_the_model_of_its_run(make_run, weights_folder: Path, reports: Path) -> None:
    run = make_run("hog_svm")
    model = save(run / "model", "a")
    measured = origin_of(model)
    assert match(reports, measured) == "same"
    model.joinpath(FILENAME).write_text(model.joinpath(FILENAME).read_text().replace('"a"', '"b"'))
    assert match(reports, measured) == "other"


def test_record_is_compared_with_what_is_shipped_of_its_run(make_run, weights_folder: Path, reports: Path) -> None:
    run = make_run("hog_svm")
    shipped = save(weights_folder / "hog_svm", "a", read_result(run / "result.json").config_hash)
    measured = origin_of(shipped)
    assert match(reports, measured) == "same"
    assert match(reports, measured.model_copy(update={"weights": "f" * 64})) == "other"


def test_shipped_weights_of_another_run_are_not_those_of_the_run(make_run, weights_folder: Path, reports: Path) -> None:
    make_run("hog_svm")
    assert match(reports, origin_of(save(weights_folder / "hog_svm", "a", "0" * 16))) == "other"


def test_shipped_weights_are_compared_where_no_run_is_shown(weights_folder: Path, reports: Path) -> None:
    measured = origin_of(save(weights_folder / "hog_svm", "a", "0" * 16))
    assert match(reports, measured) == "same"
    assert match(reports, measured.model_copy(update={"weights": "f" * 64})) == "other"
    assert match(reports, measured.model_copy(update={"seed": 1})) == "unknown"


def test_result_alone_tells_by_the_hash_of_what_it_scored(make_run, weights_folder: Path, reports: Path) -> None:
    run = make_run("hog_svm")
    model = save(run / "model", "a")
    measured, result = origin_of(model), json.loads((run / "result.json").read_text())
    (run / "result.json").write_text(json.dumps(result | {"recognizer_sha256": sha256_of(model / FILENAME)}))
    assert match(reports, measured) == "same"
    (model / FILENAME).unlink()
    assert match(reports, measured) == "same"
    assert match(reports, measured.model_copy(update={"recognizer_sha256": "f" * 64})) == "other"
    assert match(reports, measured.model_copy(update={"recognizer_sha256": None})) == "unknown"


def test_model_of_another_fit_than_the_result_tells_nothing(make_run, weights_folder: Path, reports: Path) -> None:
    run = make_run("hog_svm")
    measured = origin_of(save(run / "model", "a")).model_copy(update={"recognizer_sha256": None})
    result = json.loads((run / "result.json").read_text())
    (run / "result.json").write_text(json.dumps(result | {"recognizer_sha256": "f" * 64}))
    assert match(reports, measured) == "unknown"


def test_record_of_other_weights_is_set_apart_and_the_rest_is_shown(
    make_run, weights_folder: Path, reports: Path
) -> None:
    make_run("hog_svm")
    save(reports / "hog_svm" / "fer2013" / "seed0" / "model", "a")
    write_robustness(robustness_of({"hog_svm": 0.5, "nobody": 0.4}), reports / "robustness")
    story = tell(reports)
    (one,) = story.set_apart
    assert one.place == "robustness/fer2013.json" and one.reason.startswith("hog_svm seed0 has other weights today")
    section: Section = next(section for section in story.sections if section.name == "robustness")
    (scores,) = [e for e in section.elements if isinstance(e, Grid) and e.caption.startswith("Accuracy with")]
    assert [row[0].text for row in scores.rows] == ["nobody seed0"]
    assert any(
        "Not at hand here" in e.text and "nobody seed0" in e.text for e in section.elements if isinstance(e, Text)
    )


def test_record_of_nobody_that_is_left_makes_no_section(make_run, weights_folder: Path, reports: Path) -> None:
    make_run("hog_svm")
    save(reports / "hog_svm" / "fer2013" / "seed0" / "model", "a")
    write_robustness(robustness_of({"hog_svm": 0.5}), reports / "robustness")
    assert "robustness" not in {section.name for section in tell(reports).sections}
