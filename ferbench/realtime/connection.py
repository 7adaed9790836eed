"""A capture that is opened again when it goes away. No thread and no frame numbers here: `camera.py` has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np

from ferbench.data.images import import_cv2
from ferbench.errors import SourceError
from ferbench.realtime.frames import Clock, Wait
from ferbench.types import FrameImage

_PATIENCE_S = 1.0
_PAUSE_S = 1 / 30
_FIRST_DELAY_S, _LONGEST_DELAY_S = 0.5, 8.0


class Capture(Protocol):
    """What is used of `cv2.VideoCapture`; `grab` waits for a frame and `retrieve` decodes it."""

    def isOpened(self) -> bool: ...  # noqa: D102, N802
    def grab(self) -> bool: ...  # noqa: D102
    def retrieve(self) -> tuple[bool, Any]: ...  # noqa: D102
    def get(self, property_id: int) -> float: ...  # noqa: D102
    def release(self) -> None: ...  # noqa: D102


OpenCapture: TypeAlias = Callable[[int | str], Capture]
"""From a camera's number, a file or a URL to a capture, opened or not."""


class Shot(NamedTuple):
    """A picture, when it could first be decoded, and the seconds that decoding took."""

    image: FrameImage
    arrived_at: float
    capture_s: float


def open_capture(address: int | str) -> Capture:
    """`cv2.VideoCapture` without what OpenCV says on stderr where there is none."""
    cv2 = import_cv2()
    logging = cv2.utils.logging
    level = logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        capture: Capture = cv2.VideoCapture(address)
    finally:
        logging.setLogLevel(level)
    return capture


def frames_per_second(capture: Capture) -> float | None:
    """What a capture says of its rate; None where it says nothing sensible."""
    fps = capture.get(import_cv2().CAP_PROP_FPS)
    return fps if 0 < fps < 1000 else None


def is_frame(image: Any) -> bool:
    """Whether it is a picture as OpenCV gives one: uint8 (height, width, 3), not empty."""
    return isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.shape[2:] == (3,) and image.size > 0


class Connection:
    """A camera or stream that may give damaged frames, vanish and return.

    It counts as gone when it has given nothing but failures for a second. Then it is opened again after half a second,
    one, two, four, and from there on every eight seconds.

    Args:
        address: Camera number or URL.
        name: For messages.
        open_capture: Opens it.
        clock: Stamps the frames.
        wait: Pauses between attempts.

    Attributes:
        status: Empty, or what is wrong and when it will be tried again.
        n_corrupt: Frames skipped because they could not be decoded.
        fps: Frames a second by the camera's account, or None.

    Raises:
        SourceError: it cannot be opened now.
    """

    def __init__(self, address: int | str, name: str, open_capture: OpenCapture, *, clock: Clock, wait: Wait) -> None:
        self.status, self.n_corrupt = "", 0
        self._address, self._name, self._open = address, name, open_capture
        self._clock, self._wait = clock, wait
        self._delay, self._n_failures = _FIRST_DELAY_S, 0
        self._capture = self._opened()
        if self._capture is None:
            raise SourceError(
                f"{name} cannot be opened: check that it is there, that no other program uses it, "
                "and that this one may."
            )
        self.fps = frames_per_second(self._capture)
        self._heard_at = clock()

    def read(self) -> Shot | None:
        """The next good picture; None after a failure, when a moment has been waited: call again."""
        if self._capture is None:
            self._reconnect()
            return None
        shot = self._shot(self._capture)
        if shot is not None:
            self.n_corrupt += self._n_failures
            self.status, self._delay, self._n_failures, self._heard_at = "", _FIRST_DELAY_S, 0, shot.arrived_at
        elif self._clock() - self._heard_at < _PATIENCE_S:
            self._n_failures += 1
            self._wait(_PAUSE_S)
        else:
            self.close()
            self._say_gone()
        return shot

    def close(self) -> None:
        """Release the camera; a second call does nothing."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _shot(self, capture: Capture) -> Shot | None:
        try:
            if not capture.grab():
                return None
            arrived_at = self._clock()
            is_decoded, image = capture.retrieve()
        except import_cv2().error:
            return None
        if not (is_decoded and is_frame(image)):
            return None
        return Shot(image, arrived_at, self._clock() - arrived_at)

    def _reconnect(self) -> None:
        self._wait(self._delay)
        self._delay = min(2 * self._delay, _LONGEST_DELAY_S)
        self._capture, self._n_failures, self._heard_at = self._opened(), 0, self._clock()
        if self._capture is None:
            self._say_gone()

    def _say_gone(self) -> None:
        self.status = f"{self._name} is gone: trying again in {self._delay:g} s."

    def _opened(self) -> Capture | None:
        capture = self._open(self._address)
        if capture.isOpened():
            return capture
        capture.release()
        return None
