"""Where runs are compared. MLflow is known in this file and nowhere else; recognizers are not known here at all.

Names are chosen for MLflow's Compare page, which opens on the alphabetically first three parameters that differ and on
the first metric: `experiment`, `latency_ms`, `model_kb`, `accuracy`. They are documented at `flat_params`,
`cost_params` and `flat_metrics`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import sqlite3
import textwrap
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from ferbench.config import ExperimentConfig
from ferbench.data.dataset import DatasetCard
from ferbench.environment import git_commit
from ferbench.errors import ConfigError, DataError, RunFailedError
from ferbench.report.flat import cost_params, flat_metrics, flat_params, robustness_metrics
from ferbench.results import RunResult
from ferbench.robustness import RobustnessResult

DEFAULT_URI = "sqlite:///mlflow.db"
PARENT_TAG = "mlflow.parentRunId"
"""A run with this tag stands under the run whose id is the tag's value."""

_PROCESS_TAG = "ferbench.process"
_MLFLOW_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # the default of 7 keeps a wrong address waiting for minutes
    "GIT_PYTHON_REFRESH": "quiet",
}
_NOTE = """\
Select runs, then **Compare**. Metrics without a prefix are of the validation split, shares 0 to 1: `accuracy`,
`macro_f1`, `recall.*`. `test.*` is the test split, `test_clean.*` that without the twins of other splits. `p10_ms` to
`p99_ms` are percentiles of the time of one face, `p50_ms_batch32` is of 32 at once. `curve.*` has a point an epoch; of
an SVM, a point a candidate for C. The parameters `latency_ms` and `model_kb` repeat `p50_ms` and `size_kb`, so that the
comparison opens on speed and size.
"""


class Tracked(Protocol):
    """A run that is being tracked.

    Attributes:
        run_id: Names it for runs under it, see `PARENT_TAG`.
    """

    run_id: str

    def on_epoch(self, epoch: int, values: Mapping[str, float]) -> None:
        """Take in a point of the curve."""

    def log(self, result: RunResult, directory: Path) -> None:
        """Take in the finished result and the folder that holds its files."""


class Tracker(Protocol):
    """Something that keeps runs."""

    def open(self, config: ExperimentConfig, tags: Mapping[str, str]) -> AbstractContextManager[Tracked]:
        """A run of `config`; leaving by an exception marks it failed."""

    def keep(
        self,
        experiment: str,
        name: str,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        files: Sequence[Path],
    ) -> None:
        """A run that is over already: its parameters, its figures and its files."""


class NullTracker:
    """Keeps nothing."""

    run_id = ""

    @contextmanager
    def open(self, config: ExperimentConfig, tags: Mapping[str, str]) -> Iterator[Tracked]:
        """A run that is not kept."""
        yield self

    def on_epoch(self, epoch: int, values: Mapping[str, float]) -> None:
        """Let it pass."""

    def log(self, result: RunResult, directory: Path) -> None:
        """Let it pass."""

    def keep(
        self,
        experiment: str,
        name: str,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        files: Sequence[Path],
    ) -> None:
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
            tags={**_tags(config, tags), **tags, _PROCESS_TAG: f"{_machine()}:{os.getpid()}"},
        )
        tracked = _MlflowRun(client, run.info.run_id, logs_model=self.model)
        try:
            tracked.log_params(flat_params(config))
            yield tracked
            client.set_terminated(run.info.run_id, "FINISHED")
        except BaseException as error:
            with suppress(Exception):  # what ended the run matters more than that MLflow cannot be told
                client.set_terminated(run.info.run_id, "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
            raise

    def keep(
        self,
        experiment: str,
        name: str,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        files: Sequence[Path],
    ) -> None:
        """A finished run in `experiment`, unless the tracker was given another.

        Raises:
            RunFailedError: MLflow does not take it.
        """
        try:
            client = connect(self.uri)
            run = client.create_run(
                _experiment(client, self.experiment or experiment),
                run_name=name,
                tags={"commit": git_commit() or "unknown"},
            )
            tracked = _MlflowRun(client, run.info.run_id, logs_model=False)
            tracked.log_params(params)
            tracked.log_metrics(metrics, step=0)
            for file in files:
                client.log_artifact(run.info.run_id, str(file))
            client.set_terminated(run.info.run_id, "FINISHED")
        except Exception as error:
            raise RunFailedError(
                f"All is measured, but MLflow could not take in '{name}' ({_reason(error)}). "
                f"Nothing is lost: {', '.join(str(file) for file in files)}."
            ) from error


class _MlflowRun:
    def __init__(self, client: Any, run_id: str, *, logs_model: bool) -> None:
        self.client = client
        self.run_id = run_id
        self.logs_model = logs_model
        self.unsent: dict[int, dict[str, float]] = {}

    def log_params(self, values: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        self.client.log_batch(self.run_id, params=[Param(key, str(value)[:500]) for key, value in values.items()])

    def on_epoch(self, epoch: int, values: Mapping[str, float]) -> None:
        first = sorted(values, key=lambda key: key != "validation_accuracy")  # Compare opens on it for networks alone
        self.unsent[epoch] = {f"curve.{key}": values[key] for key in first}
        with suppress(Exception):  # a training outlives its tracking server: the points wait, and `log` does raise
            self._send_curve()

    def log(self, result: RunResult, directory: Path) -> None:
        try:
            self._send_curve()
            self.log_metrics(flat_metrics(result), step=0)
            self.log_params(cost_params(result))
            self._log_dataset(result.dataset)
            for path in sorted(directory.iterdir()):
                if path.is_file():
                    self.client.log_artifact(self.run_id, str(path))
            if self.logs_model and (directory / "model").is_dir():
                _log_model(self.run_id, result, directory / "model")
        except Exception as error:
            raise RunFailedError(
                f"The run finished, but MLflow could not take it in ({_reason(error)}). "
                f"Nothing is lost: result, predictions and model are in {directory}."
            ) from error

    def _send_curve(self) -> None:
        for epoch in sorted(self.unsent):
            self.log_metrics(self.unsent[epoch], step=epoch)
            del self.unsent[epoch]

    def log_metrics(self, values: Mapping[str, float], *, step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self.client.log_batch(self.run_id, metrics=[Metric(key, value, now, step) for key, value in values.items()])

    def _log_dataset(self, card: DatasetCard) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        source = json.dumps({"name": card.name, "fingerprint": card.fingerprint})
        dataset = Dataset(card.name, card.fingerprint[:12], "ferbench", source)
        tags = [InputTag("mlflow.data.context", "training")]
        self.client.log_inputs(self.run_id, datasets=[DatasetInput(dataset, tags)])


def keep_robustness(found: RobustnessResult, tracker: Tracker, files: Sequence[Path]) -> None:
    """A run a recognizer in the MLflow experiment `<dataset> robustness`, with the metrics of `robustness_metrics`.

    Raises:
        RunFailedError: the tracker does not take it.
    """
    for run in found.runs:
        origin = run.recognizer
        params = {"experiment": origin.experiment, "seed": origin.seed, "fitted_on": origin.fitted_on or "not known"}
        params |= {"dataset": found.dataset, "n_faces": found.n_faces, "corruption_seed": found.seed}
        name = f"{origin.experiment} seed{origin.seed}"
        tracker.keep(f"{found.dataset} robustness", name, params, robustness_metrics(run), files)


def connect(uri: str | None = None) -> Any:
    """An MLflow client on `uri`, the environment's, or the default, in this order.

    Raises:
        ConfigError: the store cannot be opened.
    """
    for name, value in _MLFLOW_SETTINGS.items():
        os.environ.setdefault(name, value)
    import mlflow

    for noisy in ("alembic", "mlflow.store.db.utils", "mlflow"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    resolved = tracking_uri(uri)
    try:
        _probe(resolved)
        mlflow.set_tracking_uri(resolved)
        client = mlflow.MlflowClient(resolved)
        client.search_experiments(max_results=1)
    except Exception as error:
        raise ConfigError(
            f"The store {resolved} cannot be opened ({_reason(error)}): set tracking.params.uri or MLFLOW_TRACKING_URI."
        ) from error
    return client


def _probe(uri: str) -> None:
    """Open a SQLite file once: MLflow tries a damaged one again and again, for minutes."""
    if uri.startswith("sqlite:///"):
        with closing(sqlite3.connect(uri.removeprefix("sqlite:///").partition("?")[0])) as connection:
            connection.execute("PRAGMA schema_version")


def tracking_uri(uri: str | None = None) -> str:
    """The URI that runs go to."""
    return uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI


def newest_experiment(client: Any) -> str | None:
    """The id of the MLflow experiment that was run last; None where nothing was run."""
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    runs = client.search_runs(ids, order_by=["attributes.start_time DESC"], max_results=1) if ids else []
    return str(runs[0].info.experiment_id) if runs else None


def fail_abandoned(client: Any, experiment_id: str) -> None:
    """Mark as failed what this machine's dead processes left running (a `kill -9` lets nobody say goodbye)."""
    running = client.search_runs([experiment_id], filter_string="attributes.status = 'RUNNING'")
    for run in running:
        machine, _, pid = run.data.tags.get(_PROCESS_TAG, "").partition(":")
        if machine == _machine() and not _is_alive(int(pid)):
            client.set_terminated(run.info.run_id, "FAILED")


def _tags(config: ExperimentConfig, tags: Mapping[str, str]) -> dict[str, str]:
    own = {"dataset": config.dataset.name, "classes": config.classes, "recognizer": config.recognizer.name}
    source = {"mlflow.source.name": f"ferbench run {config.name}", "mlflow.source.type": "LOCAL"}
    if tags.get("commit", "unknown") != "unknown":
        source["mlflow.source.git.commit"] = tags["commit"]
    return own | source


def download(client: Any, run_id: str, name: str, folder: str) -> None:
    """Fetch an artifact of a run into a folder.

    Raises:
        DataError: it is gone, or the store does not give it.
    """
    from mlflow.exceptions import MlflowException

    try:
        client.download_artifacts(run_id, name, folder)
    except (MlflowException, OSError) as error:
        raise DataError(f"{name} cannot be fetched ({str(error).splitlines()[0][:200]}): log the run again.") from error


def _experiment(client: Any, name: str) -> str:
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            tags = {"mlflow.experimentKind": "custom_model_development", "mlflow.note.content": _NOTE}
            return str(client.create_experiment(name, tags=tags))
        except MlflowException:
            found = client.get_experiment_by_name(name)  # another process was first
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        raise ConfigError(
            f"The MLflow experiment '{name}' was deleted: restore it (mlflow experiments restore "
            f"--experiment-id {found.experiment_id}), or name another in tracking.params.experiment."
        )
    return str(found.experiment_id)


def _log_model(run_id: str, result: RunResult, model: Path) -> None:
    import mlflow
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    signature = ModelSignature(
        inputs=Schema([TensorSpec(np.dtype("uint8"), (-1, -1, -1))]),
        outputs=Schema([ColSpec("float", name) for name in result.recognizer.classes]),
    )
    with mlflow.start_run(run_id=run_id, nested=True), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # asks for an example of the input, which would be a face
        mlflow.pyfunc.log_model(
            name=result.config.name.replace(".", "_"),
            loader_module="ferbench.pyfunc",
            data_path=str(model),
            pip_requirements=["ferbench"],
            signature=signature,
        )


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return textwrap.shorten(lines[0], 160, placeholder=" ...")


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
