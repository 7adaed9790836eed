"""`report --from mlflow`: the runs of a store are those that were logged."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow import MlflowClient

from ferbench.cli import main
from ferbench.report.runs import collect, read_run
from ferbench.report.tracked import download_runs
from ferbench.results import read_result
from ferbench.tracking.mlflow_runs import MlflowTracker


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    return uri


def test_report_from_mlflow_shows_the_logged_runs(store: str, make_run, reports: Path, tmp_path: Path, capsys) -> None:
    pytest.importorskip("plotly")
    for name in ("hog_svm", "cnn9"):
        directory = make_run(name)
        result = read_result(directory / "result.json")
        with MlflowTracker(uri=store, model=False).open(result.config, {}) as tracked:
            tracked.log(result, directory)
    with MlflowTracker(uri=store, model=False).open(result.config, {}):
        pass  # a run without files, as a search's trials are

    (tmp_path / "fetched").mkdir()
    assert download_runs(tmp_path / "fetched", store) == []
    fetched = collect(tmp_path / "fetched")
    assert {run.place for run in fetched.runs} == {"hog_svm/fer2013/seed0", "cnn9/fer2013/seed0"}
    assert read_run(directory).result in [run.result for run in fetched.runs]

    (tmp_path / "empty").mkdir()
    assert main(["report", "--from", "mlflow", "--reports", str(tmp_path / "empty"), "--to", str(tmp_path / "to")]) == 0
    assert "hog_svm" in (tmp_path / "to" / "summary.md").read_text()


def test_run_whose_files_are_not_given_is_set_apart(store: str, make_run, tmp_path: Path, monkeypatch) -> None:
    directory = make_run()
    result = read_result(directory / "result.json")
    with MlflowTracker(uri=store, model=False).open(result.config, {}) as tracked:
        tracked.log(result, directory)

    def fail(self: MlflowClient, *args: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(MlflowClient, "download_artifacts", fail)
    (apart,) = download_runs(tmp_path, store)
    assert "cannot be fetched (the disk is gone)" in apart.reason
