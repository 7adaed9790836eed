"""A real `kill -9`, five times at random moments, and `--resume` each time: at most the current epoch is lost."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

EPOCHS = 12
YAML = f"""
name: killed
dataset: {{name: synthetic}}
recognizer: {{name: cnn3, params: {{widths: [8, 16, 32], dense: 64}}}}
training: {{epochs: {EPOCHS}, batch_size: 16}}
timing: {{batch_sizes: [1], warmup: 1, min_seconds: 0, min_queries: 20}}
tracking: {{name: mlflow, params: {{uri: "sqlite:///runs.db", model: false}}}}
"""


def start(folder: Path, *flags: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "ferbench", "run", "killed.yaml", "--reports", "reports", *flags]
    with (folder / "log.txt").open("a") as log:
        return subprocess.Popen(command, cwd=folder, stderr=log, stdout=log, start_new_session=True)


def epochs_logged(folder: Path) -> list[int]:
    lines = (folder / "log.txt").read_text().splitlines()
    return [int(line.split()[0]) for line in lines if line.split()[:1] and line.split()[0].isdigit()]


def kept_epoch(home: Path) -> int:
    import numpy as np

    files = list((home / "checkpoints").rglob("training.npz"))
    if not files:
        return 0
    with files[0].open("rb") as stream, np.load(stream) as stored:
        return int(json.loads(str(stored["progress"]))["epoch"])


@pytest.mark.slow
def test_five_kills_and_the_curve_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("FERBENCH_DATA", str(home))
    (tmp_path / "killed.yaml").write_text(YAML)
    moments = random.Random(0)
    kept = 0
    for _ in range(5):
        before = len(epochs_logged(tmp_path)) if (tmp_path / "log.txt").exists() else 0
        process = start(tmp_path, "--resume")
        while len(epochs_logged(tmp_path)) - before <= kept and process.poll() is None:
            time.sleep(0.05)
        time.sleep(moments.uniform(0.0, 2.0))
        assert process.poll() is None, "it finished before it could be killed: " + (tmp_path / "log.txt").read_text()
        seen = max(epochs_logged(tmp_path))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        now_kept = kept_epoch(home)
        assert now_kept >= seen, "an epoch that was reported was lost"
        assert now_kept > kept
        kept = now_kept
    assert start(tmp_path, "--resume").wait() == 0, (tmp_path / "log.txt").read_text()
    resumed = json.loads((tmp_path / "reports/killed/synthetic/seed0/result.json").read_text())
    assert resumed["protocol"]["resumed"] and len(resumed["curve"]) == EPOCHS
    assert start(tmp_path, "--force").wait() == 0
    whole = json.loads((tmp_path / "reports/killed/synthetic/seed0/result.json").read_text())
    for epoch, (one, other) in enumerate(zip(resumed["curve"], whole["curve"], strict=True), start=1):
        assert one["loss"] == pytest.approx(other["loss"], abs=0.02), f"epoch {epoch}"

    from ferbench.tracking.mlflow_store import connect

    client = connect(f"sqlite:///{tmp_path / 'runs.db'}")
    (experiment,) = [e for e in client.search_experiments() if e.name == "synthetic"]
    statuses = sorted(run.info.status for run in client.search_runs([experiment.experiment_id]))
    assert statuses == ["FAILED"] * 5 + ["FINISHED"] * 2
