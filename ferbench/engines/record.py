"""What a survey of engines leaves: every recognizer through every engine at every precision, and what that costs."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Literal

from pydantic import AwareDatetime, Field, ValidationError

from ferbench.engines.engine import Precision
from ferbench.engines.gate import Record, Verdict
from ferbench.environment import Environment
from ferbench.errors import DataError
from ferbench.timing import Latency
from ferbench.validation import explain


class Timing(Record):
    """One form's time for a face and for a batch of them, with so many threads."""

    threads: int
    single: Latency
    batch: Latency


class Form(Record):
    """A recognizer as one engine runs it.

    Attributes:
        recognizer: Its name, or the folder it is in.
        engine: A registered engine; "keras" for a network as it was fitted, "native" for what is no network.
        precision: Of its weights.
        accuracy: On validation, 0 to 1.
        macro_f1: On validation, 0 to 1.
        size_bytes: Of its files.
        multiply_adds: Of one face, counted in the network that engines run; None for what is no network, and for a form
            surveyed by itself.
        start_seconds: From starting Python to the first answer; for an exported form, in a process that can import
            neither TensorFlow nor Keras. None in older surveys.
        load_seconds: From a process that has imported NumPy to the first answer, libraries included; one thread.
        memory_bytes: By how much loading, and answering one face and a batch, raises that process's peak; None where
            the system does not tell.
        verdict: The gate's; None for what the others are judged against.
        timings: For each number of threads.
    """

    recognizer: str
    engine: str
    precision: Precision
    accuracy: float
    macro_f1: float
    size_bytes: int
    load_seconds: float
    memory_bytes: int | None
    verdict: Verdict | None
    timings: tuple[Timing, ...]
    multiply_adds: int | None = None
    start_seconds: float | None = None

    @property
    def display_name(self) -> str:
        """The experiment in a run's folder, the last part of any other path, or the name itself."""
        parts = PurePath(self.recognizer).parts
        if parts and parts[-1] == "model":
            parts = parts[:-1]
        is_run = len(parts) >= 3 and parts[-1].startswith("seed")
        return parts[-3] if is_run else parts[-1] if parts else ""


class Survey(Record):
    """Forms that were timed in one run, each taking its turns, for each number of threads in a process of its own.

    `installed_bytes` is what running exported recognizers takes on disk, by engine, see `ferbench.engines.installed`;
    empty in older surveys.
    """

    format: Literal[1] = 1
    dataset: str
    fingerprint: str
    is_synthetic: bool
    n: int
    threads: tuple[int, ...]
    forms: tuple[Form, ...]
    left_out: dict[str, str]
    installed_bytes: dict[str, int] = Field(default_factory=dict)
    environment: Environment
    created_at: AwareDatetime


def read_survey(path: Path) -> Survey:
    """Read an `engines.json`.

    Raises:
        DataError: it cannot be read, or is no survey of this version.
    """
    try:
        return Survey.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        raise DataError(f"{path} is no survey of this version: {explain(error, Survey)}") from error
