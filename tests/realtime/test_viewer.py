from collections import deque
from pathlib import Path

import numpy as np
import pytest

from ferbench.faces.detectors import WholeFrame
from ferbench.realtime.choice import Choice
from ferbench.realtime.lineup import Lineup
from ferbench.realtime.rows import RowLog
from ferbench.realtime.screen import Headless
from ferbench.realtime.session import Session
from ferbench.realtime.tables import Rows, read_rows
from ferbench.realtime.true_boxes import TrueBoxes
from ferbench.realtime.viewer import Viewer


class KeyBoard:
    """A screen that presses a key a frame and keeps what it is shown."""

    notice = ""

    def __init__(self, keys: str | list[str]) -> None:
        self.keys = deque(keys)
        self.pictures: list[np.ndarray] = []
        self.is_open = True

    def show(self, image: np.ndarray) -> None:
        self.pictures.append(image)

    def key(self) -> str | None:
        return self.keys.popleft() if self.keys else None

    def close(self) -> None:
        self.is_open = False


class Loop:
    """A session of scripted recognizers whose keys are pressed by a script."""

    def __init__(self, directory: Path, replay, scripted, clock) -> None:
        self.directory, self.replay, self.scripted, self.clock = directory, replay, scripted, clock
        self.said: list[str] = []

    def press(self, keys, n_frames: int = 12, *, screen=None, fps=None, lineup=None) -> Rows:
        lineup = lineup or Lineup([("happy", self.scripted(3)), ("sad", self.scripted(4)), ("angry", self.scripted(0))])
        detectors = Choice("detector", [("true_boxes", TrueBoxes()), ("whole_frame", WholeFrame())])
        self.screen = screen or KeyBoard(keys)
        self.viewer = Viewer(
            self.screen, detectors, lineup, self.directory / "pictures", say=self.said.append, clock=self.clock
        )
        with RowLog(self.directory / "rows") as log:
            source = self.replay(n_frames, fps=fps)
            Session(source, detectors, lineup, log, viewer=self.viewer, clock=self.clock).run()
        self.viewer.close()
        return read_rows(self.directory / "rows")


@pytest.fixture
def loop(tmp_path: Path, replay, scripted, clock) -> Loop:
    return Loop(tmp_path, replay, scripted, clock)


def test_digits_and_tab_choose_from_the_next_frame_on(loop: Loop) -> None:
    rows = loop.press(["2", "3", "tab", "tab", "9"], 6)
    assert rows.frames["recognizer"].tolist() == ["happy", "sad", "angry", "happy", "sad", "sad"]
    assert any("There is no recognizer 9" in said for said in loop.said)


def test_d_takes_the_next_detector(loop: Loop) -> None:
    rows = loop.press("dD", 3)
    assert rows.frames["detector"].tolist() == ["true_boxes", "whole_frame", "true_boxes"]


def test_q_and_escape_end_the_loop(loop: Loop) -> None:
    assert len(loop.press([None, "q"], 9).frames) == 2


def test_escape_ends_the_loop(loop: Loop) -> None:
    assert len(loop.press(["escape"], 9).frames) == 1


def test_a_window_closed_by_hand_ends_the_loop(loop: Loop) -> None:
    screen = KeyBoard([])
    screen.is_open = False
    assert len(loop.press([], 9, screen=screen).frames) == 1


def test_p_stops_analysis_at_once_and_starts_it_again(loop: Loop) -> None:
    rows = loop.press([None, "p", None, "p"], 6)
    assert rows.frames["outcome"].tolist() == ["done", "done", "paused", "paused", "done", "done"]
    assert len(rows.faces) == 4


def test_nothing_but_numbers_is_written_unless_asked(loop: Loop) -> None:
    loop.press(["h", "h", "p", "p"], 6)
    assert sorted(path.name for path in loop.directory.rglob("*") if path.is_file()) == [
        "faces.csv",
        "frames.csv",
        "truths.csv",
    ]


def test_r_asks_once_and_then_records(loop: Loop) -> None:
    loop.press(["r", None, "r", None, None, "r", None, "r"], 9)
    assert any("Press R again" in said for said in loop.said)
    assert len(list((loop.directory / "pictures").glob("recording-*.avi"))) == 2


def test_s_saves_what_is_on_screen(loop: Loop) -> None:
    import cv2

    loop.press([None, "s"], 2)
    (path,) = (loop.directory / "pictures").glob("picture-*.png")
    assert np.array_equal(cv2.imread(str(path)), loop.screen.pictures[1])


def test_h_shows_the_keys(loop: Loop) -> None:
    loop.press(["h", "h"], 3)
    plain, helped, _ = loop.screen.pictures
    assert (plain != helped).mean() > 0.05
    assert loop.viewer.has_help is False


def test_a_takes_a_name_and_the_newcomer_joins(loop: Loop, clock) -> None:
    names = ["a", *"prio", "x", "backspace", "r", "enter"]
    screen = KeyBoard(names)
    lineup = Lineup([("happy", loop.scripted(3))], load=lambda name: loop.scripted(4))
    loop.press([], len(names), screen=screen, lineup=lineup)
    assert "Loading prior ..." in loop.said


def test_escape_while_typing_only_ends_typing(loop: Loop) -> None:
    rows = loop.press(["a", "q", "escape", None], 6)
    assert len(rows.frames) == 6 and not any("Loading" in said for said in loop.said)


def test_a_failure_is_said_on_screen(loop: Loop) -> None:
    lineup = Lineup([("safe", loop.scripted(3)), ("broken", loop.scripted(4, fails_at=2))])
    loop.press(["2"], 4, lineup=lineup)
    assert "broken failed, safe carries on: the network is gone" in loop.said


def test_without_a_screen_a_line_a_second_says_how_it_goes(loop: Loop) -> None:
    loop.press([], 91, screen=Headless(), fps=30)
    lines = [said for said in loop.said if said.startswith("happy + true_boxes")]
    assert len(lines) == 4
    assert "30.0 frames/s" in lines[-1] and "% right of" in lines[-1]


def test_a_full_disk_stops_the_recording_and_not_the_loop(loop: Loop, monkeypatch) -> None:
    monkeypatch.setattr("ferbench.realtime.recording.MIN_FREE_BYTES", 2**62)
    rows = loop.press(["r", "r"], 6)
    assert len(rows.frames) == 6
    assert any("Recording to" in said and "stopped" in said for said in loop.said)
