"""Which screen is opened where there is none, and what a key is called. Windows themselves: `test_window.py`."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest

from ferbench.realtime.screen import BACKSPACE, ENTER, ESCAPE, TAB, Headless, named_key, open_screen

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="DISPLAY is a matter of Linux")


@pytest.mark.parametrize(
    ("code", "key"),
    [
        (-1, None),
        (0, None),
        (ord("q"), "q"),
        (ord("Q"), "Q"),
        (ord("1"), "1"),
        (ord(" "), " "),
        (ord("~"), "~"),
        (9, TAB),
        (10, ENTER),
        (13, ENTER),
        (27, ESCAPE),
        (8, BACKSPACE),
        (127, BACKSPACE),
        (0xFF8D, ENTER),
        (0xFFB3, "3"),
        (0x100000 | ord("p"), "p"),
        (0x10000 | ord("P"), "P"),
        (0xFF51, None),
        (0xFFE1, None),
        (0x250000, None),
        (0xE9, None),
    ],
)
def test_named_key(code: int, key: str | None) -> None:
    assert named_key(code) == key


def test_a_headless_screen_shows_nothing_and_hears_nothing() -> None:
    screen = open_screen(True, "ferbench")
    screen.show(np.zeros((48, 64, 3), np.uint8))
    assert screen.is_open and screen.key() is None and screen.notice == ""
    screen.close()
    screen.close()
    assert not screen.is_open


@LINUX
@pytest.mark.parametrize("variables", [{}, {"DISPLAY": ""}, {"WAYLAND_DISPLAY": "wayland-0"}])
def test_without_a_display_there_is_no_window(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    screen = open_screen(False, "ferbench")
    assert isinstance(screen, Headless)
    assert screen.notice == "There is no window: DISPLAY is not set, and OpenCV needs X11 or XWayland."


def test_without_window_support_the_notice_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(cv2, "currentUIFramework", lambda: "")
    screen = open_screen(False, "ferbench")
    assert isinstance(screen, Headless) and "install opencv-python" in screen.notice


def test_a_window_that_opencv_refuses_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 0))

    def refuse(*_: object) -> None:
        raise cv2.error("The function is not implemented")

    monkeypatch.setattr(cv2, "namedWindow", refuse)
    screen = open_screen(False, "ferbench")
    assert isinstance(screen, Headless) and "The function is not implemented" in screen.notice


@LINUX
def test_a_trial_that_never_ends_counts_as_no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")

    def hang(command: list[str], **_: object) -> None:
        raise subprocess.TimeoutExpired(command, 30)

    monkeypatch.setattr(subprocess, "run", hang)
    assert open_screen(False, "ferbench").notice == "There is no window: the display :0 cannot be used."
