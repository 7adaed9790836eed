"""The `engine` section of an experiment: what is scored, what is written, what is refused before anything is fitted."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import pytest

import ferbench
from ferbench import experiment, registry
from ferbench.cards import publish
from ferbench.config import EngineSettings, ExperimentConfig
from ferbench.engines.gate import read_verdict
from ferbench.errors import ConfigError, DataError, MissingLibraryError, UnknownNameError
from ferbench.report.flat import cost_params, flat_metrics, flat_params
from ferbench.results import RunResult, read_result

if not registry.get("engines", "litert").is_installed():
    pytest.skip("litert is not installed", allow_module_level=True)


def config(**changes: object) -> ExperimentConfig:
    content = {
        "name": "tiny",
        "dataset": {"name": "synthetic", "params": {"n_train": 42, "n_validation": 21, "n_test": 21}},
        "recognizer": {"name": "cnn3", "params": {"widths": [2, 2, 2], "dense": 4}},
        "training": {"epochs": 1, "batch_size": 42, "warmup_epochs": 0},
        "timing": {"batch_sizes": [1], "warmup": 1, "min_seconds": 0, "min_queries": 3},
        "tracking": {"name": "none"},
        "engine": {"name": "litert", "precision": "int8_dynamic", "threads": 2},
        **changes,
    }
    return ExperimentConfig.model_validate(content)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def result(reports: Path) -> RunResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERBENCH_DATA", str(reports / "data"))
        return experiment.run(config(), reports=reports)


def test_the_result_tells_engine_precision_threads_and_verdict(result: RunResult, reports: Path) -> None:
    folder = reports / "tiny/synthetic/seed0"
    gate = read_result(folder / "result.json").gate
    assert gate is not None and gate == read_verdict(folder / "engine")
    assert (gate.engine, gate.precision, gate.threads, gate.n) == ("litert", "int8_dynamic", 2, 21)
    assert result.validation.accuracy == gate.exported.accuracy
    assert result.recognizer.name == "cnn3"
    files = (folder / "engine").iterdir()
    assert result.cost.size_bytes == sum(path.stat().st_size for path in files)


def test_both_forms_load(result: RunResult, reports: Path) -> None:
    folder = reports / "tiny/synthetic/seed0"
    assert ferbench.load(folder).name == "cnn3"
    assert ferbench.load(folder / "engine").display_name == "cnn3 litert int8_dynamic"


def test_tracking_is_told_too(result: RunResult) -> None:
    params, metrics = cost_params(result), flat_metrics(result)
    assert (params["runs_on.name"], params["runs_on.precision"], params["runs_on.threads"]) == (
        *("litert", "int8_dynamic", "2"),
    )
    assert metrics["gate.passed"] == float(result.gate.passed) and 0 <= metrics["gate.agreement"] <= 1


def test_tracking_is_told_what_answered_and_not_what_was_asked_for(result: RunResult) -> None:
    asked = {"config": result.config.model_copy(update={"engine": EngineSettings(name="auto", threads=4)})}
    chosen, own = result.model_copy(update=asked), result.model_copy(update={**asked, "gate": None})
    assert cost_params(chosen)["runs_on.name"] == "litert" and cost_params(chosen)["runs_on.threads"] == "2"
    assert not [name for name in flat_params(own.config) | cost_params(own) if name.startswith("runs_on")]


def test_a_run_scored_through_an_engine_is_published_from_its_folder(
    result: RunResult, reports: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"scored through litert: publish .*engine\."):
        publish(reports / "tiny/synthetic/seed0", tmp_path / "out")


def test_a_result_without_the_section_keeps_its_key() -> None:
    assert config(engine=None).result_key("data", "1") == ExperimentConfig.model_validate(
        config().model_dump(exclude={"engine"})
    ).result_key("data", "1")
    assert config().result_key("data", "1") != config(engine=None).result_key("data", "1")


@pytest.mark.parametrize(
    ("engine", "sentences"),
    [
        ({"name": "keras"}, []),
        ({"name": "auto"}, []),
        (
            {"name": "auto", "threads": 2},
            ["prior is no Keras network and answers as it is, not with the 2 threads named."],
        ),
    ],
)
def test_what_is_no_network_answers_as_it_is(engine: dict, sentences: list[str], tmp_path: Path) -> None:
    changes = {"recognizer": {"name": "prior"}, "training": None, "engine": engine}
    said: list[str] = []
    done = experiment.run(config(**changes), reports=tmp_path, validation_only=True, notice=said.append)
    assert done.gate is None and not (tmp_path / "tiny/synthetic/seed0/engine").exists()
    assert said == sentences


@pytest.mark.parametrize(
    ("engine", "ending"),
    [
        ({"name": "litert"}, "in Keras."),
        (
            {"name": "auto", "threads": 2},
            "in Keras, with the threads that TensorFlow started with, not the 2 named.",
        ),
    ],
)
def test_an_engine_that_fails_after_the_fit_loses_nothing(
    engine: dict, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(cls: type, *arguments: object) -> None:
        raise RuntimeError("no kernel for op Erf")

    for name in registry.names("engines"):
        monkeypatch.setattr(registry.get("engines", name), "convert", classmethod(fail))
    said: list[str] = []
    changes = {"engine": engine}
    done = experiment.run(config(**changes), reports=tmp_path, validation_only=True, notice=said.append)
    assert done.gate is None and (tmp_path / "tiny/synthetic/seed0/result.json").is_file()
    assert any("'litert' is passed over: cnn3 cannot be converted" in text for text in said)
    assert said[-1] == f"No engine answers for cnn3: the scores are its own, {ending}"


def test_a_converter_that_is_missing_is_told_before_the_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not registry.get("engines", "onnxruntime").is_installed():
        pytest.skip("onnxruntime is not installed")
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(MissingLibraryError, match="needs tf2onnx"):
        experiment.run(config(engine={"name": "onnxruntime"}), reports=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_backend_that_cannot_be_converted_from_is_told_before_the_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ConfigError, match="Keras runs on jax"):
        experiment.run(config(engine={"name": "litert"}), reports=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"engine": {"name": "keras", "precision": "int8"}},
            ConfigError,
            "Keras answers in float32, got precision int8",
        ),
        (
            {"engine": {"name": "keras", "threads": 2}},
            ConfigError,
            r"got threads: 2: remove it and set TF_NUM_INTRAOP_THREADS=2 before the run, or name an engine\.$",
        ),
        ({"engine": {"name": "litret"}}, UnknownNameError, "Did you mean 'litert'"),
        (
            {"engine": {"name": "litert"}, "recognizer": {"name": "prior"}, "training": None},
            ConfigError,
            "prior is no Keras network",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_the_fit(
    changes: dict, error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        experiment.run(config(**changes), reports=tmp_path)
    assert not list(tmp_path.iterdir())
