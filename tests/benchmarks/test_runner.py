"""What the runner adds to fitting and scoring the same recognizer in a bare script, and what importing costs."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ferbench import experiment, registry
from ferbench.config import ExperimentConfig
from ferbench.data.fer2013 import prepare_fer2013
from ferbench.metrics import score
from ferbench.tracking.mlflow_runs import MlflowTracker

PARAMS = {"mirror": False, "c": [0.03]}
CONFIG = {
    "name": "overhead",
    "dataset": {"name": "fer2013"},
    "recognizer": {"name": "hog_svm", "params": PARAMS},
    "timing": {"batch_sizes": [1], "warmup": 1, "min_seconds": 0, "min_queries": 1},
}


def test_runner_adds_little_to_a_bare_script(compare, fer2013_csv_gz: Path, tmp_path: Path) -> None:
    prepare_fer2013(fer2013_csv_gz)
    config = ExperimentConfig.model_validate(CONFIG)
    tracker = MlflowTracker(uri=f"sqlite:///{tmp_path}/runs.db", experiment="overhead")
    os.chdir(tmp_path)

    def bare() -> None:
        dataset = registry.create("datasets", "fer2013")
        recognizer = registry.create("recognizers", "hog_svm", PARAMS)
        recognizer.fit(
            dataset.train.images,
            dataset.train.labels,
            validation=(dataset.validation.images, dataset.validation.labels),
        )
        score(
            dataset.validation.labels,
            recognizer.predict_proba(dataset.validation.images),
            recognizer.classes,
            groups=dataset.validation.groups,
        )

    def ours() -> None:
        experiment.run(config, tracker, tmp_path / "reports", force=True, validation_only=True)

    assert compare(bare, ours, n_pairs=20) < 1.05


def test_import_takes_under_300_ms(benchmark) -> None:
    def load() -> None:
        subprocess.run([sys.executable, "-c", "import ferbench"], check=True)

    def nothing() -> None:
        subprocess.run([sys.executable, "-c", "pass"], check=True)

    def seconds(call) -> float:  # type: ignore[no-untyped-def]
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    added = [seconds(load) - seconds(nothing) for _ in range(20)]
    benchmark.extra_info |= {"added_ms_p50": 1e3 * float(np.median(added)), "n": 20}
    benchmark.pedantic(load, rounds=5, iterations=1)
    print(f"\nimport ferbench adds {1e3 * np.median(added):.0f} ms to an empty interpreter (n = 20)")
    assert np.median(added) < 0.3


@pytest.fixture(autouse=True)
def where_we_were():
    folder = Path.cwd()
    yield
    os.chdir(folder)
