"""Trained recognizers on datasets with other classes: what is scored, what is left out, and that it is said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ferbench import experiment, registry
from ferbench.cli import main
from ferbench.data.dataset import Dataset
from ferbench.data.emotions import LABEL_SETS
from ferbench.errors import ConfigError, DataError
from ferbench.evaluation import SharedAnswers, origin_of, share
from ferbench.recognizers.classical.hog_svm import HogSvm
from ferbench.recognizers.prior import Prior
from ferbench.report.evaluations import (
    evaluation_lines,
    evaluation_path,
    evaluations_section,
    read_evaluation,
    write_evaluation,
)
from ferbench.results import read_ledger
from ferbench.types import EMOTIONS


@pytest.fixture(scope="module")
def trained(tiny: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "hog_svm"
    HogSvm(c=(0.1,)).fit(tiny.train.images, tiny.train.labels).save(folder)
    return folder


def counts(classes: tuple[str, ...]) -> dict[str, int]:
    return {name: 10 + place for place, name in enumerate(classes)}


def relabelled(tiny: Dataset, classes: tuple[str, ...]) -> Dataset:
    """The drawn faces of emotions that are among `classes`, and nothing else."""
    kept = [EMOTIONS.index(name) for name in classes if name in EMOTIONS]
    splits = {}
    for name, split in tiny.splits():
        chosen = split.take(np.isin(split.labels, kept))
        labels = np.array([classes.index(EMOTIONS[label]) for label in chosen.labels], np.int64)
        splits[name] = replace(chosen, labels=labels)
    return Dataset(name="other", classes=classes, is_synthetic=True, **splits)


@pytest.fixture
def other(tiny: Dataset):
    """Register drawn faces under other classes as the dataset "other"."""

    def add(classes: tuple[str, ...]) -> Dataset:
        dataset = relabelled(tiny, classes)

        def load_other(*, seed: int = 0) -> Dataset:
            return dataset

        registry.add("datasets", "other", load_other)
        return dataset

    yield add
    registry._added.get("datasets", {}).pop("other", None)


def test_same_classes_leave_nothing_to_say() -> None:
    sharing = share(EMOTIONS, EMOTIONS, counts(EMOTIONS))
    assert sharing.scored == EMOTIONS and sharing.sentences() == []


def test_faces_that_the_recognizer_has_no_class_for_are_left_out() -> None:
    classes = LABEL_SETS["ferplus8"]
    sharing = share(EMOTIONS, classes, counts(classes))
    assert sharing.scored == EMOTIONS and sharing.dropped == {"contempt": 17}
    assert sharing.sentences() == ["17 faces of contempt are left out: the recognizer does not know it."]


def test_faces_count_as_the_class_that_theirs_is_merged_into() -> None:
    sharing = share(LABEL_SETS["fer6"], EMOTIONS, counts(EMOTIONS))
    assert sharing.moved == {"disgust": "anger"} and sharing.sentences() == ["Faces of disgust count as anger."]


def test_answers_count_as_the_class_that_the_dataset_merges_them_into() -> None:
    sharing = share(EMOTIONS, LABEL_SETS["fer6"], counts(LABEL_SETS["fer6"]))
    assert sharing.scored == LABEL_SETS["fer6"] and sharing.merged == {"disgust": "anger"}
    assert sharing.sentences() == ["The answer disgust counts as anger."]


def test_classes_without_faces_stay_answers_that_are_wrong() -> None:
    classes = ("happiness", "surprise")
    sharing = share(EMOTIONS, classes, counts(classes))
    assert sharing.scored[:2] == classes and set(sharing.absent) == set(EMOTIONS) - set(classes)
    assert "No face is neutral: as an answer it is always wrong." in sharing.sentences()


def test_compound_emotions_count_as_their_heads() -> None:
    classes = LABEL_SETS["rafdb11"]
    sharing = share(EMOTIONS, classes, counts(classes))
    assert sharing.moved["sadly_angry"] == "anger" and set(sharing.dropped) == {"happily_disgusted"}
    assert set(sharing.absent) == {"happiness", "sadness", "neutral"}


def test_nothing_shared_is_refused() -> None:
    with pytest.raises(ConfigError, match="shares a class"):
        share(("awe", "envy"), EMOTIONS, counts(EMOTIONS))


def test_merged_answers_add_up(tiny: Dataset) -> None:
    recognizer = Prior().fit(tiny.train.images, tiny.train.labels)
    sharing = share(EMOTIONS, LABEL_SETS["fer6"], counts(LABEL_SETS["fer6"]))
    answers = SharedAnswers(recognizer, sharing).predict_proba(tiny.validation.images)
    whole = recognizer.predict_proba(tiny.validation.images)
    assert answers.shape == (21, 6) and answers.dtype == np.float32
    assert answers[:, 0] == pytest.approx(whole[:, 0] + whole[:, 1]) and answers.sum(axis=1) == pytest.approx(
        np.ones(21)
    )


@pytest.mark.parametrize(
    ("classes", "n"), [(("surprise", "happiness"), 6), (("contempt", *EMOTIONS), 21), (("neutral", "anger", "fear"), 9)]
)
def test_scores_are_those_of_the_answers_by_name(
    other, trained: Path, classes: tuple[str, ...], n: int, tmp_path: Path
) -> None:
    dataset = other(classes)
    found = experiment.evaluate(trained, "other", reports=tmp_path)
    named = registry.load(trained).predict(dataset.validation.images).names
    if "disgust" not in classes and "anger" in classes:
        named = tuple("anger" if name == "disgust" else name for name in named)
    right = [name == classes[label] for name, label in zip(named, dataset.validation.labels, strict=True)]
    assert found.scores.n == found.n_split == n and found.scores.accuracy == pytest.approx(np.mean(right))
    assert found.dataset_classes == classes and found.clean is None and read_ledger(tmp_path) == []


def test_faces_left_out_are_counted(tiny: Dataset, other, tmp_path: Path) -> None:
    other(EMOTIONS)
    known = tiny.train.labels < 3
    recognizer = Prior().fit(tiny.train.images[known], tiny.train.labels[known], classes=EMOTIONS[:3])
    recognizer.save(tmp_path / "three")
    with pytest.raises(ConfigError, match="no counterpart"):
        experiment.evaluate(tmp_path / "three", "other", reports=tmp_path)


def test_test_split_is_noted_in_the_ledger(other, trained: Path, tmp_path: Path) -> None:
    other(("contempt", *EMOTIONS))
    found = experiment.evaluate(trained, "other", split="test", reports=tmp_path)
    (line,) = read_ledger(tmp_path)
    assert line["n"] == found.scores.n == 21 and line["reason"] == "evaluate" and found.clean is not None


def test_origin_is_told_by_result_and_card(tiny: Dataset, tmp_path: Path) -> None:
    model = tmp_path / "seed3" / "model"
    Prior().fit(tiny.train.images, tiny.train.labels).save(model)
    assert origin_of(model).fitted_on is None and origin_of(model).experiment == "prior"
    (model.parent / "result.json").write_text(
        json.dumps({"config": {"name": "mine", "seed": 3, "dataset": {"name": "synthetic"}}})
    )
    assert origin_of(model.parent).model_dump(exclude={"weights", "recognizer_sha256"}) == {
        "experiment": "mine",
        "seed": 3,
        "fitted_on": "synthetic",
    }
    (model.parent / "result.json").write_text('{"config": []}')
    assert origin_of(model).fitted_on is None
    assert origin_of("hog_svm").fitted_on == "fer2013"


def test_record_is_read_back_and_told(other, trained: Path, tmp_path: Path) -> None:
    other(("happiness", "surprise"))
    found = experiment.evaluate(trained, "other", reports=tmp_path)
    path = write_evaluation(found, tmp_path)
    assert path == tmp_path / "evaluations" / "hog_svm-seed0.other.validation.json"
    assert read_evaluation(path) == (found, None)
    assert evaluation_lines(found)[0].startswith("Scored 6 of 6 validation faces of other under 7 classes")
    (row,) = evaluations_section([found]).elements[1].rows
    assert row[3].text == "6 of 6" and "always wrong" in row[-1].text


def test_names_that_are_no_file_names_stay_in_the_folder(other, trained: Path, tmp_path: Path) -> None:
    other(EMOTIONS)
    found = experiment.evaluate(trained, "other", reports=tmp_path)
    hostile = found.model_copy(update={"recognizer": found.recognizer.model_copy(update={"experiment": "../../x/<b>"})})
    assert write_evaluation(hostile, tmp_path).parent == tmp_path / "evaluations"


@pytest.mark.parametrize("change", [{"n_split": 3}, {"scores": {"accuracy": 1.5}}, {"scores": {"n": 7}}])
def test_records_whose_numbers_do_not_fit_are_refused(other, trained: Path, tmp_path: Path, change) -> None:
    other(EMOTIONS)
    path = write_evaluation(experiment.evaluate(trained, "other", reports=tmp_path), tmp_path)
    content = json.loads(path.read_text())
    for key, value in change.items():
        content[key] = content[key] | value if isinstance(value, dict) else value
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="do not fit"):
        read_evaluation(path)


def test_command_says_what_was_scored_and_keeps_it(other, trained: Path, tmp_path: Path, capsys) -> None:
    other(LABEL_SETS["fer6"])
    arguments = ["evaluate", str(trained), "--dataset", "other", "--reports", str(tmp_path)]
    assert main(arguments) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "Scored 18 of 18 validation faces of other under 6 classes" in printed
    assert "The answer disgust counts as anger." in printed and not (tmp_path / "evaluations").exists()
    assert main([*arguments, "--record", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["n"] == printed["n_split"] == 18 and printed["sharing"]["merged"] == {"disgust": "anger"}
    (path,) = (tmp_path / "evaluations").glob("*.json")
    assert read_evaluation(path)[0].dataset == "other"


@pytest.mark.parametrize("split", ["validation", "test"])
@pytest.mark.parametrize("classes", [("happiness", "surprise"), LABEL_SETS["fer6"]])
def test_record_keeps_what_was_said_of_each_face(other, trained: Path, tmp_path: Path, split, classes) -> None:
    dataset = other(classes)
    found = experiment.evaluate(trained, "other", split=split, reports=tmp_path, record=True)
    record, predictions = read_evaluation(evaluation_path(found, tmp_path))
    assert record.scores == found.scores and predictions is not None
    assert np.array_equal(predictions.rows, getattr(dataset, split).rows)
    assert predictions.probabilities.dtype == np.float32
    assert predictions.right.mean() == pytest.approx(found.scores.accuracy)
    with np.load(evaluation_path(found, tmp_path).with_suffix(".npz")) as stored:
        assert max(array.ndim for array in stored.values()) == 2
