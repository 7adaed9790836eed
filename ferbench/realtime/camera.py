"""Cameras and network streams: a thread keeps the newest frame, and what comes late is dropped."""

from __future__ import annotations

import re
import threading
import time

from ferbench.errors import SourceError
from ferbench.realtime.connection import Connection, OpenCapture, Shot, open_capture
from ferbench.realtime.frames import Arrival, Clock, Frame, FrameSource

_SECONDS_TO_CLOSE = 2.0


class Camera(FrameSource):
    """A camera or a network stream, of which only the newest frame waits to be read.

    One that vanishes is opened again when it returns; damaged frames are skipped and counted. A stream that ends counts
    as vanished.

    Args:
        address: Camera number, or URL of a stream (rtsp, http, ...).
        open_capture: Opens it.
        clock: Stamps the frames.

    Raises:
        SourceError: it cannot be opened.
    """

    def __init__(
        self,
        *,
        address: int | str = 0,
        open_capture: OpenCapture = open_capture,
        clock: Clock = time.perf_counter,
    ) -> None:
        self.name = camera_name(address)
        self.classes, self.is_finished, self.status = None, False, ""
        self._stop = threading.Event()
        self._connection = Connection(address, self.name, open_capture, clock=clock, wait=self._stop.wait)
        self.fps = self._connection.fps
        self._changed = threading.Condition()
        self._n_arrived = 0
        self._newest: Frame | None = None
        self._dropped: list[Arrival] = []
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._follow, name=self.name, daemon=True)
        self._thread.start()

    @property
    def n_corrupt(self) -> int:
        """Frames skipped so far because they could not be decoded."""
        return self._connection.n_corrupt

    def read(self, timeout: float) -> Frame | None:
        """The newest frame, once; None where none came within `timeout` seconds or the camera was closed.

        Raises:
            SourceError: the thread that reads the camera broke down.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._newest or self._failure or self.is_finished, timeout)
            newest, self._newest = self._newest, None
            dropped, self._dropped = tuple(self._dropped), []
        if newest is not None:
            return Frame(newest.index, newest.arrived_at, newest.image, None, newest.capture_s, dropped)
        if self._failure is not None:
            raise SourceError(f"{self.name} cannot be read any more: {self._failure}.") from self._failure
        return None

    def close(self) -> None:
        """Stop the thread, which releases the camera."""
        self._stop.set()
        with self._changed:
            self.is_finished, self._newest = True, None
            self._changed.notify_all()
        self._thread.join(_SECONDS_TO_CLOSE)

    def _follow(self) -> None:
        try:
            while not self._stop.is_set():
                shot = self._connection.read()
                self.status = self._connection.status
                if shot is not None:
                    self._keep(shot)
        except Exception as error:  # told to whoever reads next
            with self._changed:
                self._failure = error
                self._changed.notify_all()
        finally:
            self._connection.close()

    def _keep(self, shot: Shot) -> None:
        with self._changed:
            if self.is_finished:
                return
            if self._newest is not None:
                self._dropped.append(Arrival(self._newest.index, self._newest.arrived_at))
            self._newest = Frame(self._n_arrived, shot.arrived_at, shot.image, None, shot.capture_s)
            self._n_arrived += 1
            self._changed.notify_all()


def camera_name(address: int | str) -> str:
    """What to call a camera or stream: user names, passwords and queries of a URL are left out."""
    if isinstance(address, int) or "://" not in address:
        return f"camera {address}"
    return f"stream {re.sub('://.*@', '://', address).partition('?')[0]}"
