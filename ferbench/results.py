"""What a run leaves on disk: `result.json`, `config.yaml`, `predictions.npz`, and a line in the test ledger."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from ferbench.config import ExperimentConfig, to_yaml
from ferbench.data.dataset import DatasetCard, Split
from ferbench.engines.gate import Verdict
from ferbench.environment import Environment
from ferbench.errors import DataError
from ferbench.metrics import Scores
from ferbench.timing import Latency
from ferbench.types import Probabilities
from ferbench.validation import explain


class Record(BaseModel):
    """Base of what is written: nothing unknown, nothing changed afterwards."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RecognizerCard(Record):
    """Which recognizer, with the parameters that were fitted."""

    name: str
    family: Literal["baseline", "classical", "deep", "ensemble"]
    classes: tuple[str, ...]
    image_size: tuple[int, int]
    params: dict[str, Any]


class Protocol(Record):
    """Which split did what: `choices` were made by validation, `test_scorings` counts this configuration's."""

    fitted_on: Literal["train"] = "train"
    chosen_on: Literal["validation"] = "validation"
    choices: dict[str, Any]
    test_scorings: int
    resumed: bool


class Cost(Record):
    """What it takes. `size_bytes` is on disk; `peak_memory_bytes` is the process's high-water mark, data included.

    `multiply_adds` of one face and `receptive_field` in pixels are a network's; None for anything else.
    """

    n_parameters: int
    size_bytes: int
    fit_seconds: float
    fit_cpu_seconds: float
    peak_memory_bytes: int | None
    n_cores: int
    latency: tuple[Latency, ...]
    multiply_adds: int | None = None
    receptive_field: int | None = None

    def latency_at(self, batch_size: int) -> Latency | None:
        """The latency measured at a batch size, if it was."""
        return next((latency for latency in self.latency if latency.batch_size == batch_size), None)


class RunResult(Record):
    """All said of a finished configuration; `test` and `clean_test` are None where only validation was scored.

    Where there is a `gate`, scores and cost are those of the recognizer as it answers through the engine, precision and
    threads that it names, from the folder `engine`; `model` keeps it as it was fitted. `recognizer_sha256` is that of
    the `recognizer.json` of what was scored, which lists the other files with theirs; None in older results.
    """

    schema_version: Literal[1] = 1
    config: ExperimentConfig
    config_hash: str
    dataset: DatasetCard
    protocol: Protocol
    recognizer: RecognizerCard
    validation: Scores
    test: Scores | None
    clean_test: Scores | None
    cost: Cost
    curve: tuple[dict[str, float], ...]
    environment: Environment
    created_at: datetime
    gate: Verdict | None = None
    recognizer_sha256: str | None = None

    @property
    def title(self) -> str:
        """Experiment, dataset and seed in a few words."""
        return f"{self.config.name} on {self.dataset.name}, seed {self.config.seed}"


def result_directory(reports: Path, config: ExperimentConfig) -> Path:
    """`<reports>/<experiment>/<dataset>/seed<k>`."""
    return reports / config.name / config.dataset.name / f"seed{config.seed}"


def write_result(result: RunResult, directory: Path) -> None:
    """Write `config.yaml`, then `result.json`, each as a whole."""
    write_whole(directory / "config.yaml", to_yaml(result.config))
    write_whole(directory / "result.json", result.model_dump_json(indent=2) + "\n")


def read_result(path: Path) -> RunResult:
    """Read a `result.json`.

    Raises:
        DataError: it cannot be read, or is not a result of this version.
    """
    try:
        return RunResult.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        raise DataError(f"{path} is not a result of this version: {explain(error, RunResult)}") from error
    except ValueError as error:
        raise DataError(f"{path} is not a result: {error}.") from error


def write_predictions(
    path: Path, classes: tuple[str, ...], predictions: dict[str, tuple[Split, Probabilities]]
) -> None:
    """Write `<split>_index`, `_labels`, `_probabilities`, `_groups` of each split, and `classes`, as a whole."""
    arrays: dict[str, Any] = {"classes": np.array(classes)}
    for name, (split, probabilities) in predictions.items():
        arrays[f"{name}_index"] = split.rows
        arrays[f"{name}_labels"] = split.labels
        arrays[f"{name}_probabilities"] = probabilities
        arrays[f"{name}_groups"] = split.groups
    partial = path.with_suffix(".partial")
    with partial.open("wb") as stream:
        np.savez_compressed(stream, **arrays)
    partial.replace(path)


def write_whole(path: Path, text: str) -> None:
    """Replace a text file so that a reader sees the old one or the new one, never half."""
    partial = path.with_suffix(f"{path.suffix}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


class LedgerLine(Record):
    """One scoring of a test split."""

    when: datetime
    reason: Literal["run", "evaluate", "realtime"]
    config_hash: str
    experiment: str
    recognizer: str
    dataset: str
    classes: tuple[str, ...]
    seed: int
    n: int
    accuracy: float
    clean_accuracy: float | None
    commit: str | None


def note_test_scoring(reports: Path, scoring: LedgerLine) -> int:
    """Append a scoring to `<reports>/test_ledger.jsonl`, on disk when this returns.

    Returns:
        How often this configuration has now been scored on the test split.

    Raises:
        DataError: the ledger cannot be written, and so the score must not be used.
    """
    ledger = reports / "test_ledger.jsonl"
    try:
        reports.mkdir(parents=True, exist_ok=True)
        with ledger.open("a", encoding="utf-8") as stream:
            stream.write(scoring.model_dump_json() + "\n")
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise DataError(
            f"The test ledger {ledger} cannot be written ({error.strerror}): the test split is not scored."
        ) from error
    return sum(1 for line in read_ledger(reports) if line.get("config_hash") == scoring.config_hash)


def read_ledger(reports: Path) -> list[dict[str, Any]]:
    """All lines of the test ledger, oldest first; empty where there is none."""
    ledger = reports / "test_ledger.jsonl"
    if not ledger.exists():
        return []
    lines = ledger.read_text(encoding="utf-8").splitlines()
    try:
        return [json.loads(line) for line in lines if line.strip()]
    except ValueError as error:
        raise DataError(f"{ledger} is damaged: {error}. Restore it from version control.") from error


def now() -> datetime:
    """The present moment, to the second, in UTC."""
    return datetime.now(UTC).replace(microsecond=0)
