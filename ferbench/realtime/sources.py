"""Sources that wait for whoever reads: video files and folders of pictures. And the way from a word to any source."""

from __future__ import annotations

import inspect
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ferbench.data.archives import PICTURES
from ferbench.data.images import import_cv2
from ferbench.errors import SourceError, did_you_mean
from ferbench.realtime.connection import OpenCapture, frames_per_second, is_frame, open_capture
from ferbench.realtime.frames import Clock, Frame, FrameSource, Wait
from ferbench.registry import get, names, resolve
from ferbench.types import FrameImage

_SURROUNDINGS = ("clock", "wait", "notice", "open_capture")
_MOST_FAILURES = 10
_SHARE_OF_A_WHOLE_FILE = 0.95  # frames are not counted exactly in every format


class WaitingSource(FrameSource):
    """A source whose every frame is read, however long that takes."""

    def __init__(self, name: str, fps: float | None, clock: Clock) -> None:
        self.name, self.fps, self.classes = name, fps, None
        self.is_finished, self.status = False, ""
        self._clock, self._n_read = clock, 0

    def read(self, timeout: float) -> Frame | None:
        """The next frame, however long it takes to decode; None after the last."""
        if self.is_finished:
            return None
        arrived_at = self._clock()
        image = self._next()
        if image is None:
            self.close()
            return None
        self._n_read += 1
        return Frame(self._n_read - 1, arrived_at, image, None, self._clock() - arrived_at)

    def close(self) -> None:
        """Read no further."""
        self.is_finished = True

    @abstractmethod
    def _next(self) -> FrameImage | None: ...


class Video(WaitingSource):
    """A video file. Frames that cannot be decoded are left out.

    Args:
        path: The file, in any format that OpenCV decodes.
        open_capture: Opens it.
        clock: Stamps the frames.

    Raises:
        SourceError: it cannot be read as a video.
    """

    def __init__(
        self, *, path: Path, open_capture: OpenCapture = open_capture, clock: Clock = time.perf_counter
    ) -> None:
        if not path.is_file():
            raise SourceError(f"There is no video file {path}: check the path.")
        self._capture = open_capture(str(path))
        if not self._capture.isOpened():
            raise SourceError(
                f"{path} cannot be read as a video: give another file, or convert it (ffmpeg -i {path.name} -c:v ffv1 "
                f"{path.stem}.mkv)."
            )
        self._n_damaged = 0
        super().__init__(path.name, frames_per_second(self._capture), clock)

    def close(self) -> None:
        """Release the file."""
        super().close()
        self._capture.release()

    def _next(self) -> FrameImage | None:
        for n_failures in range(_MOST_FAILURES):  # what ends a file and what cannot be decoded look the same
            is_decoded, image = self._capture.retrieve() if self._capture.grab() else (False, None)
            if is_decoded and is_frame(image):
                self._n_damaged += n_failures
                if n_failures:
                    self.status = f"{self.name} has damaged frames, which are left out ({self._n_damaged:,} so far)."
                return np.asarray(image)
        promised = int(self._capture.get(import_cv2().CAP_PROP_FRAME_COUNT))
        if self._n_read + self._n_damaged < _SHARE_OF_A_WHOLE_FILE * promised:
            self.status = f"{self.name} gave {self._n_read:,} of {promised:,} frames: the file is damaged."
        return None


class Folder(WaitingSource):
    """The pictures of a folder and of the folders in it, in the order of their paths, or a single picture.

    Args:
        path: The folder or the picture.
        clock: Stamps the frames.

    Raises:
        SourceError: there is no picture.
    """

    def __init__(self, *, path: Path, clock: Clock = time.perf_counter) -> None:
        files = [path] if path.is_file() else path.rglob("*")
        pictures = sorted(file for file in files if is_picture(file))
        if not pictures:
            raise SourceError(f"There is no picture in {path}: expected files {', '.join(sorted(PICTURES))}.")
        self._pictures, self._n_unreadable = iter(pictures), 0
        super().__init__(path.resolve().name, None, clock)

    def _next(self) -> FrameImage | None:
        cv2 = import_cv2()
        for file in self._pictures:
            try:
                image = cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_COLOR)
            except (OSError, cv2.error):
                image = None
            if image is not None:
                return np.asarray(image)
            self._n_unreadable += 1
            self.status = f"{file} cannot be read and is left out ({self._n_unreadable:,} so far)."
        return None


def is_picture(path: Path) -> bool:
    """Whether it is a file with the name of a picture, and not one that the system hides."""
    return path.suffix.lower() in PICTURES and not path.name.startswith(".") and path.is_file()


def open_source(
    source: str | int,
    params: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    clock: Clock = time.perf_counter,
    wait: Wait = time.sleep,
    notice: Callable[[str], None] = lambda text: None,
) -> FrameSource:
    """Open what a person means by a word.

    Args:
        source: A camera's number, a URL, a registered name ("replay", ...), a folder, a picture or a video file.
        params: Further parameters of that source, as they stand in a YAML file.
        seed: For sources that draw something.
        clock: Stamps the frames.
        wait: Passes the time between the frames of a replay.
        notice: Told what is used in place of what is missing.

    Raises:
        SourceError: it is none of these, or cannot be opened.
        ConfigError: it takes no such parameters.
    """
    name, own = _meant(str(source))
    surroundings = {"clock": clock, "wait": wait, "notice": notice}
    target = get("sources", name)
    accepted = {key: surroundings[key] for key in inspect.signature(target).parameters.keys() & surroundings.keys()}
    checked = resolve("sources", name, {**own, **(params or {})}, seed=seed, given=_SURROUNDINGS)
    opened: FrameSource = target(**checked, **accepted)
    return opened


def is_live(source: str | int) -> bool:
    """Whether a word means a camera or a stream: something that may look at people.

    Raises:
        SourceError: it means no source.
    """
    return _meant(str(source))[0] == "camera"


def _meant(source: str) -> tuple[str, dict[str, Any]]:
    if source.isdecimal():
        return "camera", {"address": int(source)}
    if "://" in source:
        return "camera", {"address": source}
    if source in names("sources"):
        return source, {}
    path = Path(source).expanduser()
    if path.is_char_device():
        return "camera", {"address": source}
    if path.is_dir() or is_picture(path):
        return "folder", {"path": path}
    if path.is_file():
        return "video", {"path": path}
    raise SourceError(
        f"There is no source '{source}': give a camera's number, a video file, a folder of pictures, a stream's URL, "
        f"or a name. {did_you_mean(source, names('sources'))}"
    )
