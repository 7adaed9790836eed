"""FER+: ten people's votes on each face of FER2013 (Barsoum et al. 2016, arXiv:1608.01041), as three datasets.

Images and splits are FER2013's; the votes come from `fer2013new.csv` of github.com/microsoft/FERPlus (MIT) and are
stored beside it. The rule that makes a label of votes decides which faces there are, and so it is part of the name:
`ferplus_majority`, `ferplus_plurality`, `ferplus_votes`; `votes.label_votes` has the three rules. Each removes answers
that only one tagger gave, and leaves out faces that it calls unknown, not a face, or nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ferbench.data.archives import BadRowError, Table, column_numbers, read_table
from ferbench.data.dataset import Dataset, Split, data_home
from ferbench.data.fer2013 import load_fer2013, prepare_fer2013
from ferbench.data.fer2013_csv import USAGES
from ferbench.data.votes import ANSWERS, CLASSES, Rule, VoteTable, join_votes, label_votes, without_single_votes
from ferbench.errors import DataError, DatasetMissingError
from ferbench.types import ProgressHook

_TABLE = Table("FER+'s fer2013new.csv", ("fer2013new.csv",))
_N_TAGGERS = 10
_HOW_TO_GET = (
    "FER+ is not on this machine: download fer2013new.csv from github.com/microsoft/FERPlus, then run: "
    "python -m ferbench data prepare ferplus PATH"
)


def load_ferplus_majority() -> Dataset:
    """FER2013's faces of which more than half of FER+'s taggers say the same emotion, in eight classes.

    Raises:
        DatasetMissingError: FER2013 or FER+ has not been prepared; the message says how.
        DataError: what was prepared is damaged, or the votes belong to another copy of FER2013.
    """
    return _load("majority")


def load_ferplus_plurality() -> Dataset:
    """FER2013's faces for which one emotion has more of FER+'s votes than any other answer, in eight classes.

    Raises:
        DatasetMissingError, DataError: see `load_ferplus_majority`.
    """
    return _load("plurality")


def load_ferplus_votes() -> Dataset:
    """FER2013's faces with FER+'s votes for the eight emotions in `Split.votes`, to be learnt as soft targets.

    Raises:
        DatasetMissingError, DataError: see `load_ferplus_majority`.
    """
    return _load("votes")


def prepare_ferplus(
    votes_csv: str | Path,
    *,
    fer2013: str | Path | None = None,
    on_progress: ProgressHook = lambda stage, done, total: None,
    notice: Callable[[str], None] = lambda text: None,
) -> Path:
    """Read FER+'s votes once and store them for the FER2013 that is prepared on this machine.

    Args:
        votes_csv: fer2013new.csv, as it is or packed.
        fer2013: FER2013's CSV file, to be prepared first; None: it is prepared already.
        on_progress: Called as work goes on, with bytes read and in all.
        notice: Receives a sentence if votes are joined by anything but the row, or have no face.

    Returns:
        The folder of the stored votes, under `data_home()`.

    Raises:
        DatasetMissingError: FER2013 has not been prepared.
        DataError: the file is missing, damaged or not FER+'s, or its votes are not about this FER2013's faces.
    """
    table = read_votes(Path(votes_csv), on_progress)
    if fer2013 is not None:
        prepare_fer2013(fer2013, on_progress=on_progress)
    faces = load_fer2013()
    join = join_votes(table, faces)
    is_left_out = (join.rows < 0) & (table.numbers >= 0)
    if join.by != "row" or is_left_out.any():
        notice(
            f"FER+ was joined with FER2013 by {join.by}; {is_left_out.sum():,} of {(table.numbers >= 0).sum():,} faces "
            "with votes are not in this copy of FER2013 or cannot be told, and are left out."
        )
    votes = np.zeros((len(table), len(ANSWERS)), np.uint8)
    votes[join.rows[join.rows >= 0]] = table.votes[join.rows >= 0]
    _write(votes, faces.fingerprint())
    return _path().parent


def read_votes(path: Path, on_progress: ProgressHook = lambda stage, done, total: None) -> VoteTable:
    """FER+'s table, row by row.

    Raises:
        DataError: the file is missing, damaged or not FER+'s; the message names the line.
    """
    rows = list(read_table(path, _TABLE, _parser_of, on_progress))
    if not rows:
        raise DataError(f"{path} has no rows of votes: give {_TABLE.title}, which has 35,887.")
    return VoteTable(
        splits=np.array([row.split for row in rows], np.int64),
        numbers=np.array([row.number for row in rows], np.int64),
        votes=np.array([row.votes for row in rows], np.uint8),
    )


class _Row(NamedTuple):
    split: int
    number: int
    votes: list[int]


def _parser_of(header: list[str]) -> Callable[[list[str]], _Row]:
    columns = column_numbers(header, ("Usage", "Image name", *ANSWERS), f"give {_TABLE.title}")
    splits = {usage: number for number, usage in enumerate(USAGES)}

    def parse(fields: list[str]) -> _Row:
        if len(fields) <= max(columns):
            raise BadRowError(f"expected {len(columns)} fields, got {len(fields)}: download the file again.")
        usage, name, *answers = (fields[column].strip() for column in columns)
        if usage not in splits:
            raise BadRowError(f"Usage must be {', '.join(splits)}, got {usage[:20]!r}: download the file again.")
        number = re.fullmatch(r"fer([0-9]{7})\.png", name)
        if name and number is None:
            raise BadRowError(f"expected a name like fer0000000.png or none, got {name[:20]!r}: {_TABLE.title} has it.")
        bad = next((answer for answer in answers if re.fullmatch("[0-9]{1,2}", answer) is None), None)
        if bad is not None:
            raise BadRowError(f"votes must be whole numbers of taggers, got {bad[:20]!r}: download the file again.")
        votes = [int(answer) for answer in answers]
        if not 0 < sum(votes) <= _N_TAGGERS:
            raise BadRowError(f"expected votes of 1 to {_N_TAGGERS} taggers, got {sum(votes)}: download it again.")
        return _Row(splits[usage], int(number[1]) if number else -1, votes)

    return parse


def _path() -> Path:
    return data_home() / "datasets" / "ferplus" / "votes.npz"


def _write(votes: NDArray[np.uint8], fer2013: str) -> None:
    path = _path()
    partial = path.with_suffix(".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as stream:
            np.savez(stream, votes=votes, fer2013=np.array(fer2013), fingerprint=np.array(_fingerprint(votes)))
        partial.replace(path)
    except OSError as error:
        raise DataError(
            f"{path} cannot be written ({error.strerror}): free space there, or set FERBENCH_DATA to another folder."
        ) from error


def _fingerprint(votes: NDArray[np.uint8]) -> str:
    return hashlib.sha256(str(votes.shape).encode() + votes.tobytes()).hexdigest()


def _read(fer2013: str) -> NDArray[np.uint8]:
    path = _path()
    again = "run python -m ferbench data prepare ferplus PATH again."
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            votes, of, fingerprint = stored["votes"], str(stored["fer2013"]), str(stored["fingerprint"])
    except FileNotFoundError:
        raise DatasetMissingError(_HOW_TO_GET) from None
    except Exception as error:  # whatever NumPy, zipfile and zlib make of bytes that are not theirs
        raise DataError(f"The stored votes {path} are damaged: {again}") from error
    if votes.dtype != np.uint8 or votes.shape[1:] != (len(ANSWERS),) or _fingerprint(votes) != fingerprint:
        raise DataError(f"The stored votes {path} are not as they were written: {again}")
    if of != fer2013:
        raise DataError(f"The votes in {path} were joined with another copy of FER2013 than is prepared now: {again}")
    return np.asarray(votes)


def _load(rule: Rule) -> Dataset:
    fer2013 = load_fer2013()
    votes = _read(fer2013.fingerprint())
    splits = {name: _labelled(split, votes, rule) for name, split in fer2013.splits()}
    return Dataset(name=f"ferplus_{rule}", classes=CLASSES, is_synthetic=False, **splits)


def _labelled(split: Split, votes: NDArray[np.uint8], rule: Rule) -> Split:
    has_votes = np.flatnonzero(split.rows < len(votes))
    labels = label_votes(votes[split.rows[has_votes]], rule)
    kept = has_votes[labels >= 0]
    faces = split.take(kept)
    counts = without_single_votes(votes[faces.rows])[:, : len(CLASSES)].astype(np.float32)
    return Split(faces.images, labels[labels >= 0], faces.rows, faces.groups, counts if rule == "votes" else None)
