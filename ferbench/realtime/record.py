"""What a comparison or a session in the loop leaves on disk: `realtime.json`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from ferbench.config import RealtimeConfig
from ferbench.data.dataset import DatasetCard
from ferbench.environment import Environment
from ferbench.errors import DataError
from ferbench.realtime.agreement import Agreement, Difference
from ferbench.realtime.summary import RealtimeSummary
from ferbench.results import Record, write_whole
from ferbench.validation import explain

FILENAME = "realtime.json"


class ComparedPair(Record):
    """A recognizer with a detector: on frames that wait for it, and on the first of them at a camera's pace.

    Attributes:
        waiting: How right on every frame, and how many frames a second it manages.
        paced: What of that is on the screen in time when frames do not wait.
        crop_cost: Accuracy on the faces the detector found, less that of true boxes on the same faces.
    """

    waiting: RealtimeSummary
    paced: RealtimeSummary | None
    crop_cost: Difference | None


class RealtimeResult(Record):
    """A finished comparison.

    Attributes:
        config: As it was run.
        dataset: Whose faces were replayed.
        split: Which of them.
        n_faces: How many of them, one a frame.
        face_sizes: Smallest and largest side of a face in the frames, pixels.
        recognizers: Hash of the saved files of each.
        detectors: Parameters of each.
        pairs: One each recognizer with each detector.
    """

    schema_version: Literal[1] = 1
    config: RealtimeConfig
    dataset: DatasetCard
    split: Literal["validation", "test"]
    n_faces: int
    face_sizes: tuple[int, int]
    recognizers: dict[str, str]
    detectors: dict[str, str]
    pairs: tuple[ComparedPair, ...]
    agreements: tuple[Agreement, ...]
    environment: Environment
    created_at: datetime


def write_record(result: RealtimeResult, directory: Path) -> None:
    """Write `realtime.json` as a whole."""
    write_whole(directory / FILENAME, result.model_dump_json(indent=2) + "\n")


def read_record(path: Path) -> RealtimeResult:
    """Read a `realtime.json`.

    Raises:
        DataError: it cannot be read, or is something else.
    """
    try:
        return RealtimeResult.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        raise DataError(f"{path} is not a comparison of this version: {explain(error, RealtimeResult)}") from error
    except ValueError as error:
        raise DataError(f"{path} is not a comparison: {error}.") from error
