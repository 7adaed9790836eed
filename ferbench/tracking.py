"""Where runs are compared. MLflow is known in this file and nowhere else; recognizers are not known here at all."""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from ferbench.config import ExperimentConfig
from ferbench.errors import ConfigError
from ferbench.metrics import Scores
from ferbench.results import RunResult

DEFAULT_URI = "sqlite:///mlflow.db"
_PROCESS_TAG = "ferbench.process"


class Tracked(Protocol):
    """A run that is being tracked."""

    def on_epoch(self, epoch: int, values: Mapping[str, float]) -> None:
        """Take in a point of the curve."""

    def log(self, result: RunResult, directory: Path) -> None:
        """Take in the finished result and the folder that holds its files."""


class Tracker(Protocol):
    """Something that keeps runs."""

    def open(self, config: ExperimentConfig, tags: Mapping[str, str]) -> AbstractContextManager[Tracked]:
        """A run of `config`; leaving by an exception marks it failed."""


class NullTracker:
    """Keeps nothing."""

    @contextmanager
    def open(self, config: ExperimentConfig, tags: Mapping[str, str]) -> Iterator[Tracked]:
        """A run that is not kept."""
        yield self

    def on_epoch(self, epoch: int, values: Mapping[str, float]) -> None:
        """Let it pass."""

    def log(self, result: RunResult, directory: Path) -> None:
        """Let it pass."""


class MlflowTracker:
    """Keeps runs in MLflow.

    Args:
        uri: Tracking URI; None: the environment's MLFLOW_TRACKING_URI, or `sqlite:///mlflow.db` in the current folder.
        experiment: Name of the MLflow experiment; None: the dataset's name.
        model: Whether to log the fitted recognizer as a pyfunc model.
    """

    def __init__(self, *, uri: str | None = None, experiment: str | None = None, model: bool = True) -> None:
        self.uri = uri
        self.experiment = experiment
        self.model = model

    @contextmanager
    def open(self, config: ExperimentConfig, tags: Mapping[str, str]) -> Iterator[Tracked]:
        """A run named after the experiment and the seed; runs of dead processes are marked failed first."""
        client = connect(self.uri)
        experiment_id = _experiment(client, self.experiment or config.dataset.name)
        fail_abandoned(client, experiment_id)
        run = client.create_run(
            experiment_id,
            run_name=f"{config.name} seed{config.seed}",
            tags={**_tags(config), **tags, _PROCESS_TAG: f"{_machine()}:{os.getpid()}"},
        )
        tracked = _MlflowRun(client, run.info.run_id, logs_model=self.model)
        tracked.log_params(config)
        try:
            yield tracked
        except KeyboardInterrupt:
            client.set_terminated(run.info.run_id, "KILLED")
            raise
        except BaseException:
            client.set_terminated(run.info.run_id, "FAILED")
            raise
        client.set_terminated(run.info.run_id, "FINISHED")


class _MlflowRun:
    def __init__(self, client: Any, run_id: str, *, logs_model: bool) -> None:
        self.client = client
        self.run_id = run_id
        self.logs_model = logs_model

    def log_params(self, config: ExperimentConfig) -> None:
        from mlflow.entities import Param

        params = [Param(key, str(value)[:500]) for key, value in flat_params(config).items()]
        self.client.log_batch(self.run_id, params=params)

    def on_epoch(self, epoch: int, values: Mapping[str, float]) -> None:
        self._log_metrics({f"curve.{key}": value for key, value in values.items()}, step=epoch)

    def log(self, result: RunResult, directory: Path) -> None:
        self._log_metrics(flat_metrics(result), step=0)
        for path in sorted(directory.iterdir()):
            if path.is_file():
                self.client.log_artifact(self.run_id, str(path))
        if self.logs_model and (directory / "model").is_dir():
            _log_model(self.run_id, directory / "model")

    def _log_metrics(self, values: Mapping[str, float], *, step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self.client.log_batch(self.run_id, metrics=[Metric(key, value, now, step) for key, value in values.items()])


def connect(uri: str | None = None) -> Any:
    """An MLflow client on `uri`, the environment's, or the default, in this order.

    Raises:
        ConfigError: the store cannot be opened.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    import mlflow

    for noisy in ("alembic", "mlflow.store.db.utils", "mlflow"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    resolved = tracking_uri(uri)
    try:
        mlflow.set_tracking_uri(resolved)
        client = mlflow.MlflowClient(resolved)
        client.search_experiments(max_results=1)
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"The store {resolved} cannot be opened ({reason}): set tracking.params.uri or MLFLOW_TRACKING_URI."
        ) from error
    return client


def tracking_uri(uri: str | None = None) -> str:
    """The URI that runs go to."""
    return uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI


def fail_abandoned(client: Any, experiment_id: str) -> None:
    """Mark as failed what this machine's dead processes left running (a `kill -9` lets nobody say goodbye)."""
    running = client.search_runs([experiment_id], filter_string="attributes.status = 'RUNNING'")
    for run in running:
        machine, _, pid = run.data.tags.get(_PROCESS_TAG, "").partition(":")
        if machine == _machine() and not _is_alive(int(pid)):
            client.set_terminated(run.info.run_id, "FAILED")


def flat_params(config: ExperimentConfig) -> dict[str, Any]:
    """The resolved configuration as one level of names, those that differ between recognizers first by alphabet."""
    flat: dict[str, Any] = {
        "classes": config.classes,
        "dataset": config.dataset.name,
        "recognizer": config.recognizer.name,
        "seed": config.seed,
    }
    for section in ("dataset", "recognizer"):
        flat |= _flatten(getattr(config, section).params, f"{section}.")
    if config.training:
        flat |= _flatten(config.training.model_dump(mode="json"), "training.")
    return flat


def flat_metrics(result: RunResult) -> dict[str, float]:
    """Final scores and cost as one level of names; accuracies and F1 are shares, 0 to 1."""
    metrics = _score_metrics("validation", result.validation)
    if result.test:
        metrics |= _score_metrics("test", result.test)
    if result.clean_test:
        metrics |= _score_metrics("clean_test", result.clean_test)
    cost = result.cost
    metrics |= {
        "cost.parameters": float(cost.n_parameters),
        "cost.size_bytes": float(cost.size_bytes),
        "cost.fit_seconds": cost.fit_seconds,
        "cost.peak_memory_bytes": float(cost.peak_memory_bytes or 0),
    }
    for latency in cost.latency:
        place = f"latency.b{latency.batch_size}"
        metrics |= {f"{place}.p50_ms": latency.p50_ms, f"{place}.p95_ms": latency.p95_ms}
        metrics |= {f"{place}.images_per_second": latency.images_per_second}
    return metrics


def _score_metrics(split: str, scores: Scores) -> dict[str, float]:
    values = {
        f"{split}.accuracy": scores.accuracy,
        f"{split}.accuracy_low": scores.accuracy_interval[0],
        f"{split}.accuracy_high": scores.accuracy_interval[1],
        f"{split}.balanced_accuracy": scores.balanced_accuracy,
        f"{split}.macro_f1": scores.macro_f1,
        f"{split}.log_loss": scores.log_loss,
        f"{split}.brier": scores.brier,
        f"{split}.calibration_error": scores.calibration_error,
    }
    return values | {f"{split}.recall.{name}": entry.recall for name, entry in scores.classes.items()}


def _tags(config: ExperimentConfig) -> dict[str, str]:
    return {"dataset": config.dataset.name, "classes": config.classes, "recognizer": config.recognizer.name}


def _flatten(values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _experiment(client: Any, name: str) -> str:
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found else client.create_experiment(name))


def _log_model(run_id: str, model: Path) -> None:
    import mlflow

    with mlflow.start_run(run_id=run_id):
        mlflow.pyfunc.log_model(
            name="model",
            loader_module="ferbench.pyfunc",
            data_path=str(model),
            pip_requirements=["ferbench"],
        )


def _machine() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:12]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
