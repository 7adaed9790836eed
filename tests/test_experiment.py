import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ferbench import experiment, registry
from ferbench.config import ExperimentConfig
from ferbench.errors import ConfigError, DataError, DatasetMissingError
from ferbench.recognizers.prior import Prior
from ferbench.registry import load
from ferbench.report.flat import flat_params
from ferbench.results import read_ledger, read_result

DATA = {"n_train": 70, "n_validation": 35, "n_test": 35}


def config(**changes) -> ExperimentConfig:
    content = {
        "name": "try",
        "dataset": {"name": "synthetic", "params": DATA},
        "recognizer": {"name": "prior"},
        "timing": {"batch_sizes": [1, 32], "warmup": 1, "min_seconds": 0, "min_queries": 3},
        "tracking": {"name": "none"},
        **changes,
    }
    return ExperimentConfig.model_validate(content)


CNN3 = {
    "recognizer": {"name": "cnn3", "params": {"widths": [2, 2, 2], "dense": 4}},
    "training": {"epochs": 3, "batch_size": 35, "warmup_epochs": 0},
}


class Killed(BaseException):
    """Stands for a kill."""


def test_run_writes_all_that_a_report_needs(tmp_path: Path) -> None:
    result = experiment.run(config(), reports=tmp_path)
    directory = tmp_path / "try" / "synthetic" / "seed0"
    assert read_result(directory / "result.json") == result
    assert {path.name for path in directory.iterdir()} == {
        *("config.yaml", "confusion.png", "model", "predictions.npz", "reliability.png", "result.json")
    }
    assert result.test is not None and result.test.n == 35
    assert result.dataset.is_synthetic and result.dataset.name == "synthetic"
    assert [latency.batch_size for latency in result.cost.latency] == [1, 32]
    assert result.environment.libraries["numpy"] == np.__version__
    assert load(directory).name == "prior"


def test_a_network_is_counted_and_nothing_else_is(tmp_path: Path) -> None:
    assert experiment.run(config(), reports=tmp_path).cost.multiply_adds is None
    cost = experiment.run(config(name="network", **CNN3), reports=tmp_path, validation_only=True).cost
    assert cost.multiply_adds and cost.receptive_field and cost.multiply_adds > cost.n_parameters


@pytest.mark.parametrize("is_nested", [False, True])
def test_an_ensemble_of_a_member_that_was_trained_anew_is_fitted_anew(tmp_path: Path, is_nested: bool) -> None:
    experiment.run(config(name="member"), reports=tmp_path)
    member = tmp_path / "member/synthetic/seed0"
    members = [str(member)]
    if is_nested:
        members = [{"name": "ensemble", "params": {"members": members}}]
    asked = config(recognizer={"name": "ensemble", "params": {"members": members}})
    first = experiment.run(asked, reports=tmp_path, validation_only=True)
    assert experiment.run(asked, reports=tmp_path, validation_only=True) == first
    Prior().fit(np.zeros((3, 48, 48), np.uint8), np.array([0, 0, 1])).save(member / "model")
    again = experiment.run(asked, reports=tmp_path, validation_only=True)
    assert again.config_hash != first.config_hash
    inner = load(tmp_path / "try/synthetic/seed0").members_[0]
    inner = inner.members_[0] if is_nested else inner
    face = np.zeros((1, 48, 48), np.uint8)
    assert np.array_equal(inner.predict_proba(face), load(member).predict_proba(face))


def test_a_member_that_is_not_there_is_refused_before_anything_is_fitted(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        experiment.run(config(recognizer={"name": "ensemble", "params": {"members": ["nowhere"]}}), reports=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_student_is_fitted_to_its_teacher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learnt = []
    fit = Prior.fit
    monkeypatch.setattr(Prior, "fit", lambda self, *a, **more: learnt.append(more["targets"]) or fit(self, *a, **more))
    experiment.run(config(name="teacher"), reports=tmp_path)
    teacher = tmp_path / "teacher" / "synthetic" / "seed0"
    section = {"teacher": str(teacher), "temperature": 1.0, "weight": 0.25}
    student = experiment.run(config(distill=section), reports=tmp_path)
    assert learnt[0] is None
    assert np.allclose(learnt[1].max(axis=1), 0.75 + 0.25 / 7, atol=1e-3)
    assert student.config.distill is not None and student.config.distill.weight == 0.25
    assert student.config_hash != experiment.run(config(name="alone"), reports=tmp_path).config_hash


def test_a_teacher_of_other_classes_is_refused(tmp_path: Path) -> None:
    Prior().fit(np.zeros((2, 48, 48), np.uint8), np.arange(2), classes=("yes", "no")).save(tmp_path / "teacher")
    with pytest.raises(ConfigError, match=r"distill\.teacher .* tells yes, no apart"):
        experiment.run(config(distill={"teacher": str(tmp_path / "teacher")}), reports=tmp_path)
    assert not (tmp_path / "try").exists()


def test_predictions_let_every_score_be_computed_again(tmp_path: Path) -> None:
    result = experiment.run(config(), reports=tmp_path)
    with np.load(tmp_path / "try/synthetic/seed0/predictions.npz", allow_pickle=False) as stored:
        assert tuple(stored["classes"]) == result.dataset.classes
        for split, scores in (("validation", result.validation), ("test", result.test)):
            right = stored[f"{split}_probabilities"].argmax(axis=1) == stored[f"{split}_labels"]
            assert right.mean() == pytest.approx(scores.accuracy)
            assert len(stored[f"{split}_index"]) == len(stored[f"{split}_groups"]) == scores.n


def test_every_test_scoring_is_in_the_ledger(tmp_path: Path) -> None:
    result = experiment.run(config(), reports=tmp_path)
    again = experiment.run(config(), reports=tmp_path, force=True)
    lines = read_ledger(tmp_path)
    assert [line["config_hash"] for line in lines] == [result.config_hash] * 2
    assert lines[0]["accuracy"] == result.test.accuracy
    assert (result.protocol.test_scorings, again.protocol.test_scorings) == (1, 2)


def test_scoring_is_in_the_ledger_although_the_run_is_abandoned(tmp_path: Path, monkeypatch) -> None:
    def fail(*arguments, **keywords):
        raise OSError("disk full")

    monkeypatch.setattr("ferbench.experiment.fitting.write_predictions", fail)
    with pytest.raises(OSError, match="disk full"):
        experiment.run(config(), reports=tmp_path)
    assert len(read_ledger(tmp_path)) == 1


def test_unwritable_ledger_gives_no_score(tmp_path: Path) -> None:
    (tmp_path / "test_ledger.jsonl").mkdir()
    with pytest.raises(DataError, match="the test split is not scored"):
        experiment.run(config(), reports=tmp_path)
    assert not (tmp_path / "try/synthetic/seed0/result.json").exists()


def test_finished_configuration_is_reused(tmp_path: Path, monkeypatch) -> None:
    first = experiment.run(config(), reports=tmp_path)
    notices: list[str] = []
    monkeypatch.setattr(Prior, "_fit", None)
    assert experiment.run(config(), reports=tmp_path, notice=notices.append) == first
    assert "--force" in notices[0]
    assert len(read_ledger(tmp_path)) == 1


def test_result_without_its_model_came_from_elsewhere_and_is_not_reused(tmp_path: Path) -> None:
    experiment.run(config(), reports=tmp_path)
    shutil.rmtree(tmp_path / "try/synthetic/seed0/model")
    experiment.run(config(), reports=tmp_path)
    assert len(read_ledger(tmp_path)) == 2


def killed_while_timing(asked: ExperimentConfig, reports: Path) -> None:
    def kill(stage: str, done: int, total: int) -> None:
        if stage.startswith("timing"):
            raise Killed

    with pytest.raises(Killed):
        experiment.run(asked, reports=reports, validation_only=True, on_progress=kill)


@pytest.mark.parametrize("is_old", [False, True])
def test_result_beside_the_model_of_a_killed_run_is_not_reused(tmp_path: Path, is_old: bool) -> None:
    experiment.run(config(**CNN3), reports=tmp_path, validation_only=True)
    path = tmp_path / "try/synthetic/seed0/result.json"
    if is_old:
        path.write_text(json.dumps({**json.loads(path.read_text()), "recognizer_sha256": None}))
    killed_while_timing(config(**{**CNN3, "training": {**CNN3["training"], "epochs": 1}}), tmp_path)
    result = experiment.run(config(**CNN3), reports=tmp_path)
    recognizer = load(path.parent)
    assert recognizer.params() == result.recognizer.params and len(result.curve) == 3
    dataset = registry.create("datasets", "synthetic", DATA)
    right = recognizer.predict(dataset.test.images).label_ids == dataset.test.labels
    assert right.mean() == pytest.approx(result.test.accuracy)


def test_result_of_an_older_version_is_reused(tmp_path: Path) -> None:
    experiment.run(config(), reports=tmp_path, validation_only=True)
    path = tmp_path / "try/synthetic/seed0/result.json"
    content = json.loads(path.read_text())
    assert content.pop("recognizer_sha256")
    path.write_text(json.dumps(content))
    notices: list[str] = []
    assert experiment.run(config(), reports=tmp_path, notice=notices.append).test is not None
    assert "its saved model is scored" in notices[0]


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({"classes": "fer6"}, {"validation_only": True}, "another configuration's"),
        ({}, {"validation_only": True, "force": True}, "scored on the test split"),
    ],
)
def test_replacing_an_earlier_result_is_said(tmp_path: Path, changes, options, message: str) -> None:
    experiment.run(config(), reports=tmp_path)
    notices: list[str] = []
    experiment.run(config(**changes), reports=tmp_path, notice=notices.append, **options)
    assert any(message in said and "--set name=" in said for said in notices)


def test_other_configuration_is_not_reused(tmp_path: Path) -> None:
    first = experiment.run(config(), reports=tmp_path)
    second = experiment.run(config(classes="fer6"), reports=tmp_path)
    assert second.config_hash != first.config_hash
    assert "disgust" not in second.dataset.classes


def test_validation_only_leaves_the_test_split_alone_and_can_be_finished_later(tmp_path: Path, monkeypatch) -> None:
    first = experiment.run(config(**CNN3), reports=tmp_path, validation_only=True)
    assert first.test is None and first.clean_test is None and read_ledger(tmp_path) == []
    with np.load(tmp_path / "try/synthetic/seed0/predictions.npz") as stored:
        assert "test_labels" not in stored
    monkeypatch.setattr("ferbench.recognizers.deep.keras_recognizer.train", None)
    finished = experiment.run(config(**CNN3), reports=tmp_path)
    assert finished.test is not None and finished.validation == first.validation
    assert len(read_ledger(tmp_path)) == 1
    with np.load(tmp_path / "try/synthetic/seed0/predictions.npz") as stored:
        assert stored["test_probabilities"].shape == (35, 7)


class Spy(Prior):
    """Remembers what it was fitted on."""

    seen: tuple = ()

    def _fit(self, images, labels, *, validation, **keywords) -> None:
        Spy.seen = (np.array(images), np.array(validation[0]))
        super()._fit(images, labels, validation=validation, **keywords)


def test_fitting_sees_training_and_validation_faces_and_no_others(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(registry, "_added", {"recognizers": {"spy": Spy}})
    monkeypatch.setattr(Spy, "name", "spy")
    experiment.run(config(recognizer={"name": "spy"}), reports=tmp_path)
    dataset = registry.create("datasets", "synthetic", DATA)
    assert np.array_equal(Spy.seen[0], dataset.train.images)
    assert np.array_equal(Spy.seen[1], dataset.validation.images)


FALLBACK = {"name": "fer2013", "fallback": {"name": "synthetic", "params": DATA, "training": {"epochs": 1}}}


def test_fallback_is_loud_and_every_record_says_synthetic(tmp_path: Path) -> None:
    notices: list[str] = []
    result = experiment.run(config(dataset=FALLBACK, **CNN3), reports=tmp_path, notice=notices.append)
    assert "FER2013 IS NOT HERE" in notices[0] and "data prepare fer2013" in notices[0]
    assert result.config.dataset.name == result.dataset.name == "synthetic"
    assert result.config.training.epochs == 1 and len(result.curve) == 1
    assert (tmp_path / "try" / "synthetic").is_dir() and not (tmp_path / "try" / "fer2013").exists()
    assert read_ledger(tmp_path)[0]["dataset"] == "synthetic"


def test_without_a_fallback_the_missing_dataset_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissingError, match="data prepare fer2013"):
        experiment.run(config(dataset={"name": "fer2013"}), reports=tmp_path)


def kill_after_first(epoch: int, values) -> None:
    raise Killed


def test_killed_run_keeps_its_checkpoint_and_resumes(tmp_path: Path) -> None:
    from ferbench.data.dataset import data_home

    with pytest.raises(Killed):
        experiment.run(config(**CNN3), reports=tmp_path, on_epoch=kill_after_first)
    assert list((data_home() / "checkpoints").rglob("training.npz"))
    stages: list[str] = []
    result = experiment.run(
        config(**CNN3), reports=tmp_path, resume=True, on_progress=lambda stage, done, total: stages.append(stage)
    )
    assert "epoch 1 of 3" not in stages and len(result.curve) == 3 and result.protocol.resumed
    assert not list((data_home() / "checkpoints").rglob("training.npz"))


def test_without_resume_a_checkpoint_is_discarded_and_said(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        experiment.run(config(**CNN3), reports=tmp_path, on_epoch=kill_after_first)
    notices: list[str] = []
    result = experiment.run(config(**CNN3), reports=tmp_path, notice=notices.append)
    assert "--resume" in notices[0] and not result.protocol.resumed


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recognizer": {"name": "cnn8"}}, "Did you mean"),
        ({"recognizer": {"name": "cnn3", "params": {"depth": 3}}}, "unknown key 'depth'"),
        ({"recognizer": {"name": "cnn3", "params": {"seed": 3}}}, "top level"),
        ({"training": {"epochs": 1}}, "takes no 'training' section"),
        ({"classes": "fer5"}, "fer6"),
        ({"dataset": {"name": "synthetic", "params": {"n_trian": 3}}}, "Did you mean 'n_train'"),
    ],
)
def test_what_cannot_run_is_refused_before_anything_is_fitted(tmp_path: Path, changes, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        experiment.run(config(**changes), reports=tmp_path)
    assert not list(tmp_path.iterdir())


def test_output_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "try").write_text("a file where a folder is wanted")
    with pytest.raises(DataError, match="--reports"):
        experiment.run(config(), reports=tmp_path)


def test_damaged_result_is_not_reused(tmp_path: Path) -> None:
    experiment.run(config(), reports=tmp_path)
    path = tmp_path / "try/synthetic/seed0/result.json"
    path.write_text(path.read_text()[:500])
    assert experiment.run(config(), reports=tmp_path).test is not None


def test_evaluate_scores_validation_and_leaves_the_ledger_alone(tmp_path: Path, monkeypatch) -> None:
    result = experiment.run(config(), reports=tmp_path)
    directory = tmp_path / "try/synthetic/seed0"
    scores = experiment.evaluate(directory, "synthetic", reports=tmp_path).scores
    assert scores.n == 350 and scores.accuracy == pytest.approx(1 / 7)
    assert len(read_ledger(tmp_path)) == 1
    experiment.evaluate(directory, "synthetic", split="test", reports=tmp_path)
    assert read_ledger(tmp_path)[1]["reason"] == "evaluate"
    assert read_ledger(tmp_path)[1]["config_hash"] != result.config_hash


def test_result_json_is_plain_json_without_machine_paths(tmp_path: Path) -> None:
    experiment.run(config(), reports=tmp_path)
    text = (tmp_path / "try/synthetic/seed0/result.json").read_text()
    assert str(tmp_path) not in text
    assert json.loads(text)["schema_version"] == 1


def test_temperature_is_fitted_saved_and_told(tmp_path: Path) -> None:
    plain = experiment.run(config(), reports=tmp_path)
    asked = config().model_copy(update={"name": "scaled", "calibration": "temperature"})
    scaled = experiment.run(asked, reports=tmp_path)
    assert scaled.protocol.choices["temperature"] > 0 and "temperature" not in plain.protocol.choices
    assert scaled.config.calibration == "temperature" and scaled.config_hash != plain.config_hash
    loaded = load(tmp_path / "scaled/synthetic/seed0")
    assert loaded.temperature_ == pytest.approx(scaled.protocol.choices["temperature"], abs=1e-4)
    assert scaled.validation.log_loss <= plain.validation.log_loss + 1e-6


def test_configurations_without_calibration_keep_their_key() -> None:
    asked = config()
    assert "calibration" not in flat_params(asked)
    scaled = asked.model_copy(update={"calibration": "temperature"})
    assert asked.result_key("f", "0") != scaled.result_key("f", "0")
    assert flat_params(scaled)["recognizer.calibration"] == "temperature"
