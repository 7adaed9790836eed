from typing import Any

import cv2
import numpy as np
import pytest

from ferbench.errors import SourceError
from ferbench.realtime.connection import Connection, is_frame


class Webcam:
    """Ten frames a second of the fake clock, each as bright as its number; it can be unplugged and return."""

    def __init__(self, clock) -> None:
        self.clock, self.is_there = clock, True
        self.odd: dict[int, Any] = {}
        self.n_frames = self.n_opened = self.n_released = 0
        self.opened_at: list[float] = []
        self.size = (48, 64)

    def __call__(self, address: int | str) -> "Webcam":
        self.n_opened += 1
        self.opened_at.append(self.clock())
        return self

    def isOpened(self) -> bool:  # noqa: N802
        return self.is_there

    def grab(self) -> bool:
        if self.is_there:
            self.clock.wait(0.1)
        return self.is_there

    def retrieve(self) -> tuple[bool, Any]:
        self.clock.wait(0.01)
        self.n_frames += 1
        picture = np.full((*self.size, 3), self.n_frames, np.uint8)
        odd = self.odd.get(self.n_frames, picture)
        if isinstance(odd, Exception):
            raise odd
        return odd is not None, odd

    def get(self, property_id: int) -> float:
        return 10.0 if property_id == cv2.CAP_PROP_FPS else 0.0

    def release(self) -> None:
        self.n_released += 1


@pytest.fixture
def webcam(clock) -> Webcam:
    return Webcam(clock)


def connect(webcam: Webcam) -> Connection:
    return Connection(0, "camera 0", webcam, clock=webcam.clock, wait=webcam.clock.wait)


def test_picture_arrives_before_it_is_decoded(webcam: Webcam) -> None:
    shot = connect(webcam).read()
    assert shot is not None
    assert shot.arrived_at == pytest.approx(100.1) and shot.capture_s == pytest.approx(0.01)
    assert shot.image[0, 0, 0] == 1


def test_rate_is_what_the_camera_says(webcam: Webcam) -> None:
    assert connect(webcam).fps == 10.0


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan"), 1e6])
def test_senseless_rate_is_none(webcam: Webcam, monkeypatch: pytest.MonkeyPatch, fps: float) -> None:
    monkeypatch.setattr(webcam, "get", lambda property_id: fps)
    assert connect(webcam).fps is None


def test_camera_that_never_opens_is_an_error(webcam: Webcam) -> None:
    webcam.is_there = False
    with pytest.raises(SourceError, match="camera 0 cannot be opened: check that it is there"):
        connect(webcam)
    assert webcam.n_released == 1


@pytest.mark.parametrize(
    "odd",
    [
        None,
        np.zeros((0, 0, 3), np.uint8),
        np.zeros((48, 64), np.uint8),
        np.zeros((48, 64, 4), np.uint8),
        np.zeros((48, 64, 3), np.float32),
        "no array",
        cv2.error("damaged"),
    ],
    ids=lambda odd: getattr(odd, "shape", odd),
)
def test_damaged_frame_is_skipped_and_counted(webcam: Webcam, odd: Any) -> None:
    webcam.odd = {2: odd, 3: odd}
    connection = connect(webcam)
    shots = [connection.read() for _ in range(4)]
    assert [shot and int(shot.image[0, 0, 0]) for shot in shots] == [1, None, None, 4]
    assert connection.n_corrupt == 2 and connection.status == "" and webcam.n_opened == 1


def test_size_may_change(webcam: Webcam) -> None:
    connection = connect(webcam)
    assert connection.read().image.shape == (48, 64, 3)
    webcam.size = (96, 128)
    assert connection.read().image.shape == (96, 128, 3)


def test_camera_that_goes_away_is_said_within_two_seconds_and_comes_back(webcam: Webcam) -> None:
    connection = connect(webcam)
    connection.read()
    webcam.is_there = False
    start = webcam.clock()
    while not connection.status:
        assert connection.read() is None
    assert webcam.clock() - start < 2
    assert connection.status == "camera 0 is gone: trying again in 0.5 s."
    assert webcam.n_released == 1
    webcam.is_there = True
    while (shot := connection.read()) is None:
        pass
    assert shot.image[0, 0, 0] == 2
    assert connection.status == "" and connection.n_corrupt == 0


def test_attempts_come_ever_later_up_to_a_limit(webcam: Webcam) -> None:
    connection = connect(webcam)
    webcam.is_there = False
    while webcam.n_opened < 10:
        connection.read()
    assert np.diff(webcam.opened_at[1:]) == pytest.approx([1, 2, 4, 8, 8, 8, 8, 8])
    assert connection.status == "camera 0 is gone: trying again in 8 s."


def test_camera_that_opens_and_gives_nothing_is_tried_ever_later(webcam: Webcam, monkeypatch) -> None:
    connection = connect(webcam)
    monkeypatch.setattr(webcam, "grab", lambda: False)
    while webcam.n_opened < 7:
        connection.read()
    assert np.diff(webcam.opened_at[1:]) == pytest.approx([2, 3, 5, 9, 9], abs=0.1)


def test_attempts_start_anew_after_a_good_frame(webcam: Webcam) -> None:
    connection = connect(webcam)
    for _ in range(2):
        webcam.is_there = False
        while not connection.status:
            connection.read()
        assert connection.status.endswith("in 0.5 s.")
        connection.read()
        webcam.is_there = True
        while connection.read() is None:
            pass


def test_camera_is_released_once(webcam: Webcam) -> None:
    connection = connect(webcam)
    connection.close()
    connection.close()
    assert webcam.n_released == 1


def test_frame_is_a_color_picture() -> None:
    assert is_frame(np.zeros((1, 1, 3), np.uint8))
    assert not is_frame(np.zeros((1, 1, 1), np.uint8))
