"""What swapping cost in a session: frames lost, and how long the screen stood still. A pure function over rows."""

from __future__ import annotations

import numpy as np

from ferbench.realtime.tables import Rows
from ferbench.results import Record


class Swaps(Record):
    """The gaps between one result and the next, where a recognizer or detector was swapped and where not.

    Attributes:
        n: How often another recognizer or detector gave the next result.
        n_dropped: Frames dropped between the last result of one and the first of the next.
        longest_ms: The longest of those gaps; None without a swap.
        median_ms: The usual gap between two results without a swap; None for fewer than two results in a row.
        longest_other_ms: The longest gap without a swap, which a recognizer loaded meanwhile may have caused.
    """

    n: int
    n_dropped: int
    longest_ms: float | None
    median_ms: float | None
    longest_other_ms: float | None


def swaps(rows: Rows) -> Swaps:
    """What swapping cost. Pauses end a series of results: nothing is counted across them."""
    frames = rows.frames
    is_done = (frames["outcome"] == "done").to_numpy()
    done = frames[is_done]
    place = np.flatnonzero(is_done)
    gaps = 1e3 * np.diff(done["done_at"].to_numpy())
    who = (done["recognizer"] + "\n" + done["detector"]).to_numpy(object)
    is_swap = who[1:] != who[:-1]
    n_paused = np.concatenate([[0], np.cumsum(frames["outcome"] == "paused")])
    n_dropped = np.concatenate([[0], np.cumsum(frames["outcome"] == "dropped")])
    is_joined = n_paused[place[1:]] == n_paused[place[:-1]]
    lost = n_dropped[place[1:]] - n_dropped[place[:-1]]
    across, within = gaps[is_swap & is_joined], gaps[~is_swap & is_joined]
    return Swaps(
        n=int((is_swap & is_joined).sum()),
        n_dropped=int(lost[is_swap & is_joined].sum()),
        longest_ms=float(across.max()) if len(across) else None,
        median_ms=float(np.median(within)) if len(within) else None,
        longest_other_ms=float(within.max()) if len(within) else None,
    )
