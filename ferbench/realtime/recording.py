"""What was on screen, kept as files: a video while recording is on, single pictures when asked for."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from ferbench.data.images import import_cv2
from ferbench.errors import DataError
from ferbench.types import FrameImage

MIN_FREE_BYTES = 64 * 2**20
"""Recording stops when the disk has less left than this: rows and results need it more."""


class Recorder:
    """Writes frames to MJPG videos, `recording-0001.avi` and so on, each whole once it has that name.

    A change of the frame's size begins another video. Nothing is opened before the first frame. After an error it is
    closed, and what was written before can be played.

    Args:
        directory: Where videos go; made if it is not there.
        fps: Frames a second at which a video plays.

    Attributes:
        paths: The videos finished so far.
    """

    def __init__(self, directory: str | Path, fps: float) -> None:
        self.directory = Path(directory)
        self.fps = fps
        self.paths: list[Path] = []
        self._writer: Any = None
        self._part = self._path = Path()
        self._size = (0, 0)
        self._n_frames = 0

    def write(self, image: FrameImage) -> None:
        """Add a frame.

        Args:
            image: uint8, (height, width, 3), BGR. An odd last row or column is left out of the video.

        Raises:
            DataError: it cannot be written; the recorder is closed.
        """
        size = (image.shape[1], image.shape[0])
        if size != self._size:
            self.close()
        try:
            if self._writer is None:
                self._open(size)
            _require_space(self.directory)
            self._part.stat()
        except OSError as error:
            with suppress(DataError):
                self.close()
            raise DataError(f"Recording to {self.directory} stopped: {_reason(error)}.") from error
        self._writer.write(image)
        self._n_frames += 1

    def close(self) -> None:
        """Finish the video that is being written, if there is one.

        Raises:
            DataError: it is not whole; what there is of it keeps the name `...partial.avi`.
        """
        if self._writer is None:
            return
        self._writer.release()
        self._writer = None
        try:
            if _count_frames(self._part) < self._n_frames:
                raise OSError("not all frames could be written, make room on the disk")
            self._part.rename(self._path)
        except OSError as error:
            raise DataError(f"The video {self._part} is not whole: {_reason(error)}.") from error
        self.paths.append(self._path)

    def _open(self, size: tuple[int, int]) -> None:
        cv2 = import_cv2()
        self._path = _next_path(self.directory, "recording", ".avi")
        self._part = self._path.with_suffix(".partial.avi")
        _require_space(self.directory)
        writer = cv2.VideoWriter(str(self._part), cv2.VideoWriter_fourcc(*"MJPG"), self.fps, size)
        if not writer.isOpened():
            raise OSError(f"OpenCV cannot write {self._part} at {self.fps:g} frames a second")
        self._writer, self._size, self._n_frames = writer, size, 0


def save_frame(image: FrameImage, directory: str | Path) -> Path:
    """Keep one picture as `picture-0001.png` and so on.

    Args:
        image: uint8, (height, width, 3), BGR.
        directory: Where it goes; made if it is not there.

    Returns:
        The file.

    Raises:
        DataError: it cannot be written.
    """
    directory = Path(directory)
    _, encoded = import_cv2().imencode(".png", image)
    try:
        path = _next_path(directory, "picture", ".png")
        part = path.with_suffix(".partial.png")
        part.write_bytes(encoded)
        part.rename(path)
    except OSError as error:
        raise DataError(f"The picture cannot be saved in {directory}: {_reason(error)}.") from error
    return path


def _next_path(directory: Path, name: str, suffix: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    taken = (path.name.removeprefix(f"{name}-").split(".")[0] for path in directory.glob(f"{name}-*{suffix}"))
    last = max((int(number) for number in taken if number.isdecimal()), default=0)
    return directory / f"{name}-{last + 1:04d}{suffix}"


def _require_space(directory: Path) -> None:
    free = shutil.disk_usage(directory).free
    if free < MIN_FREE_BYTES:
        raise OSError(f"the disk has {free >> 20} MiB left, and the last {MIN_FREE_BYTES >> 20} are not for videos")


def _count_frames(path: Path) -> int:
    cv2 = import_cv2()
    video = cv2.VideoCapture(str(path))
    n_frames = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    video.release()
    return n_frames


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
