"""What keeps runs, and what keeps none. No store is known here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ferbench.config import ExperimentConfig
from ferbench.results import RunResult

PARENT_TAG = "mlflow.parentRunId"
"""A run with this tag stands under the run whose id is the tag's value."""


class FinishedRun(NamedTuple):
    """A run that is over before it is tracked.

    Attributes:
        experiment: Of the tracker it stands under, unless the tracker was given another.
        files: Kept with it.
        folder: That the tracker keeps the files in.
        recognizer_sha256: See `RunResult`. Where a finished run of this recognizer is kept already, metrics and files
            are added to that one, in place of earlier ones of their names. None: it always is a run of its own.
    """

    experiment: str
    name: str
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    files: Sequence[Path]
    folder: str = ""
    recognizer_sha256: str | None = None


class Tracked(Protocol):
    """A run that is being tracked.

    Attributes:
        run_id: Names it for runs under it, see `PARENT_TAG`.
    """

    run_id: str

    def on_epoch(self, epoch: int, values: Mapping[str, float]) -> None:
        """Take in a point of the curve."""

    def log(self, result: RunResult, directory: Path) -> None:
        """Take in the finished result and the folder that holds its files."""


class Tracker(Protocol):
    """Something that keeps runs."""

    def open(self, config: ExperimentConfig, tags: Mapping[str, str]) -> AbstractContextManager[Tracked]:
        """A run of `config`; leaving by an exception marks it failed."""

    def keep(self, run: FinishedRun) -> bool:
        """Take in what is over already; returns whether it became a run of its own."""


class NullTracker:
    """Keeps nothing."""

    run_id = ""

    @contextmanager
    def open(self, config: ExperimentConfig, tags: Mapping[str, str]) -> Iterator[Tracked]:
        """A run that is not kept."""
        yield self

    def on_epoch(self, epoch: int, values: Mapping[str, float]) -> None:
        """Let it pass."""

    def log(self, result: RunResult, directory: Path) -> None:
        """Let it pass."""

    def keep(self, run: FinishedRun) -> bool:
        """Let it pass."""
        return False
