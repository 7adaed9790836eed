"""MLflow tracking: what is kept, and what becomes of runs that fail. One migrated SQLite store serves all tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from ferbench.config import Component, DatasetComponent, ExperimentConfig
from ferbench.data.dataset import Dataset
from ferbench.environment import Environment
from ferbench.errors import ConfigError, RunFailedError
from ferbench.evaluation import Origin
from ferbench.metrics import score
from ferbench.recognizers.prior import Prior
from ferbench.report.flat import calibration_metrics, cost_params, flat_metrics, flat_params, robustness_metrics
from ferbench.results import Cost, Protocol, RecognizerCard, RunResult, now, write_predictions, write_result
from ferbench.robustness import CorruptedRun, RobustnessResult
from ferbench.statistics.intervals import Interval
from ferbench.timing import Latency
from ferbench.tracking.mlflow_runs import MlflowTracker, keep_robustness
from ferbench.tracking.mlflow_store import connect, newest_experiment, tracking_uri
from ferbench.tracking.trackers import NullTracker

TAGS = {"family": "baseline", "commit": "0123abc", "protocol": "test once"}


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    event.listen(Engine, "connect", do_not_wait_for_the_disk)
    connect(f"sqlite:///{path}")
    yield path
    event.remove(Engine, "connect", do_not_wait_for_the_disk)


def do_not_wait_for_the_disk(connection: Any, record: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture
def uri(migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    import mlflow

    before = mlflow.get_tracking_uri()
    monkeypatch.chdir(tmp_path)
    shutil.copy(migrated, tmp_path / "mlflow.db")
    yield f"sqlite:///{tmp_path / 'mlflow.db'}"
    mlflow.set_tracking_uri(before)


@pytest.fixture(scope="session")
def prior(tiny: Dataset) -> Prior:
    return Prior().fit(tiny.train.images, tiny.train.labels)


@pytest.fixture
def result(tiny: Dataset, prior: Prior) -> RunResult:
    scores = score(tiny.validation.labels, prior.predict_proba(tiny.validation.images), prior.classes)
    info = prior.info()
    one = Latency(batch_size=1, n=50, p50_ms=0.25, p90_ms=0.3, p95_ms=0.5, p99_ms=None, images_per_second=4000.0)
    return RunResult(
        config=ExperimentConfig(
            name="prior.small",
            seed=3,
            dataset=DatasetComponent(name="synthetic", params={"n_train": 42}),
            recognizer=Component(name="prior"),
        ),
        config_hash="0" * 16,
        dataset=tiny.card(),
        protocol=Protocol(choices={}, test_scorings=1, resumed=False),
        recognizer=RecognizerCard(
            name=info.name, family=info.family, classes=info.classes, image_size=info.image_size, params=info.params
        ),
        validation=scores,
        test=scores,
        clean_test=scores,
        cost=Cost(
            n_parameters=7,
            size_bytes=1234,
            fit_seconds=0.5,
            fit_cpu_seconds=0.5,
            peak_memory_bytes=2_000_000,
            n_cores=1,
            latency=(one, one.model_copy(update={"batch_size": 32, "p50_ms": 1.5})),
        ),
        curve=(),
        environment=Environment.capture(),
        created_at=now(),
        recognizer_sha256="a" * 64,
    )


@pytest.fixture
def directory(tmp_path: Path, result: RunResult, prior: Prior, tiny: Dataset) -> Path:
    folder = tmp_path / "seed3"
    folder.mkdir()
    write_result(result, folder)
    said = {
        name: (split, prior.predict_proba(split.images))
        for name, split in (("validation", tiny.validation), ("test", tiny.test))
    }
    write_predictions(folder / "predictions.npz", prior.classes, said)
    for name in ("confusion.png", "reliability.png", "curve.png"):
        (folder / name).write_bytes(b"drawn")
    prior.save(folder / "model")
    return folder


def only_run(uri: str) -> Any:
    client = connect(uri)
    (run,) = client.search_runs([newest_experiment(client)])
    return run


def test_run_when_finished_has_params_metrics_tags_and_artifacts(
    uri: str, result: RunResult, directory: Path, tmp_path: Path
) -> None:
    with MlflowTracker(uri=uri, model=False).open(result.config, TAGS) as tracked:
        tracked.log(result, directory)

    run = only_run(uri)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "prior.small seed3")
    params = flat_params(result.config) | cost_params(result)
    assert run.data.params == {key: str(value) for key, value in params.items()}
    metrics = flat_metrics(result) | calibration_metrics(directory / "predictions.npz")
    assert run.data.metrics == pytest.approx(metrics)
    assert {"accuracy_low", "test.accuracy_high", "test.brier", "test.log_loss"} <= metrics.keys()
    assert TAGS.items() <= run.data.tags.items()
    assert run.data.tags["dataset"] == "synthetic"
    artifacts = {artifact.path for artifact in connect(uri).list_artifacts(run.info.run_id)}
    assert artifacts >= {
        "config.yaml",
        "result.json",
        "predictions.npz",
        "confusion.png",
        "reliability.png",
        "curve.png",
    }
    assert run.inputs.dataset_inputs[0].dataset.digest == result.dataset.fingerprint[:12]


def test_curve_when_logged_has_a_step_an_epoch(uri: str, result: RunResult) -> None:
    with MlflowTracker(uri=uri).open(result.config, TAGS) as tracked:
        tracked.on_epoch(1, {"loss": 2.0, "validation_accuracy": 0.2})
        tracked.on_epoch(2, {"loss": 1.0, "validation_accuracy": 0.4})

    history = connect(uri).get_metric_history(only_run(uri).info.run_id, "curve.validation_accuracy")
    assert [(point.step, point.value) for point in history] == [(1, 0.2), (2, 0.4)]


def test_curve_when_the_store_is_away_for_an_epoch_is_sent_later(
    uri: str, result: RunResult, directory: Path, tmp_path: Path
) -> None:
    with MlflowTracker(uri=uri, model=False).open(result.config, TAGS) as tracked:
        run_id = tracked.run_id  # type: ignore[attr-defined]
        failing = tracked.client.log_batch  # type: ignore[attr-defined]
        tracked.client.log_batch = lambda *_, **__: (_ for _ in ()).throw(OSError("gone"))  # type: ignore[attr-defined]
        tracked.on_epoch(1, {"loss": 2.0})
        tracked.client.log_batch = failing  # type: ignore[attr-defined]
        tracked.on_epoch(2, {"loss": 1.0})
    history = connect(uri).get_metric_history(run_id, "curve.loss")
    assert [point.step for point in history] == [1, 2]


def test_log_when_the_store_fails_says_where_the_result_is(uri: str, result: RunResult, directory: Path) -> None:
    with (
        pytest.raises(RunFailedError, match=rf"Nothing is lost.*{directory}"),
        MlflowTracker(uri=uri).open(result.config, TAGS) as tracked,
    ):
        tracked.run_id = "missing"  # type: ignore[attr-defined]
        tracked.log(result, directory)
    assert only_run(uri).info.status == "FAILED"


@pytest.mark.parametrize(
    ("error", "status"), [(ValueError, "FAILED"), (SystemExit, "FAILED"), (KeyboardInterrupt, "KILLED")]
)
def test_run_when_left_by_an_exception_is_marked(
    uri: str, result: RunResult, error: type[BaseException], status: str
) -> None:
    with pytest.raises(error), MlflowTracker(uri=uri).open(result.config, TAGS):
        raise error
    assert only_run(uri).info.status == status


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_run_when_its_process_is_dead_is_swept_by_the_next(uri: str, result: RunResult) -> None:
    tracker = MlflowTracker(uri=uri)
    with tracker.open(result.config, TAGS):
        client = connect(uri)
        abandoned = only_run(uri)
        (machine, _, _) = abandoned.data.tags["ferbench.process"].partition(":")
        client.set_tag(abandoned.info.run_id, "ferbench.process", f"{machine}:{dead_process()}")
        with tracker.open(result.config, TAGS):
            assert client.get_run(abandoned.info.run_id).info.status == "FAILED"


def test_run_when_its_process_lives_or_is_elsewhere_is_left_alone(uri: str, result: RunResult) -> None:
    tracker = MlflowTracker(uri=uri)
    with tracker.open(result.config, TAGS):
        client = connect(uri)
        living = only_run(uri)
        with tracker.open(result.config, TAGS) as elsewhere:
            client.set_tag(elsewhere.run_id, "ferbench.process", f"other:{dead_process()}")  # type: ignore[attr-defined]
            with tracker.open(result.config, TAGS):
                assert client.get_run(living.info.run_id).info.status == "RUNNING"
                assert client.get_run(elsewhere.run_id).info.status == "RUNNING"  # type: ignore[attr-defined]


def dead_process() -> int:
    pid = os.posix_spawn("/bin/true", ["/bin/true"], {})
    os.waitpid(pid, 0)
    return pid


def test_model_when_loaded_by_mlflow_predicts_on_images(
    uri: str, result: RunResult, directory: Path, tiny: Dataset, prior: Prior
) -> None:
    import mlflow

    with MlflowTracker(uri=uri).open(result.config, TAGS) as tracked:
        tracked.log(result, directory)

    run = only_run(uri)
    assert run.info.status == "FINISHED"
    (model,) = connect(uri).search_logged_models([run.info.experiment_id])
    assert (model.name, model.source_run_id) == ("prior_small", run.info.run_id)
    loaded = mlflow.pyfunc.load_model(model.model_uri)
    table = loaded.predict(tiny.test.images)
    assert tuple(table.columns) == prior.classes
    np.testing.assert_array_equal(table.to_numpy(), prior.predict_proba(tiny.test.images))


def test_model_when_logged_holds_no_pickle(uri: str, result: RunResult, directory: Path, tmp_path: Path) -> None:
    with MlflowTracker(uri=uri).open(result.config, TAGS) as tracked:
        tracked.log(result, directory)

    files = [path for path in (tmp_path / "mlruns").rglob("*") if path.is_file()]
    assert "recognizer.json" in {path.name for path in files}
    assert not [path for path in files if path.suffix in {".pkl", ".pickle", ".joblib"}]
    assert "cloudpickle" not in next(path for path in files if path.name == "MLmodel").read_text()


def test_uri_when_given_wins_over_the_environment_and_that_over_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tracking_uri() == "sqlite:///mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///environment.db")
    assert tracking_uri() == "sqlite:///environment.db"
    assert tracking_uri("sqlite:///yaml.db") == "sqlite:///yaml.db"


def test_run_when_only_the_environment_names_a_store_goes_there(
    uri: str, result: RunResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with MlflowTracker().open(result.config, TAGS):
        pass
    assert only_run(uri).info.status == "FINISHED"


def test_connect_when_the_store_cannot_be_opened_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("no database")
    with pytest.raises(ConfigError, match=r"cannot be opened .* set tracking\.params\.uri or MLFLOW_TRACKING_URI"):
        connect(f"sqlite:///{tmp_path / 'mlflow.db'}")


def test_run_when_the_mlflow_experiment_was_deleted_says_how_to_restore_it(uri: str, result: RunResult) -> None:
    client = connect(uri)
    client.delete_experiment(client.create_experiment("gone"))
    with (
        pytest.raises(ConfigError, match="'gone' was deleted: restore it"),
        MlflowTracker(uri=uri, experiment="gone").open(result.config, TAGS),
    ):
        pass


def test_compare_opens_on_experiment_latency_size_and_accuracy(result: RunResult) -> None:
    """MLflow 3 takes the three alphabetically first parameters that differ, and the first metric that all share."""
    one = flat_params(result.config) | cost_params(result)
    config = result.config.model_copy(
        update={"name": "cnn9", "recognizer": Component(name="cnn9", params={"dropout": 0.5, "blocks": [1, 2]})}
    )
    other = flat_params(config) | {"latency_ms": "9.250", "model_kb": "99.0", "training.epochs": "9"}
    differing = sorted(key for key in one | other if one.get(key) != other.get(key))
    assert differing[:3] == ["experiment", "latency_ms", "model_kb"]
    metrics = flat_metrics(result)
    assert next(iter(metrics)) == min(metrics) == "accuracy"


def test_metrics_when_test_was_not_scored_have_none_of_it(result: RunResult) -> None:
    metrics = flat_metrics(result.model_copy(update={"test": None, "clean_test": None}))
    assert not [name for name in metrics if name.startswith("test")]
    assert metrics["size_kb"] == 1.234
    assert (metrics["p50_ms"], metrics["p50_ms_batch32"], metrics["p90_ms"]) == (0.25, 1.5, 0.3)
    assert "p99_ms" not in metrics and "p10_ms" not in metrics, "too few calls, and an old record"


def test_newest_experiment_when_nothing_was_run_is_none(uri: str) -> None:
    assert newest_experiment(connect(uri)) is None


def test_null_tracker_keeps_nothing(result: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with NullTracker().open(result.config, TAGS) as tracked:
        tracked.on_epoch(1, {"loss": 1.0})
        tracked.log(result, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_calibration_is_of_the_temperature_that_validation_has(result: RunResult, directory: Path) -> None:
    found = calibration_metrics(directory / "predictions.npz")
    names = {"calibration_error_mass", "calibration_error_scaled", "log_loss_scaled"}
    assert found.keys() == {"temperature", *names, *(f"test.{name}" for name in names)}
    assert found["log_loss_scaled"] <= result.validation.log_loss


def test_calibration_when_test_was_not_scored_has_none_of_it(
    directory: Path, tiny: Dataset, prior: Prior, tmp_path: Path
) -> None:
    said = {"validation": (tiny.validation, prior.predict_proba(tiny.validation.images))}
    write_predictions(tmp_path / "some.npz", prior.classes, said)
    assert not [name for name in calibration_metrics(tmp_path / "some.npz") if name.startswith("test")]


@pytest.fixture
def corrupted(result: RunResult) -> RobustnessResult:
    """On other faces than `prior.small` was fitted on, beside a recognizer that no run is known of."""
    fitted_on = result.dataset.name
    known = Origin(experiment="prior.small", seed=3, weights="0", fitted_on=fitted_on, recognizer_sha256="a" * 64)
    shipped = Origin(experiment="cnn9", seed=0, weights="1", fitted_on=fitted_on, recognizer_sha256="b" * 64)
    share = Interval(0.5, 0.4, 0.6)
    figures = {
        "family": "deep",
        "accuracy": share,
        "mean_corrupted": share,
        "relative_drop": Interval(0.0, -0.1, 0.1),
        "by_severity": (share,),
        "corrupted": {"jpeg": (share,)},
    }
    return RobustnessResult(
        dataset="fer2013",
        classes=result.dataset.classes,
        fingerprint="f",
        is_synthetic=False,
        n_faces=10,
        n_groups=10,
        n_split=10,
        seed=0,
        strengths={"jpeg": (10.0,)},
        pixels_sha256="0",
        runs=tuple(CorruptedRun(recognizer=one, **figures) for one in (known, shipped)),
        environment=result.environment,
        created_at=now(),
    )


def test_robustness_goes_to_the_run_of_the_recognizer(
    uri: str, result: RunResult, directory: Path, corrupted: RobustnessResult, tmp_path: Path
) -> None:
    (tmp_path / "fer2013.json").write_text("{}")
    tracker = MlflowTracker(uri=uri, model=False)
    ids = []
    for _ in range(2):
        with tracker.open(result.config, TAGS) as tracked:
            tracked.log(result, directory)
            ids.append(tracked.run_id)
    own = keep_robustness(corrupted, tracker, [tmp_path / "fer2013.json"])

    client = connect(uri)
    older, newer = (client.get_run(run_id) for run_id in ids)
    metrics = robustness_metrics(corrupted, corrupted.runs[0])
    assert metrics.keys() >= {"robustness.fer2013.mean_corrupted_low", "robustness.fer2013.corruption.jpeg"}
    assert newer.data.metrics.items() >= metrics.items() and newer.info.status == "FINISHED"
    assert newer.data.metrics["accuracy"] == pytest.approx(result.validation.accuracy)
    assert not metrics.keys() & older.data.metrics.keys()
    assert [file.path for file in client.list_artifacts(newer.info.run_id, "robustness")] == ["robustness/fer2013.json"]
    assert own == ["cnn9 seed0"]
    experiment = client.get_experiment(newer.info.experiment_id)
    (alone,) = [run for run in client.search_runs([experiment.experiment_id]) if run.info.run_id not in ids]
    assert (experiment.name, alone.info.run_name, alone.info.status) == ("synthetic", "cnn9 seed0", "FINISHED")
    assert alone.data.metrics == pytest.approx(robustness_metrics(corrupted, corrupted.runs[1]))
    assert alone.data.params == {"classes": "fer7", "dataset": "synthetic", "experiment": "cnn9", "seed": "0"}


def test_robustness_when_measured_again_replaces_what_was_kept(
    uri: str, corrupted: RobustnessResult, tmp_path: Path
) -> None:
    record, tracker = tmp_path / "fer2013.json", MlflowTracker(uri=uri)
    worse = Interval(0.3, 0.2, 0.4)
    again = corrupted.model_copy(
        update={"runs": tuple(run.model_copy(update={"mean_corrupted": worse}) for run in corrupted.runs)}
    )
    owned = []
    for text, found in (("first", corrupted), ("second", again)):
        record.write_text(text)
        owned.append(keep_robustness(found, tracker, [record]))

    client = connect(uri)
    runs = client.search_runs([newest_experiment(client)])
    assert owned == [["prior.small seed3", "cnn9 seed0"], []] and len(runs) == 2
    for run in runs:
        assert run.data.metrics["robustness.fer2013.mean_corrupted"] == 0.3
        local = client.download_artifacts(run.info.run_id, "robustness/fer2013.json", str(tmp_path))
        assert Path(local).read_text() == "second"


def test_robustness_when_a_record_has_no_hash_is_a_run_each_time(
    uri: str, corrupted: RobustnessResult, tmp_path: Path
) -> None:
    origin = corrupted.runs[0].recognizer.model_copy(update={"recognizer_sha256": None})
    older = corrupted.model_copy(update={"runs": (corrupted.runs[0].model_copy(update={"recognizer": origin}),)})
    assert [keep_robustness(older, MlflowTracker(uri=uri), []) for _ in range(2)] == [["prior.small seed3"]] * 2


def test_robustness_when_nothing_is_tracked_is_nobodys(corrupted: RobustnessResult) -> None:
    assert keep_robustness(corrupted, NullTracker(), []) == []
