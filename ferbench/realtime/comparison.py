"""Every recognizer with every detector on the same replayed frames, in rotated blocks; and what crops cost there."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from ferbench.faces.detectors import FaceDetector
from ferbench.realtime.agreement import Difference
from ferbench.realtime.answers import answered
from ferbench.realtime.choice import Choice
from ferbench.realtime.frames import Clock, Wait
from ferbench.realtime.lineup import Lineup
from ferbench.realtime.replay import Replay
from ferbench.realtime.rows import RowLog
from ferbench.realtime.scenes import Scenes
from ferbench.realtime.session import Session
from ferbench.realtime.tables import Rows
from ferbench.realtime.true_boxes import TrueBoxes
from ferbench.recognizers.base import Recognizer
from ferbench.statistics import bootstrap_interval
from ferbench.types import ProgressHook


def compare(
    scenes: Scenes,
    detectors: Sequence[FaceDetector],
    recognizers: Sequence[tuple[str, Recognizer]],
    log: RowLog,
    *,
    n_frames: int | None = None,
    block: int = 100,
    fps: float | None = None,
    clock: Clock = time.perf_counter,
    wait: Wait = time.sleep,
    on_progress: ProgressHook = lambda stage, done, total: None,
) -> None:
    """Show each pair the same frames, a block at a time; from block to block another pair begins.

    So differences between two pairs are differences on the same frames, and a machine that slows down or warms up
    meets all of them alike. A block's frames are drawn before it begins: a camera's frames cost no drawing either.

    Args:
        scenes: What is shown.
        detectors: What finds faces.
        recognizers: (name, recognizer) pairs, warm.
        log: Where the rows go.
        n_frames: Frames of `scenes` that are shown; None: all.
        block: Frames a pair is shown at a time; they are in memory together.
        fps: Frames a second, as a camera gives them: what comes late is dropped. None: frames wait.
        clock: Times everything.
        wait: Passes time.
        on_progress: Receives blocks done.
    """
    n_frames = len(scenes) if n_frames is None else min(n_frames, len(scenes))
    pairs = [(detector, recognizer) for detector in detectors for recognizer in recognizers]
    starts = range(0, n_frames, block)
    for turn, start in enumerate(starts):
        frames = range(start, min(start + block, n_frames))
        scenes.hold(frames)
        first = turn % len(pairs)
        for number, (detector, recognizer) in enumerate(pairs[first:] + pairs[:first]):
            on_progress("frames", turn * len(pairs) + number, len(starts) * len(pairs))
            source = Replay(scenes, fps=fps, frames=frames, clock=clock, wait=wait)
            only = Choice("detector", [(detector.name, detector)])
            Session(source, only, Lineup([recognizer]), log, clock=clock).run()
    scenes.hold(range(0))
    on_progress("frames", 1, 1)


def crop_cost(rows: Rows, recognizer: str, detector: str) -> Difference | None:
    """What a detector's crops cost in accuracy: on the faces that it found, right in its crops less right in true ones.

    Args:
        rows: Of a comparison in which `recognizer` had true boxes too.
        recognizer: Its name.
        detector: Its name.

    Returns:
        None where the detector found none of the faces that were shown with true boxes.
    """
    key = ["frame", "face"]
    own = answered(rows.select(recognizer, detector))
    true = answered(rows.select(recognizer, TrueBoxes.name))
    both = own[own["is_found"]].merge(true[[*key, "is_right"]], on=key, suffixes=("", "_true"))
    if len(both) == 0:
        return None
    values = both["is_right"].to_numpy(np.float64) - both["is_right_true"].to_numpy(np.float64)
    low, high = bootstrap_interval(values, both["group"].to_numpy())
    return Difference(value=float(values.mean()), low=low, high=high, n=len(values))
