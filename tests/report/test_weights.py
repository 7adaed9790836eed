"""Records of weights that are no longer those of their name are set apart; those that cannot be told are named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ferbench import registry
from ferbench.conditions import Lead
from ferbench.evaluation import Origin, origin_of
from ferbench.realtime.record import read_record, write_record
from ferbench.recognizers.header import FILENAME, sha256_of
from ferbench.report.elements import Grid, Panels, Section, Text
from ferbench.report.robustness import write_robustness
from ferbench.report.runs import SetApart, collect
from ferbench.report.story import tell
from ferbench.report.weights import Weights
from ferbench.results import read_result
from tests.report.test_page import drawn_of, robustness_of

RECORD = Path(__file__).parents[2] / "reports" / "realtime" / "replay_distilled_test" / "realtime.json"


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


def test_shipped_weights_fitted_on_another_dataset_tell_nothing(weights_folder: Path, reports: Path) -> None:
    shipped = origin_of(save(weights_folder / "hog_svm", "a", "0" * 16))
    assert shipped.fitted_on == "fer2013"
    drawn = shipped.model_copy(update={"fitted_on": "synthetic", "weights": "f" * 64})
    assert match(reports, drawn) == "unknown"
    assert match(reports, drawn.model_copy(update={"fitted_on": None})) == "other"


def drawn_section(reports: Path) -> tuple[Section | None, tuple[SetApart, ...]]:
    story = tell(reports)
    return next((one for one in story.sections if one.name == "conditions"), None), story.set_apart


def both_drawn(first: Origin | None, second: Origin | None, **changed: str) -> str:
    """`hog_svm` and `cnn9` on drawn faces, a lead between them."""
    one, other = drawn_of("hog_svm"), drawn_of("cnn9")
    run = one.runs[0].model_copy(update={"recognizer": first, **changed})
    share = run.unset
    lead = Lead(better="cnn9", worse="hog_svm", by_seed={0: share}, mean=share)
    levels = tuple(
        level.model_copy(update={"accuracy": level.accuracy | more.accuracy})
        for level, more in zip(one.conditions[0].levels, other.conditions[0].levels, strict=True)
    )
    update = {
        "runs": (run, other.runs[0].model_copy(update={"recognizer": second})),
        "leads": (lead,),
        "conditions": (one.conditions[0].model_copy(update={"levels": levels}),),
    }
    return one.model_copy(update=update).model_dump_json()


def test_drawn_faces_of_other_weights_are_set_apart_and_the_rest_is_shown(
    make_run, weights_folder: Path, reports: Path
) -> None:
    make_run("prior")
    make_run("hog_svm", dataset="synthetic")
    model = save(reports / "hog_svm" / "synthetic" / "seed0" / "model", "a")
    now = origin_of(model)
    (reports / "conditions.json").write_text(both_drawn(now, None))
    section, apart = drawn_section(reports)
    assert apart == () and {line["name"] for line in lines_of(section)} >= {"hog_svm", "cnn9"}
    (reports / "conditions.json").write_text(both_drawn(now.model_copy(update={"weights": "f" * 64}), None))
    section, (one,) = drawn_section(reports)
    assert one.place == "conditions.json" and one.reason.startswith("hog_svm seed0 has other weights today")
    names = {line["name"] for line in lines_of(section)}
    assert "cnn9" in names and "hog_svm" not in names
    assert [row[0].text for row in section.elements[-1].rows] == ["cnn9"]


def lines_of(section: Section) -> list[dict[str, Any]]:
    return [trace for e in section.elements if isinstance(e, Panels) for plot in e.plots for trace in plot.traces]


def test_drawn_faces_of_weights_that_nobody_knows_are_named(make_run, weights_folder: Path, reports: Path) -> None:
    make_run("prior")
    elsewhere = Origin(experiment="hog_svm", seed=0, weights="0", fitted_on="synthetic", recognizer_sha256="0")
    (reports / "conditions.json").write_text(both_drawn(elsewhere, None))
    section, apart = drawn_section(reports)
    note = section.elements[1].text
    assert apart == () and "does not say which weights it measured" in note and "cnn9" in note.partition("Not at")[0]
    assert "Not at hand here" in note and "hog_svm seed0" in note


def test_drawn_faces_of_another_configuration_are_set_apart(make_run, weights_folder: Path, reports: Path) -> None:
    key = read_result(make_run("hog_svm", dataset="synthetic") / "result.json").config_hash
    (reports / "conditions.json").write_text(both_drawn(None, None, config_hash=key))
    assert drawn_section(reports)[1] == ()
    (reports / "conditions.json").write_text(drawn_of("hog_svm").model_dump_json())
    section, (one,) = drawn_section(reports)
    assert section is None and one.reason.startswith("hog_svm seed0 has other weights today")


@pytest.mark.parametrize(
    ("given", "found"), [("prior", "other"), ("old/prior/fer2013/seed0", "unknown")], ids=["shipped", "folder"]
)
def test_loop_with_other_weights_is_told(make_run, reports: Path, given: str, found: str) -> None:
    make_run("prior")
    measured = read_record(RECORD)
    assert set(measured.recognizers) == {"prior", "ferbench_net_distilled_int8"}
    others = tuple(given if name == "prior" else name for name in measured.config.recognizers)
    changed = measured.model_copy(
        update={
            "recognizers": measured.recognizers | {"prior": "f" * 64},
            "config": measured.config.model_copy(update={"recognizers": others}),
        }
    )
    (reports / "realtime" / "x").mkdir(parents=True)
    write_record(changed, reports / "realtime" / "x")
    story = tell(reports)
    (section,) = [one for one in story.sections if one.name == "realtime"]
    names = {row[0].text for e in section.elements if isinstance(e, Grid) for row in e.rows}
    notes = " ".join(e.text for e in section.elements if isinstance(e, Text))
    assert ("prior" in names, "prior" in notes, len(story.set_apart)) == (
        found == "unknown",
        found == "unknown",
        found == "other",
    )
    assert "ferbench_net_distilled_int8" in names and "distilled_int8" not in notes.partition("Not at hand")[2]


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
