"""From rows to what is said of a recognizer in the loop: how fast, how late, how right. Pure functions.

Frames without labels yield speed alone; nothing said of them is called right or wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ferbench.realtime.answers import answered, answered_in_time
from ferbench.realtime.tables import Rows
from ferbench.results import Record
from ferbench.statistics import bootstrap_interval

if TYPE_CHECKING:
    import pandas as pd

STAGES = ("capture", "detect", "crop", "recognize", "draw")
"""What a frame goes through, in order; each has a column `<stage>_ms`."""

_ENOUGH_FOR_P99 = 1000


class Percentiles(Record):
    """Milliseconds by percentile over `n` frames; `p99_ms` is left out below 1,000 of them."""

    n: int
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float | None


class Share(Record):
    """A share of `n` faces, 0 to 1, with a 95 % bootstrap interval over faces that show the same."""

    value: float
    low: float
    high: float
    n: int


class LabelledSummary(Record):
    """What labels allow to say.

    `detection_rate` is the share of labelled faces that were found, `n_false_faces` counts found faces that are none
    (in frames whose faces' places are known), `accuracy` and `macro_f1` are those of the whole path, in which a face
    that was not found is wrong. `streaming_accuracy` is read `deadline_s` after each frame's arrival.
    """

    n_frames: int
    n_false_faces: int
    false_faces_per_frame: float | None
    detection_rate: Share | None
    accuracy: Share | None
    accuracy_on_found: Share | None
    macro_f1: float | None
    streaming_accuracy: Share | None
    deadline_s: float | None


class RealtimeSummary(Record):
    """One recognizer with one detector in the loop. `labelled` is None where no frame carried labels.

    `age` is the time from a frame's arrival to its result, `stages` the time in each stage that was timed.
    """

    recognizer: str
    detector: str
    n_arrived: int
    n_done: int
    n_dropped: int
    n_failed: int
    n_paused: int
    fps: float | None
    drop_rate: float | None
    age: Percentiles | None
    stages: dict[str, Percentiles]
    labelled: LabelledSummary | None


def summarize(rows: Rows, *, deadline: float | None = None) -> tuple[RealtimeSummary, ...]:
    """One record for each recognizer with each detector, in the order in which they were first in use.

    Args:
        rows: Of a session, or of a comparison.
        deadline: For `streaming_accuracy`.
    """
    pairs = rows.frames[["recognizer", "detector"]].drop_duplicates()
    return tuple(
        _summarized(recognizer, detector, rows.select(recognizer, detector), deadline)
        for recognizer, detector in pairs.itertuples(index=False)
    )


def fps(rows: Rows) -> float | None:
    """Frames done a second: (n - 1) / (last - first), in stretches without swap or pause and then over all of them.

    Returns:
        None where no stretch has two frames that are done.
    """
    done = rows.frames[rows.frames["outcome"] == "done"].groupby("stretch")["done_at"]
    n_intervals, seconds = (done.count() - 1).sum(), (done.max() - done.min()).sum()
    return float(n_intervals / seconds) if seconds > 0 else None


def drop_rate(rows: Rows) -> float | None:
    """Share of the frames that arrived while nothing was paused that were never analyzed; None for no frames."""
    arrived = rows.frames.loc[rows.frames["outcome"] != "paused", "outcome"]
    return float((arrived == "dropped").mean()) if len(arrived) else None


def age(rows: Rows) -> Percentiles | None:
    """Time from a frame's arrival to its result, over frames that are done."""
    done = rows.frames[rows.frames["outcome"] == "done"]
    return percentiles(1e3 * (done["done_at"] - done["arrived_at"]).to_numpy())


def stages(rows: Rows) -> dict[str, Percentiles]:
    """Time of each stage that was timed, over frames that are done."""
    done = rows.frames[rows.frames["outcome"] == "done"]
    found = {stage: percentiles(done[f"{stage}_ms"].dropna().to_numpy()) for stage in STAGES}
    return {stage: numbers for stage, numbers in found.items() if numbers is not None}


def percentiles(milliseconds: NDArray[np.float64]) -> Percentiles | None:
    """Percentiles of times in milliseconds, (n,); None for none."""
    n = len(milliseconds)
    if n == 0:
        return None
    p50, p90, p95, p99 = np.percentile(milliseconds, [50, 90, 95, 99]).tolist()
    return Percentiles(n=n, p50_ms=p50, p90_ms=p90, p95_ms=p95, p99_ms=p99 if n >= _ENOUGH_FOR_P99 else None)


def frame_interval(rows: Rows) -> float | None:
    """Seconds from one arrival to the next, the median within stretches; None where no two frames arrived."""
    gaps = rows.frames.groupby("stretch")["arrived_at"].diff().dropna()
    return float(gaps.median()) if len(gaps) else None


def streaming_accuracy(rows: Rows, deadline: float | None = None) -> Share | None:
    """Share of labelled faces for which the screen was right in time (Li, Wang and Ramanan, ECCV 2020).

    Every frame that arrived counts, dropped ones too: at its deadline, the newest finished prediction is compared with
    what this frame shows, a face being found where boxes overlap by 0.3. So a slow recognizer is judged by answers to
    frames that are past.

    Args:
        rows: Of one recognizer with one detector.
        deadline: Seconds after arrival at which the screen is read; None: one frame of the source, by `frame_interval`.
            Give it for a source that waits, whose frames arrive when they are asked for.

    Returns:
        None where no frame carries a label.
    """
    deadline = frame_interval(rows) if deadline is None else deadline
    return None if deadline is None else share(answered_in_time(rows, deadline), "is_right")


def macro_f1(answers: pd.DataFrame) -> float | None:
    """Mean F1 over the emotions that occur, of what `answered` returns; None where there is no face.

    A face that was not found is a miss of its emotion, and of no emotion a false alarm.
    """
    if len(answers) == 0:
        return None
    emotions = answers["emotion"].unique()
    n_right = answers.loc[answers["is_right"], "emotion"].value_counts().reindex(emotions, fill_value=0)
    n_true = answers["emotion"].value_counts().reindex(emotions)
    n_answered = answers["answer"].value_counts().reindex(emotions, fill_value=0)
    return float((2 * n_right / (n_true + n_answered)).mean())


def share(answers: pd.DataFrame, column: str) -> Share | None:
    """Share of the faces in a table for which a column is true, resampled by `group`; None where there is no face."""
    if len(answers) == 0:
        return None
    values = answers[column].to_numpy(np.float64)
    low, high = bootstrap_interval(values, answers["group"].to_numpy())
    return Share(value=float(values.mean()), low=low, high=high, n=len(values))


def _summarized(recognizer: str, detector: str, rows: Rows, deadline: float | None) -> RealtimeSummary:
    counts: dict[str, Any] = rows.frames["outcome"].value_counts().to_dict()
    is_labelled = rows.frames["n_truths"].notna().any()
    return RealtimeSummary(
        recognizer=recognizer,
        detector=detector,
        n_arrived=len(rows.frames),
        n_done=counts.get("done", 0),
        n_dropped=counts.get("dropped", 0),
        n_failed=counts.get("failed", 0),
        n_paused=counts.get("paused", 0),
        fps=fps(rows),
        drop_rate=drop_rate(rows),
        age=age(rows),
        stages=stages(rows),
        labelled=_labelled(rows, deadline) if is_labelled else None,
    )


def _labelled(rows: Rows, deadline: float | None) -> LabelledSummary:
    answers = answered(rows)
    is_placed = answers["x2"] > answers["x1"]
    frames = rows.frames[rows.frames["outcome"].isin(["done", "failed"]) & rows.frames["n_truths"].notna()]
    placed = frames[~frames["row"].isin(answers.loc[~is_placed, "row"])]
    n_found = int((answers["is_found"] & is_placed).sum())
    n_false = int(rows.faces["row"].isin(placed["row"]).sum()) - n_found
    deadline = frame_interval(rows) if deadline is None else deadline
    return LabelledSummary(
        n_frames=len(frames),
        n_false_faces=n_false,
        false_faces_per_frame=n_false / len(placed) if len(placed) else None,
        detection_rate=share(answers, "is_found"),
        accuracy=share(answers, "is_right"),
        accuracy_on_found=share(answers[answers["is_found"]], "is_right"),
        macro_f1=macro_f1(answers),
        streaming_accuracy=streaming_accuracy(rows, deadline),
        deadline_s=deadline,
    )
