"""Runs in MLflow. Recognizers are not known here.

Names are chosen for MLflow's Compare page, which opens on the alphabetically first three parameters that differ and on
the first metric: `experiment`, `latency_ms`, `model_kb`, `accuracy`. They are documented at `flat_params`,
`cost_params`, `flat_metrics`, `calibration_metrics` and `robustness_metrics`.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ferbench.config import ExperimentConfig
from ferbench.data.dataset import DatasetCard
from ferbench.data.emotions import label_set_name
from ferbench.environment import git_commit
from ferbench.errors import RunFailedError
from ferbench.report.flat import calibration_metrics, cost_params, flat_metrics, flat_params, robustness_metrics
from ferbench.results import RunResult
from ferbench.robustness import RobustnessResult
from ferbench.tracking.mlflow_store import (
    RECOGNIZER_TAG,
    connect,
    experiment_id,
    fail_abandoned,
    newest_run_of,
    of_this_process,
    reason,
)
from ferbench.tracking.trackers import FinishedRun, Tracked, Tracker


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
        experiment = experiment_id(client, self.experiment or config.dataset.name)
        fail_abandoned(client, experiment)
        run = client.create_run(
            experiment,
            run_name=f"{config.name} seed{config.seed}",
            tags={**_tags(config, tags), **tags, **of_this_process()},
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

    def keep(self, run: FinishedRun) -> bool:
        """See `Tracker.keep`.

        Raises:
            RunFailedError: MLflow does not take it.
        """
        try:
            client = connect(self.uri)
            experiment = experiment_id(client, self.experiment or run.experiment)
            sha256 = run.recognizer_sha256
            found = newest_run_of(client, experiment, sha256) if sha256 else None
            if found is None:
                tags = {"commit": git_commit() or "unknown"} | ({RECOGNIZER_TAG: sha256} if sha256 else {})
                run_id = client.create_run(experiment, run_name=run.name, tags=tags).info.run_id
            else:
                run_id = found
            tracked = _MlflowRun(client, run_id, logs_model=False)
            tracked.log_metrics(run.metrics, step=0)
            for file in run.files:
                client.log_artifact(run_id, str(file), run.folder or None)
            if found is None:
                tracked.log_params(run.params)
                client.set_terminated(run_id, "FINISHED")
        except Exception as error:
            raise RunFailedError(
                f"All is measured, but MLflow could not take in '{run.name}' ({reason(error)}). "
                f"Nothing is lost: {', '.join(str(file) for file in run.files)}."
            ) from error
        return found is None


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
            self.log_metrics(flat_metrics(result) | calibration_metrics(directory / "predictions.npz"), step=0)
            self.log_params(cost_params(result))
            self._log_dataset(result.dataset)
            if result.recognizer_sha256:
                self.client.set_tag(self.run_id, RECOGNIZER_TAG, result.recognizer_sha256)
            for path in sorted(directory.iterdir()):
                if path.is_file():
                    self.client.log_artifact(self.run_id, str(path))
            if self.logs_model and (directory / "model").is_dir():
                _log_model(self.run_id, result, directory / "model")
        except Exception as error:
            raise RunFailedError(
                f"The run finished, but MLflow could not take it in ({reason(error)}). "
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


def keep_robustness(found: RobustnessResult, tracker: Tracker, files: Sequence[Path]) -> list[str]:
    """Add the metrics of `robustness_metrics`, and files in the folder `robustness`, to the run of each recognizer.

    Returns:
        Names of recognizers of which the tracker has no run: each got one, beside those fitted on the same dataset.

    Raises:
        RunFailedError: the tracker does not take it.
    """
    own = []
    for run in found.runs:
        origin = run.recognizer
        name, dataset = f"{origin.experiment} seed{origin.seed}", origin.fitted_on or found.dataset
        params = {"classes": label_set_name(found.classes) or ",".join(found.classes), "dataset": dataset}
        params |= {"experiment": origin.experiment, "seed": str(origin.seed)}
        metrics = robustness_metrics(found, run)
        sha256 = origin.recognizer_sha256
        if tracker.keep(FinishedRun(dataset, name, params, metrics, files, "robustness", sha256)):
            own.append(name)
    return own


def _tags(config: ExperimentConfig, tags: Mapping[str, str]) -> dict[str, str]:
    own = {"dataset": config.dataset.name, "classes": config.classes, "recognizer": config.recognizer.name}
    source = {"mlflow.source.name": f"ferbench run {config.name}", "mlflow.source.type": "LOCAL"}
    if tags.get("commit", "unknown") != "unknown":
        source["mlflow.source.git.commit"] = tags["commit"]
    return own | source


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
