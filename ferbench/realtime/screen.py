"""Where pictures are shown and keys are heard: a window, or nothing at all where there is no screen.

OpenCV ends the whole process when it is asked for a window and has no display, so whether it would is tried first, in
a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Protocol, TypeAlias

from ferbench.data.images import import_cv2
from ferbench.types import FrameImage

Key: TypeAlias = str
"""One printable ASCII character as it was typed, or TAB, ENTER, ESCAPE, BACKSPACE.

Windows of OpenCV's own wheels on Linux tell capital letters as small ones, and of several keys pressed between two
looks they keep the last.
"""

TAB, ENTER, ESCAPE, BACKSPACE = "tab", "enter", "escape", "backspace"

_NAMED = {
    **{8: BACKSPACE, 127: BACKSPACE, 0xFF08: BACKSPACE},
    **{9: TAB, 0xFF09: TAB},
    **{10: ENTER, 13: ENTER, 0xFF0D: ENTER, 0xFF8D: ENTER},
    **{27: ESCAPE, 0xFF1B: ESCAPE},
    **{0xFFB0 + digit: str(digit) for digit in range(10)},
}
_LARGEST = (1280, 720)
_OPEN_A_WINDOW = """
import cv2, resource
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
cv2.namedWindow("ferbench")
"""
_TRIAL_SECONDS = 30


class Screen(Protocol):
    """Something to look at and to press keys on.

    Attributes:
        notice: One sentence on why there is no window, empty where there is one or none was wanted.
    """

    notice: str

    @property
    def is_open(self) -> bool:
        """Whether anyone can still look at it: False once it was closed by `close` or by hand."""
        ...

    def show(self, image: FrameImage) -> None:
        """Show a picture, uint8 (height, width, 3), BGR, until the next one."""
        ...

    def key(self) -> Key | None:
        """The key pressed since the last call, None if there was none or it has no name. Takes a millisecond."""
        ...

    def close(self) -> None:
        """Take it away; twice is once."""
        ...


class Window:
    """A window of the desktop, which may be resized and closed by hand.

    Only for a display that answers: see `open_screen`.

    Args:
        title: Its name; no other window of the process may have it.
    """

    notice = ""

    def __init__(self, title: str) -> None:
        self.title = title
        self.is_open = True
        self._has_size = False
        self._cv2 = cv2 = import_cv2()
        cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        self._was_visible = self._is_visible()

    def show(self, image: FrameImage) -> None:
        """See `Screen`. Nothing happens once the window is closed."""
        if not self.is_open:
            return
        if not self._has_size:
            height, width = image.shape[:2]
            scale = min(1.0, _LARGEST[0] / width, _LARGEST[1] / height)
            self._cv2.resizeWindow(self.title, round(scale * width), round(scale * height))
            self._has_size = True
        self._cv2.imshow(self.title, image)

    def key(self) -> Key | None:
        """See `Screen`. Here the window is redrawn, and it is noticed if it was closed by hand."""
        if not self.is_open:
            return None
        key = named_key(self._cv2.waitKeyEx(1))
        is_visible = self._is_visible()
        if self._was_visible and not is_visible:
            self.close()
        self._was_visible |= is_visible
        return key

    def close(self) -> None:
        """See `Screen`."""
        if self.is_open:
            self.is_open = False
            self._cv2.destroyAllWindows()

    def _is_visible(self) -> bool:
        try:
            return bool(self._cv2.getWindowProperty(self.title, self._cv2.WND_PROP_VISIBLE) > 0)
        except self._cv2.error:  # Qt, once its last window is closed
            return False


class Headless:
    """No screen: what is shown goes nowhere, and nobody presses a key.

    Args:
        notice: Why, if it was not asked for.
    """

    def __init__(self, notice: str = "") -> None:
        self.notice = notice
        self.is_open = True

    def show(self, image: FrameImage) -> None:
        """See `Screen`."""

    def key(self) -> Key | None:
        """See `Screen`."""
        return None

    def close(self) -> None:
        """See `Screen`."""
        self.is_open = False


def open_screen(is_headless: bool, title: str) -> Screen:
    """A window, or `Headless` where none is wanted or none can be had; its `notice` then says why.

    Args:
        is_headless: Nobody is to look at it.
        title: Of the window.
    """
    if is_headless:
        return Headless()
    reason = _why_no_window()
    if not reason:
        try:
            return Window(title)
        except import_cv2().error as error:
            reason = f"OpenCV could not open one ({' '.join(str(error).split())})"
    return Headless(f"There is no window: {reason}.")


def named_key(code: int) -> Key | None:
    """The key that a code of `cv2.waitKeyEx` stands for, whichever window system gave it; None for every other one."""
    code &= 0xFFFF
    if code in _NAMED:
        return _NAMED[code]
    return chr(code) if 32 <= code < 127 else None


def _why_no_window() -> str:
    if not import_cv2().currentUIFramework():
        return "this OpenCV is built without windows, install opencv-python in place of opencv-python-headless"
    if not sys.platform.startswith("linux"):
        return ""
    display = os.environ.get("DISPLAY")
    if not display:
        return "DISPLAY is not set, and OpenCV needs X11 or XWayland"
    return "" if _can_open_a_window() else f"the display {display} cannot be used"


def _can_open_a_window() -> bool:
    command = [sys.executable, "-c", _OPEN_A_WINDOW]
    try:
        return subprocess.run(command, capture_output=True, timeout=_TRIAL_SECONDS, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False
