"""The person's side of the loop: what is shown, and what the keys do. Between two frames, in the loop's own thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ferbench.errors import DataError
from ferbench.faces.detectors import FaceDetector
from ferbench.realtime.analysis import FrameAnalysis
from ferbench.realtime.choice import Choice
from ferbench.realtime.frames import Clock, Frame
from ferbench.realtime.lineup import Lineup, as_spelled
from ferbench.realtime.monitor import Monitor
from ferbench.realtime.overlay import draw
from ferbench.realtime.recording import Recorder, save_frame
from ferbench.realtime.screen import BACKSPACE, ENTER, ESCAPE, TAB, Headless, Key, Screen
from ferbench.realtime.view import Prompt, View
from ferbench.types import FrameImage

_NOTICE_SECONDS = 4.0
_LINE_SECONDS = 1.0
_WAITING_SIZE = (480, 640, 3)


class Viewer:
    """Draws what was seen and obeys the keys.

    Args:
        screen: Where pictures go and keys come from.
        detectors: D takes the next one.
        lineup: 1 to 9 and Tab choose, A adds.
        pictures: Folder for recordings and saved frames; nothing is written there unless R or S is pressed.
        certainty: A face whose most probable class has less than this reads "uncertain".
        say: Takes a line a second where there is no screen, and every notice.
        clock: Of the loop.
    """

    def __init__(
        self,
        screen: Screen,
        detectors: Choice[FaceDetector],
        lineup: Lineup,
        pictures: Path,
        *,
        certainty: float = 0.0,
        say: Callable[[str], None] = lambda text: None,
        clock: Clock = time.perf_counter,
    ) -> None:
        self.screen, self.detectors, self.lineup = screen, detectors, lineup
        self.certainty, self.say, self.clock = certainty, say, clock
        self.monitor = Monitor()
        self.prompt: Prompt | None = None
        self.is_paused = self.has_help = self.wants_quit = False
        self._pictures = pictures
        self._recorder: Recorder | None = None
        self._asked_to_record = False
        self._typed: str | None = None
        self._notices: list[tuple[float, str]] = []
        self._status = ""
        self._image = self._picture = np.zeros(_WAITING_SIZE, np.uint8)
        self._is_watched = not isinstance(screen, Headless)
        self._line_at = -np.inf

    def show(self, frame: Frame, seen: FrameAnalysis | None) -> None:
        """Show a frame and what was seen in it, None where nothing was looked for; then hear the keys."""
        self._image = frame.image
        for sentence in seen.failures if seen else ():
            self.notify(sentence)
        self._refresh(seen)

    def wait(self, status: str) -> None:
        """Keep the screen alive while no frame comes; `status` says why."""
        self._status = status
        self._refresh(None)

    def notify(self, sentence: str) -> None:
        """Show a sentence for some seconds."""
        self._notices.append((self.clock() + _NOTICE_SECONDS, sentence))
        self.say(sentence)

    def close(self) -> None:
        """Finish a recording and give the screen back."""
        self._stop_recording()
        self.screen.close()

    def _refresh(self, seen: FrameAnalysis | None) -> None:
        now = self.clock()
        self._notices = [(until, sentence) for until, sentence in self._notices if until > now]
        if self._is_watched:
            self._picture = draw(self._image, self._view(seen, now))
            self.screen.show(self._picture)
            self._record(self._picture)
        elif now >= self._line_at and seen:
            self._line_at = now + _LINE_SECONDS
            self.say(self._line(seen))
        key = self.screen.key()
        if key is not None:
            self._obey(key)
        if not self.screen.is_open:
            self.wants_quit = True

    def _view(self, seen: FrameAnalysis | None, now: float) -> View:
        notices = [sentence for _, sentence in reversed(self._notices)]
        view = View(
            recognizer=self.lineup.name,
            detector=self.detectors.name,
            certainty=self.certainty,
            fps=self.monitor.fps,
            stages=self.monitor.stages(now),
            drop_rate=self.monitor.drop_rate,
            accuracy=self.monitor.accuracy,
            recognizers=self.lineup.names,
            current=self.lineup.position,
            notices=tuple([self._status, *notices] if self._status else notices),
            prompt=self.prompt,
            typed=self._typed,
            is_paused=self.is_paused,
            is_recording=self._recorder is not None,
            has_help=self.has_help,
        )
        if seen is None:
            return view
        return replace(
            view,
            recognizer=seen.recognizer,
            detector=seen.detector,
            boxes=seen.boxes,
            probabilities=seen.probabilities,
            classes=seen.classes,
        )

    def _line(self, seen: FrameAnalysis) -> str:
        fps = self.monitor.fps
        parts = [f"{seen.recognizer} + {seen.detector}", f"{fps:.1f} frames/s" if fps else "starting"]
        parts += [f"{name} {low:.1f} ms" for name, (low, _) in self.monitor.stages(self.clock()).items() if low == low]
        if self.monitor.drop_rate:
            parts.append(f"{100 * self.monitor.drop_rate:.0f} % dropped")
        if self.monitor.accuracy:
            right, labelled = self.monitor.accuracy
            parts.append(f"{100 * right / labelled:.1f} % right of {labelled:,}")
        return " · ".join(parts)

    def _obey(self, key: Key) -> None:
        if self._typed is not None:
            self._type(key)
        elif key.isdigit() and key != "0":
            if not self.lineup.select(int(key) - 1):
                self.notify(f"There is no recognizer {key}: A adds one.")
        elif key.lower() in self._keys:
            self._keys[key.lower()](self)

    def _type(self, key: Key) -> None:
        typed = self._typed or ""
        if key == ENTER:
            self._typed = None
            if typed.strip():
                self.notify(f"Loading {typed.strip()} ...")
                self.lineup.request(as_spelled(typed.strip()))
        elif key == ESCAPE:
            self._typed = None
        elif key == BACKSPACE:
            self._typed = typed[:-1]
        elif len(key) == 1:
            self._typed = typed + key

    def _toggle_pause(self) -> None:
        self.is_paused = not self.is_paused

    def _toggle_help(self) -> None:
        self.has_help = not self.has_help

    def _start_typing(self) -> None:
        self._typed = ""

    def _quit(self) -> None:
        self.wants_quit = True

    def _toggle_recording(self) -> None:
        if self._recorder:
            self._stop_recording()
        elif not self._asked_to_record:
            self._asked_to_record = True
            self.notify(f"Recording writes pictures of faces to {self._pictures}. Press R again to start.")
        else:
            self._recorder = Recorder(self._pictures, fps=self.monitor.fps or 15.0)

    def _record(self, picture: FrameImage) -> None:
        if self._recorder:
            try:
                self._recorder.write(picture)
            except DataError as error:
                self._recorder = None
                self.notify(str(error))

    def _stop_recording(self) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder:
            try:
                recorder.close()
            except DataError as error:
                self.notify(str(error))

    def _save_frame(self) -> None:
        try:
            self.notify(f"Saved {save_frame(self._picture, self._pictures)}.")
        except DataError as error:
            self.notify(str(error))

    _keys: dict[str, Callable[[Viewer], None]] = {  # noqa: RUF012 - a table of what is defined above
        TAB: lambda self: self.lineup.next(),
        "d": lambda self: self.detectors.next(),
        "p": _toggle_pause,
        "r": _toggle_recording,
        "s": _save_frame,
        "h": _toggle_help,
        "a": _start_typing,
        "q": _quit,
        ESCAPE: _quit,
    }
