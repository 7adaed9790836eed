"""Several people's votes on one face: which label they make, and which face of FER2013 each row of FER+ is about.

Pure functions over arrays; files are read in `ferplus.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ferbench.data.dataset import Dataset
from ferbench.data.emotions import classes_of
from ferbench.errors import DataError
from ferbench.types import Labels

Rule: TypeAlias = Literal["majority", "plurality", "votes"]

CLASSES = classes_of("ferplus8")
ANSWERS = (*CLASSES, "unknown", "NF")
"""What a tagger of FER+ could choose, in the order of our columns; NF is "not a face"."""

_N = len(CLASSES)
_MIN_SHARE, _MIN_AGREEMENT = 0.75, 0.4  # taggers agree with 64 % of FER2013's labels, with 18 % of other faces' labels


@dataclass(frozen=True, slots=True, eq=False)
class VoteTable:
    """FER+'s table as it stands in its file.

    Attributes:
        splits: int64, (n,): 0 train, 1 validation, 2 test.
        numbers: int64, (n,): the number in the image name, -1 without a name ("not a face").
        votes: uint8, (n, 10): how many taggers gave each of `ANSWERS`.
    """

    splits: NDArray[np.int64]
    numbers: NDArray[np.int64]
    votes: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.votes)


class Join(NamedTuple):
    """Which face each row of votes is about.

    Attributes:
        by: What told it.
        rows: int64, (n,): the row of the face in FER2013's CSV file, -1 where there is none.
    """

    by: Literal["row", "image name"]
    rows: NDArray[np.int64]


def without_single_votes(votes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Votes with every answer that only one tagger gave set to 0, as the paper removes outliers."""
    return np.where(votes > 1, votes, 0).astype(np.uint8)


def label_votes(votes: NDArray[np.uint8], rule: Rule) -> Labels:
    """The emotion that the taggers' votes make of each face, after the removal of single votes.

    - "majority": the emotion with more than half of all votes that remain, those for unknown and NF among them.
    - "plurality": the emotion with more votes than each of the nine other answers, unknown and NF among them; none
      where two share the first place.
    - "votes": the emotion with the most votes of the eight, whatever unknown and NF have; where two share the first
      place, the one that comes first in `CLASSES`.

    Args:
        votes: uint8, (n, 10), columns as in `ANSWERS`.
        rule: One of the three.

    Returns:
        int64, (n,): an index into `CLASSES`, -1 for a face that the rule leaves out.
    """
    votes = without_single_votes(votes).astype(np.int64)
    emotions, most = votes[:, :_N], votes.max(axis=1)
    labels = emotions.argmax(axis=1).astype(np.int64)
    if rule == "majority":
        is_kept = 2 * emotions.max(axis=1) > votes.sum(axis=1)
    elif rule == "plurality":
        is_kept = (emotions.max(axis=1) == most) & ((votes == most[:, None]).sum(axis=1) == 1)
    else:
        is_kept = emotions.any(axis=1)
    return np.where(is_kept, labels, -1)


def join_votes(table: VoteTable, fer2013: Dataset) -> Join:
    """Find the face of each row of votes, and make sure that it is the right one.

    FER+ has a row for each row of Kaggle's FER2013, in its order. Copies of FER2013 that were put together from FER+'s
    own pictures, fer0000000.png and so on, stand in the order of those names, which is another: their numbers pass over
    some rows. So both ways are tried. One is right if it finds a face of the same split for three of four rows, and
    the taggers agree with FER2013's labels far more often than they would with those of other faces.

    Raises:
        DataError: neither way is right.
    """
    joins = [Join("row", np.arange(len(table))), Join("image name", _rows_by_name(table.numbers))]
    right, tried = [], []
    for by, rows in joins:
        found, agreement = _checked(table, rows, fer2013)
        share = (found >= 0).sum() / max(1, (rows >= 0).sum())
        if share >= _MIN_SHARE and agreement >= _MIN_AGREEMENT:
            right.append((agreement, Join(by, found)))
        tried.append(
            f"by {by}, {share:.0%} of them find a face of their split and agree with {agreement:.0%} of labels"
        )
    if not right:
        raise DataError(
            f"The votes do not belong to the FER2013 that is prepared here ({'; '.join(tried)}): prepare FER2013 from "
            "Kaggle's CSV file, whose rows FER+ follows, and then FER+ again."
        )
    return max(right, key=lambda one: one[0])[1]


def _checked(table: VoteTable, rows: NDArray[np.int64], fer2013: Dataset) -> tuple[NDArray[np.int64], float]:
    """The rows without those that have no face, or one of another split; and how often labels and votes agree."""
    splits = np.full(len(table), -1, np.int64)
    labels = np.full(len(table), -1, np.int64)
    for number, (_, split) in enumerate(fer2013.splits()):
        is_inside = split.rows < len(table)
        splits[split.rows[is_inside]] = number
        labels[split.rows[is_inside]] = split.labels[is_inside]
    found = np.where((rows >= 0) & (splits[rows] == table.splits), rows, -1)
    voted = label_votes(table.votes, "votes")
    is_compared = (found >= 0) & (voted >= 0)
    agreement = (labels[found] == voted)[is_compared].mean() if is_compared.any() else 0.0
    return found, float(agreement)


def _rows_by_name(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers as rows. FER+ gives four numbers twice: the one that stands nearest to its place has the picture."""
    rows = np.where(numbers < len(numbers), numbers, -1)
    distance = np.abs(np.arange(len(rows)) - rows)
    nearest_first = np.lexsort((distance, rows))
    is_later = np.zeros(len(rows), np.bool_)
    is_later[nearest_first[1:]] = rows[nearest_first[1:]] == rows[nearest_first[:-1]]
    return np.where(is_later, -1, rows)
