"""How two recognizers differ: as often as they give the same answer, and by how much one is more often right.

Pure functions over rows. Where frames carry no labels, agreement is all there is to say.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ferbench.realtime.answers import answered, paired
from ferbench.realtime.summary import Share, share
from ferbench.realtime.tables import Rows
from ferbench.results import Record
from ferbench.statistics import bootstrap_interval

if TYPE_CHECKING:
    import pandas as pd

_LONGEST_SWAP_S = 1.0


class Agreement(Record):
    """Share of the faces seen by two recognizers with the same detector for which both say the same emotion.

    On "same frames" both were shown the same pictures, as a comparison does. On "swaps" no picture was seen by both, as
    on a live camera: the last frame before a swap is compared with the first one after it, at most a second later. Then
    the face itself may have changed, and `baseline` is how often neighboring frames of one recognizer agree: read the
    share against it, not against 1.
    """

    one: str
    other: str
    detector: str
    basis: Literal["same frames", "swaps"]
    share: Share
    baseline: float | None


class Difference(Record):
    """By how much `one` is more often right than `other` on the same faces, -1 to 1, with a 95 % bootstrap interval."""

    value: float
    low: float
    high: float
    n: int


def agreements(rows: Rows) -> tuple[Agreement, ...]:
    """For all two recognizers with each detector, by the frames that both were shown, else by swaps; nothing else."""
    found = []
    for detector, frames in rows.frames[rows.frames["outcome"] == "done"].groupby("detector", sort=False):
        for one, other in combinations(frames["recognizer"].unique(), 2):
            agreement = _agreement(rows, frames, one, other, str(detector))
            if agreement is not None:
                found.append(agreement)
    return tuple(found)


def accuracy_difference(rows: Rows, one: tuple[str, str], other: tuple[str, str]) -> Difference | None:
    """Compare two on the labelled faces of the frames that both analyzed, face by face.

    Args:
        rows: Of a comparison.
        one: Recognizer and detector.
        other: Recognizer and detector.

    Returns:
        None where they saw no labelled face in common.
    """
    key = ["frame", "face"]
    first, second = (answered(rows.select(*who))[[*key, "group", "is_right"]] for who in (one, other))
    both = first.merge(second.drop(columns="group"), on=key, suffixes=("", "_other"))
    if len(both) == 0:
        return None
    values = both["is_right"].to_numpy(np.float64) - both["is_right_other"].to_numpy(np.float64)
    low, high = bootstrap_interval(values, both["group"].to_numpy())
    return Difference(value=float(values.mean()), low=low, high=high, n=len(values))


def _agreement(rows: Rows, frames: pd.DataFrame, one: str, other: str, detector: str) -> Agreement | None:
    first, second = (frames.loc[frames["recognizer"] == name, ["frame", "row"]] for name in (one, other))
    common = first.merge(second, on="frame", suffixes=("", "_other"))
    if len(common):
        same = _share(rows, common["row"].to_numpy(), common["row_other"].to_numpy())
        basis: Literal["same frames", "swaps"] = "same frames"
        baseline = None
    else:
        before, after = _neighbors(rows.frames, detector)
        names = rows.frames.set_index("row")["recognizer"]
        earlier, later = names.loc[before].to_numpy(), names.loc[after].to_numpy()
        is_swap = ((earlier == one) & (later == other)) | ((earlier == other) & (later == one))
        same = _share(rows, before[is_swap], after[is_swap])
        is_own = (earlier == later) & np.isin(earlier, [one, other])
        own = _share(rows, before[is_own], after[is_own])
        basis, baseline = "swaps", None if own is None else own.value
    if same is None:
        return None
    return Agreement(one=one, other=other, detector=detector, basis=basis, share=same, baseline=baseline)


def _neighbors(frames: pd.DataFrame, detector: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of frames that are done and next to each other in time, with one detector and no pause between them."""
    seen = frames[frames["outcome"].isin(["done", "paused"])]
    before, after = seen.iloc[:-1], seen.iloc[1:]
    is_done = (before["outcome"].to_numpy() == "done") & (after["outcome"].to_numpy() == "done")
    is_detector = (before["detector"].to_numpy() == detector) & (after["detector"].to_numpy() == detector)
    is_near = after["arrived_at"].to_numpy() - before["arrived_at"].to_numpy() <= _LONGEST_SWAP_S
    chosen = is_done & is_detector & is_near
    return before["row"].to_numpy()[chosen], after["row"].to_numpy()[chosen]


def _share(rows: Rows, one: NDArray[np.int64], other: NDArray[np.int64]) -> Share | None:
    """Of the faces found in each frame `one` and in its partner `other`, those with the same emotion in both."""
    import pandas as pd

    faces = pd.DataFrame({"row": one, "source": other}).merge(rows.faces, on="row")
    place = paired(faces, rows.faces, faces["source"].to_numpy())
    faces, place = faces[place >= 0], place[place >= 0]
    is_same = faces["emotion"].to_numpy() == rows.faces["emotion"].to_numpy()[place]
    return share(faces.assign(is_same=is_same, group=faces["frame"]), "is_same")
