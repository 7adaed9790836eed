"""A small network that was fitted once, and its exports, each converted once and only where its engine is installed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ferbench import registry
from ferbench.data.synthetic import load_synthetic
from ferbench.engines.exporting import convert
from ferbench.recognizers.deep.cnn3 import Cnn3
from ferbench.recognizers.deep.recipe import Training

FACES = {"n_train": 42, "n_validation": 21, "n_test": 21}


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a run would have left: the fitted network, and what it was trained on."""
    folder = tmp_path_factory.mktemp("run")
    faces = load_synthetic(**FACES)
    recognizer = Cnn3(training=Training(epochs=1, batch_size=14))
    recognizer.fit(faces.train.images, faces.train.labels).save(folder / "model")
    dataset = {"name": "synthetic", "params": FACES}
    (folder / "result.json").write_text(json.dumps({"config": {"dataset": dataset}}))
    return folder / "model"


@pytest.fixture(scope="session")
def exported(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """The folder of the network's form for an engine and a precision."""
    folder, faces = tmp_path_factory.mktemp("exports"), load_synthetic(**FACES)

    def form(engine: str, precision: str = "float32") -> Path:
        if not registry.get("engines", engine).is_installed():
            pytest.skip(f"{engine} is not installed")
        directory = folder / f"{engine}_{precision}"
        if not directory.exists():
            convert(source, registry.load(source), engine, precision, dataset=faces).save(directory)
        return directory

    return form
