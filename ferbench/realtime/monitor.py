"""What the screen says of the last moments: a few sums and short windows, so that a frame costs next to nothing.

The figures of a finished session come from its rows instead (`summary.py`).
"""

from __future__ import annotations

from collections import defaultdict, deque

import numpy as np

STAGES = ("capture", "detect", "crop", "recognize", "draw")
_WINDOW = 128
_REFRESH_SECONDS = 0.25


class Monitor:
    """Frames a second, latency by stage, drop rate and running accuracy.

    Latencies and frames a second are those of the last 128 analyzed frames and start anew with every swap; accuracy is
    kept for each recognizer and detector by itself.
    """

    def __init__(self) -> None:
        self._done: deque[float] = deque(maxlen=_WINDOW)
        self._ms = np.full((_WINDOW, len(STAGES)), np.nan)
        self._n = 0
        self._dropped: deque[int] = deque(maxlen=_WINDOW)
        self._hits: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        self._who = ("", "")
        self._stages: dict[str, tuple[float, float]] = {}
        self._refresh_at = -np.inf

    def note(self, who: tuple[str, str], done_at: float, ms: tuple[float, ...], n_dropped: int) -> None:
        """An analyzed frame.

        Args:
            who: The recognizer and the detector.
            done_at: When its prediction was there.
            ms: Milliseconds by stage, in the order of `STAGES`.
            n_dropped: Frames dropped since the one before.
        """
        if who != self._who:
            self._who, self._n, self._refresh_at = who, 0, -np.inf
            self._done.clear()
        self._done.append(done_at)
        self._dropped.append(n_dropped)
        self._ms[self._n % _WINDOW] = ms
        self._n += 1

    def note_faces(self, n_right: int, n_labelled: int) -> None:
        """Labelled faces of the frame noted last, and how many of them were found and named right."""
        counts = self._hits[self._who]
        counts[0] += n_right
        counts[1] += n_labelled

    @property
    def fps(self) -> float | None:
        """Analyzed frames a second."""
        if len(self._done) < 2 or self._done[-1] <= self._done[0]:
            return None
        return (len(self._done) - 1) / (self._done[-1] - self._done[0])

    @property
    def drop_rate(self) -> float | None:
        """Share of the frames that arrived and were dropped."""
        n_dropped = sum(self._dropped)
        return n_dropped / (n_dropped + len(self._dropped)) if self._dropped else None

    @property
    def accuracy(self) -> tuple[int, int] | None:
        """Faces right and labelled faces so far, of the current recognizer and detector; None without labels."""
        right, labelled = self._hits[self._who]
        return (right, labelled) if labelled else None

    def stages(self, now: float) -> dict[str, tuple[float, float]]:
        """Median and 95th percentile by stage in milliseconds, computed anew four times a second."""
        if now >= self._refresh_at and self._n:
            low, high = np.percentile(self._ms[: min(self._n, _WINDOW)], (50, 95), axis=0)
            self._stages = {name: (float(low[i]), float(high[i])) for i, name in enumerate(STAGES)}
            self._refresh_at = now + _REFRESH_SECONDS
        return self._stages
