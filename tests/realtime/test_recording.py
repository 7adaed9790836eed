"""Videos and pictures on disk: whole under their name, numbered, and a sentence when the disk does not take them."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from ferbench.errors import DataError
from ferbench.realtime.recording import MIN_FREE_BYTES, Recorder, save_frame
from ferbench.types import FrameImage


def frame(value: int, width: int = 64, height: int = 48) -> FrameImage:
    return np.full((height, width, 3), value, np.uint8)


def read(path: Path) -> list[FrameImage]:
    video, frames = cv2.VideoCapture(str(path)), []
    while True:
        is_read, image = video.read()
        if not is_read:
            return frames
        frames.append(image)


def fill_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=MIN_FREE_BYTES - 1))


def test_a_video_has_every_frame_in_order(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "made", 25.0)
    for value in range(0, 250, 10):
        recorder.write(frame(value))
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["recording-0001.partial.avi"]
    recorder.close()
    assert recorder.paths == [tmp_path / "made" / "recording-0001.avi"] == list((tmp_path / "made").iterdir())
    shown = [int(image.mean().round()) for image in read(recorder.paths[0])]
    assert np.abs(np.subtract(shown, range(0, 250, 10))).max() <= 3
    assert cv2.VideoCapture(str(recorder.paths[0])).get(cv2.CAP_PROP_FPS) == 25.0


def test_nothing_is_made_before_the_first_frame(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "made", 25.0)
    recorder.close()
    assert not recorder.paths and not (tmp_path / "made").exists()


def test_closing_twice_is_closing_once(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, 25.0)
    recorder.write(frame(0))
    recorder.close()
    recorder.close()
    assert len(recorder.paths) == 1 and len(read(recorder.paths[0])) == 1


def test_another_size_begins_another_video(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, 25.0)
    for image in (frame(0), frame(0), frame(0, 128, 96), frame(0)):
        recorder.write(image)
    recorder.close()
    assert [path.name for path in recorder.paths] == [f"recording-000{number}.avi" for number in (1, 2, 3)]
    shapes = [[image.shape for image in read(path)] for path in recorder.paths]
    assert shapes == [[(48, 64, 3)] * 2, [(96, 128, 3)], [(48, 64, 3)]]


def test_an_odd_size_is_recorded(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, 25.0)
    recorder.write(frame(100, 65, 49))
    recorder.close()
    assert read(recorder.paths[0])[0].shape == (48, 64, 3)


def test_names_that_are_taken_are_left_alone(tmp_path: Path) -> None:
    for name in ("recording-0004.avi", "recording-0007.partial.avi", "recording-x.avi", "recording-.avi"):
        (tmp_path / name).write_bytes(b"mine")
    recorder = Recorder(tmp_path, 25.0)
    recorder.write(frame(0))
    recorder.close()
    assert recorder.paths == [tmp_path / "recording-0008.avi"]
    assert (tmp_path / "recording-0004.avi").read_bytes() == b"mine"


def test_a_disk_without_room_is_said_and_ends_the_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(tmp_path, 25.0)
    recorder.write(frame(0))
    fill_disk(monkeypatch)
    with pytest.raises(DataError, match=r"stopped: the disk has 63 MiB left, and the last 64 are not for videos"):
        recorder.write(frame(0))
    assert len(read(recorder.paths[0])) == 1
    monkeypatch.undo()
    recorder.write(frame(0))
    recorder.close()
    assert len(recorder.paths) == 2


def test_a_disk_without_room_is_not_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_disk(monkeypatch)
    with pytest.raises(DataError, match="stopped: the disk"):
        Recorder(tmp_path, 25.0).write(frame(0))
    assert not list(tmp_path.iterdir())


def test_a_video_that_is_deleted_meanwhile_is_said(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "made", 25.0)
    recorder.write(frame(0))
    shutil.rmtree(tmp_path / "made")
    with pytest.raises(DataError, match="stopped: No such file or directory"):
        recorder.write(frame(0))
    recorder.close()
    assert not recorder.paths


def test_a_video_that_is_not_whole_is_said_and_keeps_its_partial_name(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, 25.0)
    recorder.write(frame(0))
    (tmp_path / "recording-0001.partial.avi").unlink()
    (tmp_path / "recording-0001.partial.avi").write_bytes(b"no video")
    with pytest.raises(DataError, match=r"recording-0001.partial.avi is not whole"):
        recorder.close()
    assert not recorder.paths and (tmp_path / "recording-0001.partial.avi").exists()


def test_a_rate_that_no_video_has_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot write .* at 0 frames a second"):
        Recorder(tmp_path, 0.0).write(frame(0))


@pytest.mark.parametrize(
    "save", [lambda path: Recorder(path, 25.0).write(frame(0)), lambda path: save_frame(frame(0), path)]
)
def test_a_directory_that_is_a_file_is_said(save, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="File exists"):
        save(tmp_path / "file")


def test_a_picture_is_kept_exactly(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    first, second = save_frame(image, tmp_path / "made"), save_frame(frame(3), tmp_path / "made")
    assert (first.name, second.name) == ("picture-0001.png", "picture-0002.png")
    assert (cv2.imread(str(first)) == image).all()
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["picture-0001.png", "picture-0002.png"]
