"""The loop: read a frame, analyze it, write its rows, draw it, hear the keys. One thread.

It knows no dataset and no file format: sources give frames, the log takes rows, the viewer shows pictures.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from ferbench.faces.detectors import FaceDetector
from ferbench.realtime.analysis import FrameAnalysis, Pipeline
from ferbench.realtime.choice import Choice
from ferbench.realtime.frames import Clock, Frame, FrameSource, Truth
from ferbench.realtime.lineup import Lineup
from ferbench.realtime.monitor import Monitor
from ferbench.realtime.prompts import Prompts
from ferbench.realtime.rows import FrameRow, Outcome, RowLog
from ferbench.realtime.viewer import Viewer

_PATIENCE_SECONDS = 0.05  # how long keys wait while no frame comes


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """How long a session lasts and what happens in it without keys.

    Attributes:
        smoothing: See `Pipeline`.
        swap_seconds: The next recognizer takes over after so long, again and again; None: only when asked.
        max_frames: Ends after so many frames that arrived; None: never.
        max_seconds: Ends after so long; None: never.
    """

    smoothing: float | None = None
    swap_seconds: float | None = None
    max_frames: int | None = None
    max_seconds: float | None = None


class Session:
    """One source, watched until it ends or the person quits.

    Args:
        source: Where frames come from.
        detectors: What finds faces.
        lineup: What tells their emotions.
        log: Where rows go; the caller closes it.
        viewer: What shows and hears; None: nobody watches.
        settings: See `SessionSettings`.
        prompts: What a person is asked to show, which labels the frames; None: frames keep the labels they have.
        clock: The clock of the source.
    """

    def __init__(
        self,
        source: FrameSource,
        detectors: Choice[FaceDetector],
        lineup: Lineup,
        log: RowLog,
        *,
        viewer: Viewer | None = None,
        settings: SessionSettings = SessionSettings(),
        prompts: Prompts | None = None,
        clock: Clock = time.perf_counter,
    ) -> None:
        self.source, self.detectors, self.lineup, self.log = source, detectors, lineup, log
        self.viewer, self.settings, self.prompts, self.clock = viewer, settings, prompts, clock
        self.monitor = viewer.monitor if viewer else Monitor()
        self._pipeline = Pipeline(detectors, lineup, smoothing=settings.smoothing, clock=clock)
        self._n_arrived = 0
        self._draw_ms = 0.0
        self._started_at: float | None = None
        self._turn = 0

    def run(self) -> None:
        """Watch until the source ends, a limit is reached or the person quits.

        Raises:
            DataError: rows cannot be written any more; those so far are safe.
            KeyboardInterrupt: Ctrl-C; the same holds.
        """
        while not self._is_over():
            frame = self.source.read(_PATIENCE_SECONDS)
            self._take_turns()
            if frame is not None:
                self._watch(self._labelled(frame))
                continue
            self.log.flush()
            if self.viewer:
                self.viewer.wait(self.source.status)

    def _watch(self, frame: Frame) -> None:
        for missed in frame.dropped:
            self.log.add(self._row(missed.index, missed.arrived_at, "dropped"), missed.truth)
        self._n_arrived += 1 + len(frame.dropped)
        capture_ms = 1e3 * frame.capture_s
        if self.viewer and self.viewer.is_paused:
            self.viewer.show(frame, None)
            self.log.add(
                replace(self._row(frame.index, frame.arrived_at, "paused"), capture_ms=capture_ms), frame.truth
            )
            return
        seen = self._pipeline.analyze(frame)
        self.monitor.note(
            (seen.recognizer, seen.detector), seen.done_at, (capture_ms, *seen.ms, self._draw_ms), len(frame.dropped)
        )
        if frame.truth is not None and len(frame.truth):
            self.monitor.note_faces(seen.n_right(frame.truth), len(frame.truth))
        draw_ms = self._show(frame, seen)
        detect_ms, crop_ms, recognize_ms = seen.ms
        row = FrameRow(
            frame.index,
            frame.arrived_at,
            "failed" if seen.is_failed else "done",
            seen.recognizer,
            seen.detector,
            capture_ms,
            detect_ms,
            crop_ms,
            recognize_ms,
            draw_ms,
            None if seen.is_failed else seen.done_at,
            " ".join([*seen.failures, self.source.status]).strip() if seen.failures else self.source.status,
        )
        self.log.add(row, frame.truth, None if seen.is_failed else seen)

    def _show(self, frame: Frame, seen: FrameAnalysis) -> float | None:
        if self.viewer is None:
            return None
        start = self.clock()
        self.viewer.show(frame, seen)
        self._draw_ms = 1e3 * (self.clock() - start)
        return self._draw_ms

    def _labelled(self, frame: Frame) -> Frame:
        """The frame with the label that the prompt at its arrival gives it, and so for those dropped before it."""
        if self._started_at is None:
            self._started_at = frame.arrived_at
        if self.prompts is None:
            return frame
        dropped = tuple(replace(missed, truth=self._asked_for(missed.arrived_at)) for missed in frame.dropped)
        return replace(frame, truth=self._asked_for(frame.arrived_at), dropped=dropped)

    def _asked_for(self, arrived_at: float) -> Truth | None:
        return self.prompts.truth(arrived_at - (self._started_at or 0.0)) if self.prompts else None

    def _take_turns(self) -> None:
        """Let newcomers in, and swap where it is time: always between two frames."""
        for sentence in self.lineup.collect():
            if self.viewer:
                self.viewer.notify(sentence)
        if self.viewer and self.prompts:
            self.viewer.prompt = self.prompts.shown(self._elapsed())
        if self.settings.swap_seconds is not None:
            turn = int(self._elapsed() // self.settings.swap_seconds)
            if turn > self._turn:
                self._turn = turn
                self.lineup.next()

    def _is_over(self) -> bool:
        limits = self.settings
        return (
            self.source.is_finished
            or (self.viewer is not None and self.viewer.wants_quit)
            or (limits.max_frames is not None and self._n_arrived >= limits.max_frames)
            or (limits.max_seconds is not None and self._elapsed() >= limits.max_seconds)
            or (self.prompts is not None and self.prompts.is_over(self._elapsed()))
        )

    def _elapsed(self) -> float:
        return 0.0 if self._started_at is None else self.clock() - self._started_at

    def _row(self, index: int, arrived_at: float, outcome: Outcome) -> FrameRow:
        return FrameRow(index, arrived_at, outcome, self.lineup.name, self.detectors.name)
