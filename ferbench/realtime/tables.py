"""Rows of a camera loop as tables, read back from what `rows.py` wrote, whole or torn."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np

from ferbench.errors import DataError
from ferbench.realtime.rows import COLUMNS, Outcome

if TYPE_CHECKING:
    import pandas as pd

_KEY = ["frame", "recognizer", "detector"]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows read back, in the order in which they were written.

    Attributes:
        frames: A row a frame: `frame` is its index, `row` its place in this table, `stretch` numbers the stretches in
            which nothing was swapped or paused, `n_truths` is blank where it carries no labels.
        faces: A row a found face: `row` is its frame's; `face` counts from 0, the largest.
        truths: A row a labelled face: `frame`, `face`, `group`, box and emotion, once for all who were shown it.
    """

    frames: pd.DataFrame
    faces: pd.DataFrame
    truths: pd.DataFrame

    def select(self, recognizer: str, detector: str) -> Rows:
        """The rows of one recognizer with one detector."""
        frames, faces = (
            table[(table["recognizer"] == recognizer) & (table["detector"] == detector)]
            for table in (self.frames, self.faces)
        )
        return Rows(frames, faces, self.truths[self.truths["frame"].isin(frames["frame"])])


def read_rows(directory: Path) -> Rows:
    """Read what a `RowLog` wrote, up to the last whole row of a process that was killed.

    Raises:
        DataError: a file is missing, is something else, or holds what no `RowLog` writes.
    """
    truths, faces, frames = (_read_table(directory / name, columns) for name, columns in COLUMNS.items())
    path, outcomes = directory / "frames.csv", get_args(Outcome)
    _require(frames["outcome"].isin(outcomes).all(), path, f"an outcome is none of {', '.join(outcomes)}")
    done_at = frames.loc[frames["outcome"] == "done", "done_at"]
    _require(frames["arrived_at"].notna().all(), path, "a frame has no moment of arrival")
    _require(done_at.notna().all(), path, "a frame that is done has no moment of that")
    frames = frames.rename(columns={"index": "frame"})
    _require(not frames.duplicated(_KEY).any(), path, "a frame was shown twice to one recognizer")
    truths = truths.drop_duplicates()
    _require(not truths.duplicated(["frame", "face"]).any(), directory / "truths.csv", "a face has two truths")
    frames["row"] = np.arange(len(frames))
    frames["stretch"] = _stretches(frames)
    return Rows(
        frames=frames,
        faces=faces.merge(frames[["row", *_KEY]], on=_KEY),
        truths=truths[truths["frame"].isin(frames["frame"])].reset_index(drop=True),
    )


def _stretches(frames: pd.DataFrame) -> pd.Series:
    state = frames[["recognizer", "detector"]].assign(is_paused=frames["outcome"] == "paused")
    return (state != state.shift()).any(axis=1).cumsum()


def _read_table(path: Path, columns: dict[str, str]) -> pd.DataFrame:
    import pandas as pd

    try:
        _require(path.is_file(), path, "it is not there")
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    whole = io.BytesIO(data[: data.rfind(b"\n") + 1])
    _require(whole.readline() == ",".join(columns).encode() + b"\n", path, "its first line is another one")
    whole.seek(0)
    blanks = {name: [""] for name, dtype in columns.items() if dtype != "str"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # pandas only warns of a row that is too long
            table = pd.read_csv(whole, dtype=columns, index_col=False, keep_default_na=False, na_values=blanks)
    except (ValueError, OverflowError, Warning) as error:
        raise DataError(f"{path} is no table of realtime rows: {' '.join(str(error).split())}.") from error
    _require(not np.isinf(table[list(blanks)].to_numpy(np.float64)).any(), path, "a number is not finite")
    return table


def _require(is_so: bool, path: Path, fault: str) -> None:
    if not is_so:
        raise DataError(f"{path} is no table of realtime rows: {fault}.")
