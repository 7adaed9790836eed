"""Runs from an MLflow store, laid out as `ferbench run` leaves them on disk, so that one reader serves both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ferbench.errors import DataError
from ferbench.report.runs import SetApart
from ferbench.results import read_result
from ferbench.tracking.mlflow_store import connect, download

_FILES = ("result.json", "predictions.npz")
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def download_runs(target: Path, uri: str | None = None) -> list[SetApart]:
    """Fetch results and predictions of all finished runs; of one experiment, dataset and seed the newest.

    Args:
        target: An empty folder.
        uri: Tracking URI; None: MLFLOW_TRACKING_URI, or `sqlite:///mlflow.db`.

    Returns:
        Runs that cannot be fetched or laid out.

    Raises:
        ConfigError: the store cannot be opened.
    """
    client = connect(uri)
    apart = []
    for run in _finished(client):
        if not {artifact.path for artifact in client.list_artifacts(run.info.run_id)}.issuperset(_FILES):
            continue  # a search's trial, a comparison in the loop, another tool's run
        with TemporaryDirectory() as folder:
            try:
                for name in _FILES:
                    download(client, run.info.run_id, name, folder)
                _place(Path(folder), target)
            except DataError as error:
                apart.append(SetApart(f"MLflow run {run.info.run_id}", str(error).replace(folder, "")))
    return apart


def _finished(client: Any) -> Iterator[Any]:
    experiments = [one.experiment_id for one in client.search_experiments()]
    token = None
    while experiments:
        page = client.search_runs(
            experiments,
            filter_string="attributes.status = 'FINISHED'",
            order_by=["attributes.start_time DESC"],
            page_token=token,
        )
        yield from page
        token = page.token
        if not token:
            return


def _place(folder: Path, target: Path) -> None:
    result = read_result(folder / "result.json")
    dataset = result.config.dataset.name
    if not _SAFE.fullmatch(dataset):
        raise DataError(f"The dataset's name {dataset[:40]!r} is no name of a folder.")
    directory = target / result.config.name / dataset / f"seed{result.config.seed}"
    if not directory.exists():
        directory.mkdir(parents=True)
        for name in _FILES:
            (directory / name).write_bytes((folder / name).read_bytes())
