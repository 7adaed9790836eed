"""A real window: a display of our own (Xvfb), real key presses (xdotool), and what reaches the screen."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from ferbench.realtime.tables import read_rows
from ferbench.types import FrameImage

SECONDS = 40
COLOR = (40, 160, 220)

WATCH = f"""
import sys
import time
import numpy as np
from ferbench.realtime.screen import open_screen

screen = open_screen(False, sys.argv[1])
print("notice", screen.notice, flush=True)
end = time.monotonic() + {SECONDS}
key = None
while screen.is_open and key != "q" and time.monotonic() < end:
    screen.show(np.full((240, 320, 3), {COLOR}, np.uint8))
    key = screen.key()
    if key:
        print("key", key, flush=True)
screen.show(np.zeros((240, 320, 3), np.uint8))
screen.close()
screen.close()
print("end", screen.is_open, screen.key(), flush=True)
"""


@dataclass
class Display:
    """An X server and where it keeps its picture."""

    name: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "DISPLAY": self.name}

    def xdotool(self, *arguments: str) -> str:
        command = ["xdotool", *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False).stdout.strip()

    def picture(self) -> FrameImage:
        """What is on the screen, read from the XWD file that Xvfb keeps: BGR."""
        data = (self.folder / "Xvfb_screen0").read_bytes()
        header = np.frombuffer(data, ">u4", 25).astype(int)
        start, width, height, row_bytes = header[0] + 12 * header[19], header[4], header[5], header[12]
        pixels = np.frombuffer(data, np.uint8, height * row_bytes, start).reshape(height, row_bytes // 4, 4)
        return pixels[:, :width, :3]

    def ask_to_close(self, window: int) -> None:
        """What the X of a title bar sends: WM_DELETE_WINDOW."""
        x11 = ctypes.CDLL(ctypes.util.find_library("X11"))
        x11.XOpenDisplay.restype = ctypes.c_void_p
        x11.XInternAtom.restype = ctypes.c_ulong
        display = ctypes.c_void_p(x11.XOpenDisplay(self.name.encode()))
        protocols, delete = (x11.XInternAtom(display, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
        message = ClientMessage(33, 0, 1, None, window, protocols, 32, (ctypes.c_long * 5)(delete))
        x11.XSendEvent(display, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(message))
        x11.XCloseDisplay(display)


class ClientMessage(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("padding", ctypes.c_long * 12),
    )


class Watched:
    """The script `WATCH` with its window open and in focus."""

    def __init__(self, display: Display, title: str) -> None:
        self.display = display
        command = [sys.executable, "-c", WATCH, title]
        self.process = subprocess.Popen(command, env=display.environment, stdout=subprocess.PIPE, text=True)
        assert self.line() == "notice"
        self.window = self.find(display, title)
        display.xdotool("windowfocus", "--sync", str(self.window))

    @staticmethod
    def find(display: Display, title: str) -> int:
        for _ in range(300):
            found = display.xdotool("search", "--onlyvisible", "--name", f"^{title}$")
            if found:
                return int(found.split()[0])
            time.sleep(0.1)
        raise AssertionError("the window does not appear")

    def line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def press(self, key: str) -> str:
        self.display.xdotool("key", key)
        return self.line()


@pytest.fixture(scope="module")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Display]:
    for tool, package in (("Xvfb", "xvfb"), ("xdotool", "xdotool")):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed (Debian: apt-get install {package})")
    folder = tmp_path_factory.mktemp("screen")
    end, number = os.pipe()
    command = ["Xvfb", "-displayfd", str(number), "-screen", "0", "800x600x24", "-fbdir", str(folder)]
    server = subprocess.Popen(command, pass_fds=[number], stderr=subprocess.DEVNULL)
    os.close(number)
    with os.fdopen(end) as told:
        name = f":{told.readline().strip()}"
    try:
        yield Display(name, folder)
    finally:
        server.terminate()
        server.wait(10)


@contextmanager
def window_on(display: Display, title: str) -> Iterator[Watched]:
    watched = Watched(display, title)
    try:
        yield watched
    finally:
        watched.process.kill()
        watched.process.communicate(timeout=10)


@pytest.fixture(scope="module")
def watched(display: Display) -> Iterator[Watched]:
    with window_on(display, "watched") as watched:
        yield watched


@pytest.mark.parametrize(
    ("pressed", "heard"),
    [
        *((letter, letter) for letter in "19padrsh"),
        ("Tab", "tab"),
        ("Return", "enter"),
        ("KP_Enter", "enter"),
        ("Escape", "escape"),
        ("BackSpace", "backspace"),
        ("slash", "/"),
        ("underscore", "_"),
    ],
)
def test_keys_are_heard(pressed: str, heard: str, watched: Watched) -> None:
    assert watched.press(pressed) == f"key {heard}"


def test_keys_without_a_name_are_not_heard(watched: Watched) -> None:
    for key in ("Left", "F1", "Shift_L"):
        watched.display.xdotool("key", key)
        time.sleep(0.1)
    assert watched.press("1") == "key 1"


def test_the_picture_reaches_the_screen_when_the_window_is_resized(watched: Watched) -> None:
    assert (watched.display.picture() == COLOR).all(axis=2).sum() == 320 * 240
    watched.display.xdotool("windowsize", "--sync", str(watched.window), "640", "480")
    watched.press("1")
    assert (watched.display.picture() == COLOR).all(axis=2).sum() >= 0.95 * 640 * 480


def test_closing_the_window_by_hand_ends_it(display: Display) -> None:
    if not ctypes.util.find_library("X11"):
        pytest.skip("libX11 is not installed (Debian: apt-get install libx11-6)")
    with window_on(display, "closed by hand") as watched:
        display.ask_to_close(watched.window)
        assert watched.line() == "end False None"
        assert watched.process.wait(10) == 0


def test_a_window_that_is_closed_stays_closed(display: Display) -> None:
    with window_on(display, "closed by q") as watched:
        assert watched.press("q") == "key q"
        assert watched.line() == "end False None"
        assert watched.process.wait(10) == 0


@pytest.mark.parametrize("name", [":4321", "no such host:0"], ids=["dead", "nonsense"])
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="DISPLAY is a matter of Linux")
def test_a_process_whose_display_does_not_answer_lives_on(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCH.replace(f"+ {SECONDS}", "+ 0.1"), "never seen"],
        env=Display(name, tmp_path).environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"There is no window: the display {name} cannot be used." in done.stdout
    assert "end False None" in done.stdout


def test_the_loop_swaps_pauses_and_quits_by_real_keys(display: Display, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ferbench", "realtime", "--source", "replay", "--reports", str(tmp_path)]
    command += ["--recognizers", "hog_svm,prior", "--detector", "whole_frame"]
    environment = {**display.environment, "FERBENCH_DATA": str(tmp_path / "data")}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        window = Watched.find(display, "ferbench")
        display.xdotool("windowfocus", "--sync", str(window))
        shown = display.picture().copy()
        for key in ("2", "p", "p", "1", "q"):
            time.sleep(1.0)
            display.xdotool("key", key)
        said, complaint = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0, complaint
    assert "swaps" in said
    frames = read_rows(next((tmp_path / "realtime" / "realtime").glob("session-*"))).frames
    states = [*zip(frames["recognizer"], frames["outcome"] == "paused", strict=True)]
    series = [state for state, before in zip(states, [None, *states[:-1]], strict=True) if state != before]
    assert series == [("hog_svm", False), ("prior", False), ("prior", True), ("prior", False), ("hog_svm", False)]
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) > 100
