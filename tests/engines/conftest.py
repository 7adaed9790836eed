"""A small network that was fitted once, and its exports, each converted once and only where its engine is installed.

All processes that share the tests among them share both: whoever is first has its folder taken by the others.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ferbench import registry
from ferbench.data.synthetic import load_synthetic
from ferbench.engines.converting import convert
from ferbench.recognizers.deep.cnn3 import Cnn3
from ferbench.recognizers.deep.recipe import Training

FACES = {"n_train": 42, "n_validation": 21, "n_test": 21}


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """The folder of a name, which is made by a function that fills an empty one."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def folder(name: str, fill: Callable[[Path], None]) -> Path:
        target = base / "engines" / name
        if not target.exists():
            fresh = tmp_path_factory.mktemp(name)
            fill(fresh)
            target.parent.mkdir(exist_ok=True)
            with contextlib.suppress(OSError):  # another process was faster
                fresh.rename(target)
        return target

    return folder


@pytest.fixture(scope="session")
def source(shared: Callable[..., Path]) -> Path:
    """The folder that a run would have left: the fitted network, and what it was trained on."""

    def fit(folder: Path) -> None:
        faces = load_synthetic(**FACES)
        recognizer = Cnn3(training=Training(epochs=1, batch_size=14))
        recognizer.fit(faces.train.images, faces.train.labels).save(folder / "model")
        dataset = {"name": "synthetic", "params": FACES}
        (folder / "result.json").write_text(json.dumps({"config": {"dataset": dataset}}))

    return shared("run", fit) / "model"


@pytest.fixture(scope="session")
def exported(source: Path, shared: Callable[..., Path]) -> Callable[[str, str], Path]:
    """The folder of the network's form for an engine and a precision."""

    def form(engine: str, precision: str = "float32") -> Path:
        if not registry.get("engines", engine).is_installed():
            pytest.skip(f"{engine} is not installed")

        def export(folder: Path) -> None:
            faces = load_synthetic(**FACES)
            convert(source, registry.load(source), engine, precision, dataset=faces).save(folder / "model")

        return shared(f"{engine}_{precision}", export) / "model"

    return form
