"""What was answered for each labelled face: in its own frame, or by what stood on the screen at a deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ferbench.realtime.tables import Rows

if TYPE_CHECKING:
    import pandas as pd

MATCHED_AT = 0.3
"""The least intersection over union at which a found face is taken to be a labelled one."""

_BOX = ["x1", "y1", "x2", "y2"]


def answered(rows: Rows) -> pd.DataFrame:
    """The labelled faces of all frames that were analyzed, and what was answered for each.

    Frames whose analysis failed count: nothing was found in them.

    Returns:
        A row a labelled face: `row` of its frame, `group`, `emotion`, `answer` (blank where the face was not found),
        `is_found` and `is_right`.
    """
    asked = _asked(rows, ["done", "failed"])
    return _with_answers(asked, rows.faces, asked["row"].to_numpy())


def answered_in_time(rows: Rows, deadline: float) -> pd.DataFrame:
    """The labelled faces of all frames that arrived, dropped or not, and what the screen said of each in time.

    For every frame that is the newest prediction finished at its arrival plus the deadline, whichever frame it was made
    for; its boxes are matched to this frame's faces. Predictions from before a swap or a pause do not count.

    Args:
        rows: Of one recognizer with one detector, or of a whole session.
        deadline: Seconds after arrival at which the screen is read.

    Returns:
        As `answered`.
    """
    asked = _asked(rows, ["done", "failed", "dropped"])
    done = rows.frames[rows.frames["outcome"] == "done"].sort_values(["done_at", "row"])
    finished = {stretch: (own["done_at"].to_numpy(), own["row"].to_numpy()) for stretch, own in done.groupby("stretch")}
    source = np.full(len(asked), -1, np.int64)
    read_at = asked["arrived_at"].to_numpy() + deadline
    for stretch, places in asked.groupby("stretch").indices.items():
        if stretch in finished:
            done_at, done_row = finished[stretch]
            newest = np.searchsorted(done_at, read_at[places], side="right") - 1
            source[places] = np.where(newest >= 0, done_row[newest], -1)
    return _with_answers(asked, rows.faces, source)


def paired(asked: pd.DataFrame, faces: pd.DataFrame, source: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which found face is which of those asked for: one to one within a frame, best overlaps first.

    A box without area stands for a face of unknown place, which the largest found face is.

    Args:
        asked: Faces with `row` and box, (n,) rows.
        faces: Found faces with `row`, `face` and box.
        source: The `row` of the frame in whose found faces each is looked for, int64 (n,); -1: in none.

    Returns:
        int64, (n,): places in `faces`, -1 where nothing overlaps enough.
    """
    import pandas as pd

    left = pd.DataFrame({"row": source, "asked": np.arange(len(asked))})
    right = pd.DataFrame({"row": faces["row"].to_numpy(), "found": np.arange(len(faces))})
    pairs = left.merge(right, on="row")
    one, other = pairs["asked"].to_numpy(), pairs["found"].to_numpy()
    boxes = asked[_BOX].to_numpy()[one]
    overlap = _overlap(boxes, faces[_BOX].to_numpy()[other])
    is_largest = faces["face"].to_numpy()[other] == 0
    overlap = np.where(_area(boxes) > 0, overlap, is_largest)
    order = np.argsort(-overlap, kind="stable")
    order = order[overlap[order] >= MATCHED_AT]
    one, other = one[order], other[order]
    frame = asked["row"].to_numpy()[one]
    return _one_to_one(one, other, frame * max(len(faces), 1) + other, len(asked))


def _asked(rows: Rows, outcomes: list[str]) -> pd.DataFrame:
    shown = rows.frames.loc[rows.frames["outcome"].isin(outcomes), ["frame", "row", "stretch", "arrived_at"]]
    return shown.merge(rows.truths, on="frame")


def _with_answers(asked: pd.DataFrame, faces: pd.DataFrame, source: NDArray[np.int64]) -> pd.DataFrame:
    place = paired(asked, faces, source)
    answer = np.append(faces["emotion"].to_numpy(object), "")[place]
    is_right = answer == asked["emotion"].to_numpy(object)
    return asked.assign(answer=answer, is_found=place >= 0, is_right=is_right)


def _one_to_one(one: NDArray[np.int64], other: NDArray[np.int64], use: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Pairs, best first, to one partner each: again and again, pairs that are the first of both sides are taken."""
    partner = np.full(n, -1, np.int64)
    while len(one):
        is_best = _is_first(one) & _is_first(use)
        partner[one[is_best]] = other[is_best]
        is_left = ~(np.isin(one, one[is_best]) | np.isin(use, use[is_best]))
        one, other, use = one[is_left], other[is_left], use[is_left]
    return partner


def _is_first(values: NDArray[np.int64]) -> NDArray[np.bool_]:
    is_first = np.zeros(len(values), np.bool_)
    is_first[np.unique(values, return_index=True)[1]] = True
    return is_first


def _overlap(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float64]:
    shared = np.concatenate([np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, 2:], other[:, 2:])], axis=1)
    common = _area(shared)
    return np.asarray(common / np.maximum(_area(one) + _area(other) - common, 1))


def _area(boxes: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(np.maximum(boxes[:, 2] - boxes[:, 0], 0) * np.maximum(boxes[:, 3] - boxes[:, 1], 0))
