"""Rows of a camera loop, written as they happen: a frame a row, a found face a row, a labelled face a row. No pixels.

Rows of half a second are formatted and written together: right after a frame is decoded, the processor's caches hold
pixels and little else, and the same Python costs several times what it costs in a run.

A frame is known by its index, recognizer and detector together: a comparison shows the same frames to several.
`tables.py` reads the rows back, and what they mean is worked out in `summary.py`.
"""

from __future__ import annotations

import io
import os
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ferbench.data.emotions import LABEL_SETS
from ferbench.errors import DataError
from ferbench.realtime.frames import Truth
from ferbench.types import Boxes, Probabilities

Outcome: TypeAlias = Literal["done", "dropped", "paused", "failed"]
"""What became of a frame. "failed": the recognizer or the detector raised, as `message` says."""

CLASSES = LABEL_SETS["ferplus8"]
"""The classes whose probabilities have columns in `faces.csv`."""

_BOX = {"x1": "int64", "y1": "int64", "x2": "int64", "y2": "int64"}
COLUMNS: dict[str, dict[str, str]] = {
    "truths.csv": {"frame": "int64", "face": "int64", "group": "int64", **_BOX, "emotion": "str"},
    "faces.csv": {
        "frame": "int64",
        "face": "int64",
        "recognizer": "str",
        "detector": "str",
        **_BOX,
        "score": "float64",
        "emotion": "str",
        "confidence": "float64",
        **{f"p_{name}": "float64" for name in CLASSES},
    },
    "frames.csv": {
        "index": "int64",
        "arrived_at": "float64",
        "outcome": "str",
        "recognizer": "str",
        "detector": "str",
        "n_faces": "float64",
        "n_truths": "float64",
        "capture_ms": "float64",
        "detect_ms": "float64",
        "crop_ms": "float64",
        "recognize_ms": "float64",
        "draw_ms": "float64",
        "done_at": "float64",
        "message": "str",
    },
}
"""The columns of each file and their types, in the order in which the files are written."""

_LONGEST_TEXT = 500
_MOST_PENDING = 256


class Answers(Protocol):
    """What was found in a frame: an `Analysis` is one."""

    @property
    def boxes(self) -> Boxes:
        """Shape (n, 4), largest first."""

    @property
    def scores(self) -> NDArray[np.float32]:
        """How sure the detector is, shape (n,)."""

    @property
    def probabilities(self) -> Probabilities:
        """Shape (n, n_classes)."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""


@dataclass(frozen=True, slots=True)
class FrameRow:
    """One frame that arrived: what became of it, who looked at it, and the milliseconds of each stage.

    `arrived_at` and `done_at` are seconds of one clock; `recognizer` and `detector` are those in use when it arrived.
    """

    index: int
    arrived_at: float
    outcome: Outcome
    recognizer: str = ""
    detector: str = ""
    capture_ms: float | None = None
    detect_ms: float | None = None
    crop_ms: float | None = None
    recognize_ms: float | None = None
    draw_ms: float | None = None
    done_at: float | None = None
    message: str = ""


class RowLog:
    """Appends to `frames.csv`, `faces.csv` and `truths.csv`, at the latest with the first row after `flush_seconds`.

    A killed process loses at most the rows since then. The rows of frames are written last, so that a frame which has
    one has all.

    Args:
        directory: Made where it does not exist; it must hold no rows yet.
        flush_seconds: Rows wait so long for others to be written with; 0: every row is with the system when `add`
            returns.

    Raises:
        DataError: it holds rows, or cannot be written.
    """

    def __init__(self, directory: Path, *, flush_seconds: float = 0.5) -> None:
        self._directory, self._flush_seconds = directory, flush_seconds
        self._pending: list[tuple[FrameRow, Truth | None, Answers | None]] = []
        self._flush_at = 0.0
        self._files: list[io.FileIO] = []
        try:
            directory.mkdir(parents=True, exist_ok=True)
            for name, columns in COLUMNS.items():
                self._files.append((directory / name).open("xb", buffering=0))
                _write(self._files[-1], ",".join(columns) + "\n")
        except OSError as error:
            for file, name in zip(self._files, COLUMNS, strict=False):
                file.close()
                (directory / name).unlink()
            reason = "it holds rows already" if isinstance(error, FileExistsError) else error.strerror
            raise DataError(f"Rows cannot be written to {directory} ({reason}): choose another folder.") from error
        self._sizes = [file.tell() for file in self._files]

    def add(self, row: FrameRow, truth: Truth | None = None, answers: Answers | None = None) -> None:
        """Take a frame, the faces that are labelled in it and the faces that were found in it.

        Raises:
            DataError: see `flush`.
        """
        if not self._files:
            raise DataError(f"The rows in {self._directory} are closed: open a log in another folder.")
        self._pending.append((row, truth, answers))
        if time.monotonic() >= self._flush_at or len(self._pending) >= _MOST_PENDING:
            self.flush()

    def flush(self) -> None:
        """Hand all rows to the system.

        Raises:
            DataError: the disk is full, or the folder went away; all rows before those that waited are safe.
        """
        pending, self._pending = self._pending, []
        self._flush_at = time.monotonic() + self._flush_seconds
        if not pending:
            return
        texts = (
            "".join([_truth_rows(row, truth) for row, truth, _ in pending]),
            "".join([_face_rows(row, answers) for row, _, answers in pending]),
            "".join([_frame_row(*one) for one in pending]),
        )
        try:
            written = [_write(file, text) for file, text in zip(self._files, texts, strict=True)]
        except OSError as error:
            for file, size in zip(self._files, self._sizes, strict=True):
                with suppress(OSError):
                    file.seek(size)
                    file.truncate()
            raise DataError(
                f"The rows from frame {pending[0][0].index} on cannot be written to {self._directory} "
                f"({error.strerror}): those of all frames before it are safe there. Free space, and start again."
            ) from error
        self._sizes = [size + n_bytes for size, n_bytes in zip(self._sizes, written, strict=True)]

    def close(self) -> None:
        """Put all rows on the disk; a second call does nothing.

        Raises:
            DataError: the disk does not take them.
        """
        try:
            with ExitStack() as opened:
                for file in self._files:
                    opened.enter_context(file)
                self.flush()
                for file in self._files:
                    os.fsync(file.fileno())
        except OSError as error:
            raise DataError(
                f"The last rows may not have reached the disk under {self._directory} ({error.strerror}): check it."
            ) from error
        finally:
            self._files = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _frame_row(row: FrameRow, truth: Truth | None, answers: Answers | None) -> str:
    numbers = (row.capture_ms, row.detect_ms, row.crop_ms, row.recognize_ms, row.draw_ms)
    stages = ",".join(["" if number is None else f"{number:.4f}" for number in numbers])
    n_faces = "" if answers is None else len(answers.boxes)
    n_truths = "" if truth is None else len(truth)
    done_at = "" if row.done_at is None else f"{row.done_at:.6f}"
    return (
        f"{row.index},{row.arrived_at:.6f},{row.outcome},{_text(row.recognizer)},{_text(row.detector)},"
        f"{n_faces},{n_truths},{stages},{done_at},{_text(row.message)}\n"
    )


def _face_rows(row: FrameRow, answers: Answers | None) -> str:
    if answers is None or len(answers.boxes) == 0:
        return ""
    start, places = f"{_text(row.recognizer)},{_text(row.detector)}", _places(answers.classes)
    lines = []
    faces = zip(answers.boxes.tolist(), answers.scores.tolist(), answers.probabilities.tolist(), strict=True)
    for face, ((x1, y1, x2, y2), score, probabilities) in enumerate(faces):
        confidence = max(probabilities)
        emotion = answers.classes[probabilities.index(confidence)]
        columns = ",".join(["" if place is None else f"{probabilities[place]:.5f}" for place in places])
        lines.append(
            f"{row.index},{face},{start},{x1},{y1},{x2},{y2},{score:.4f},{_text(emotion)},{confidence:.5f},{columns}\n"
        )
    return "".join(lines)


def _truth_rows(row: FrameRow, truth: Truth | None) -> str:
    if truth is None or len(truth) == 0:
        return ""
    groups = [row.index] * len(truth) if truth.groups is None else truth.groups.tolist()
    return "".join(
        [
            f"{row.index},{face},{group},{x1},{y1},{x2},{y2},{_text(truth.classes[label])}\n"
            for face, (group, (x1, y1, x2, y2), label) in enumerate(
                zip(groups, truth.boxes.tolist(), truth.labels.tolist(), strict=True)
            )
        ]
    )


@lru_cache
def _places(classes: tuple[str, ...]) -> list[int | None]:
    return [classes.index(name) if name in classes else None for name in CLASSES]


@lru_cache(maxsize=1024)
def _text(text: str) -> str:
    shown = "".join(c if c.isprintable() else " " for c in text)[:_LONGEST_TEXT]
    return '"' + shown.replace('"', '""') + '"' if set(shown) & {",", '"'} else shown


def _write(file: io.FileIO, text: str) -> int:
    data = text.encode("utf-8", errors="replace")
    n_written = 0
    while n_written < len(data):
        n_written += file.write(data[n_written:])
    return n_written
