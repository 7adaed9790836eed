"""An MLflow store: opening it, finding and making experiments in it, and tidying up after dead processes."""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import sqlite3
import textwrap
from contextlib import closing
from typing import Any

from ferbench.errors import ConfigError, DataError

DEFAULT_URI = "sqlite:///mlflow.db"

RECOGNIZER_TAG = "recognizer_sha256"
"""Of a run: the sha256 of the `recognizer.json` that it fitted, by which is found again what was measured of it."""

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
an SVM, a point a candidate for C. `robustness.<dataset>.*` is of corrupted validation faces of that dataset. The
parameters `latency_ms` and `model_kb` repeat `p50_ms` and `size_kb`, so that the comparison opens on speed and size.
"""


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
            f"The store {resolved} cannot be opened ({reason(error)}): set tracking.params.uri or MLFLOW_TRACKING_URI."
        ) from error
    return client


def tracking_uri(uri: str | None = None) -> str:
    """The URI that runs go to."""
    return uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI


def newest_experiment(client: Any) -> str | None:
    """The id of the MLflow experiment that was run last; None where nothing was run."""
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    runs = client.search_runs(ids, order_by=["attributes.start_time DESC"], max_results=1) if ids else []
    return str(runs[0].info.experiment_id) if runs else None


def newest_run_of(client: Any, experiment_id: str, recognizer_sha256: str) -> str | None:
    """The id of the newest finished run of a recognizer, see `RECOGNIZER_TAG`; None where there is none."""
    wanted = f"attributes.status = 'FINISHED' and tags.{RECOGNIZER_TAG} = '{recognizer_sha256}'"
    found = client.search_runs([experiment_id], wanted, order_by=["attributes.start_time DESC"], max_results=1)
    return str(found[0].info.run_id) if found else None


def fail_abandoned(client: Any, experiment_id: str) -> None:
    """Mark as failed what this machine's dead processes left running (a `kill -9` lets nobody say goodbye)."""
    running = client.search_runs([experiment_id], filter_string="attributes.status = 'RUNNING'")
    for run in running:
        machine, _, pid = run.data.tags.get(_PROCESS_TAG, "").partition(":")
        if machine == _machine() and not _is_alive(int(pid)):
            client.set_terminated(run.info.run_id, "FAILED")


def experiment_id(client: Any, name: str) -> str:
    """The id of the MLflow experiment of that name, made where there is none.

    Raises:
        ConfigError: it was deleted.
    """
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


def of_this_process() -> dict[str, str]:
    """The tag by which `fail_abandoned` tells whose a run is."""
    return {_PROCESS_TAG: f"{_machine()}:{os.getpid()}"}


def reason(error: Exception) -> str:
    """The first line of what a store says, shortened."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return textwrap.shorten(lines[0], 160, placeholder=" ...")


def _probe(uri: str) -> None:
    """Open a SQLite file once: MLflow tries a damaged one again and again, for minutes."""
    if uri.startswith("sqlite:///"):
        with closing(sqlite3.connect(uri.removeprefix("sqlite:///").partition("?")[0])) as connection:
            connection.execute("PRAGMA schema_version")


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
