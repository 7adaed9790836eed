"""What every test shares: a clean environment and a handful of drawn faces."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from ferbench.data import synthetic
from ferbench.data.dataset import Dataset
from ferbench.data.synthetic import load_synthetic


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FERBENCH_DATA", str(tmp_path / "ferbench-data"))
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="session", autouse=True)
def drawn_once() -> Iterator[None]:
    """Faces that are asked for by name are drawn once for all tests: each time anew takes seconds."""
    drawn: dict[str, Dataset] = {}

    @wraps(load_synthetic)
    def load(**params: Any) -> Dataset:
        key = repr(sorted(params.items()))
        if key not in drawn:
            drawn[key] = load_synthetic(**params)
        return drawn[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic, "load_synthetic", load)
        yield


@pytest.fixture(scope="session")
def tiny() -> Dataset:
    """Seven emotions, six drawn faces each to fit on, three each to choose with and to be tested on."""
    return load_synthetic(n_train=42, n_validation=21, n_test=21, seed=0)


@pytest.fixture(scope="session")
def fer2013_csv_gz() -> Path:
    """The real FER2013, for the few tests that need it."""
    folder = os.environ.get("FERBENCH_TEST_DATA")
    if not folder:
        pytest.skip("FERBENCH_TEST_DATA is not set: it names the folder with fer2013/fer2013.csv.gz")
    path = Path(folder) / "fer2013" / "fer2013.csv.gz"
    if not path.is_file():
        pytest.skip(f"{path} does not exist")
    return path
