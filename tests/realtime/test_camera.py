"""The camera's thread, on the real clock and in short waits: a video file is the camera."""

import threading
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ferbench.errors import SourceError
from ferbench.realtime.camera import Camera, camera_name
from ferbench.realtime.connection import open_capture

N_FRAMES = 20


class FileCamera:
    """Plays a video file and starts it again; it gives a frame when the test allows one, and can be unplugged."""

    def __init__(self, path: Path) -> None:
        self.path, self.is_there = path, True
        self.permits = threading.Semaphore(0)
        self.is_broken = False
        self.n_released = 0

    def __call__(self, address: int | str) -> "FileCamera":
        self.capture = open_capture(str(self.path))
        return self

    def isOpened(self) -> bool:  # noqa: N802
        return self.is_there

    def grab(self) -> bool:
        if self.is_broken:
            raise RuntimeError("the driver broke")
        if not self.permits.acquire(timeout=0.01):
            return False
        return self.capture.grab() or (self.capture.set(cv2.CAP_PROP_POS_FRAMES, 0) and self.capture.grab())

    def retrieve(self) -> tuple[bool, Any]:
        return self.capture.retrieve()

    def get(self, property_id: int) -> float:
        return self.capture.get(property_id)

    def release(self) -> None:
        self.n_released += 1
        self.capture.release()


@pytest.fixture
def webcam(tmp_path: Path) -> FileCamera:
    path = tmp_path / "camera.mkv"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"FFV1"), 30.0, (64, 48))
    for index in range(N_FRAMES):
        writer.write(np.full((48, 64, 3), 10 * index, np.uint8))
    writer.release()
    return FileCamera(path)


@pytest.fixture
def camera(webcam: FileCamera) -> Camera:
    with Camera(open_capture=webcam) as camera:
        yield camera


def wait_until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_newest_frame_wins_and_what_it_replaced_is_told(camera: Camera, webcam: FileCamera) -> None:
    webcam.permits.release(4)
    wait_until(lambda: camera._n_arrived == 4)
    frame = camera.read(1.0)
    assert frame.index == 3 and frame.image[0, 0, 0] == 30
    assert [arrival.index for arrival in frame.dropped] == [0, 1, 2]
    moments = [*(arrival.arrived_at for arrival in frame.dropped), frame.arrived_at]
    assert moments == sorted(moments) and moments[-1] <= time.perf_counter()
    webcam.permits.release()
    following = camera.read(5.0)
    assert following.index == 4 and following.dropped == ()
    assert 0 <= following.capture_s < 1


def test_nothing_new_is_none_and_a_frame_is_given_once(camera: Camera, webcam: FileCamera) -> None:
    assert camera.read(0.02) is None
    webcam.permits.release()
    assert camera.read(5.0).index == 0
    assert camera.read(0.02) is None


def test_camera_tells_name_and_rate(camera: Camera) -> None:
    assert camera.name == "camera 0" and camera.fps == pytest.approx(30) and camera.classes is None


def test_camera_that_vanishes_and_returns_goes_on_counting(camera: Camera, webcam: FileCamera, monkeypatch) -> None:
    monkeypatch.setattr("ferbench.realtime.connection._PATIENCE_S", 0.05)
    webcam.permits.release()
    assert camera.read(5.0).index == 0
    webcam.is_there = False
    wait_until(lambda: camera.status.startswith("camera 0 is gone: trying again in"))
    assert camera.read(0.01) is None and not camera.is_finished
    webcam.is_there = True
    webcam.permits.release()
    assert camera.read(10.0).index == 1
    assert camera.status == ""


def test_closing_releases_the_camera_and_ends_the_wait(webcam: FileCamera) -> None:
    camera = Camera(open_capture=webcam)
    threading.Timer(0.05, camera.close).start()
    assert camera.read(30.0) is None
    wait_until(lambda: not camera._thread.is_alive())
    assert camera.is_finished and webcam.n_released == 1
    camera.close()
    assert webcam.n_released == 1


def test_frame_that_comes_after_closing_is_not_given(webcam: FileCamera) -> None:
    camera = Camera(open_capture=webcam)
    webcam.permits.release(3)
    camera.close()
    assert camera.read(0.0) is None


def test_driver_that_breaks_down_ends_the_camera_with_a_sentence(camera: Camera, webcam: FileCamera) -> None:
    webcam.is_broken = True
    with pytest.raises(SourceError, match="camera 0 cannot be read any more: the driver broke"):
        camera.read(10.0)
    assert webcam.n_released == 1


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (2, "camera 2"),
        ("/dev/video1", "camera /dev/video1"),
        ("rtsp://192.0.2.7:554/live", "stream rtsp://192.0.2.7:554/live"),
        ("rtsp://user:pass@example.org/live?token=secret", "stream rtsp://example.org/live"),
        ("http://u:p/w@?@example.org/a", "stream http://example.org/a"),
    ],
)
def test_name_gives_no_password_away(address: int | str, name: str) -> None:
    assert camera_name(address) == name
