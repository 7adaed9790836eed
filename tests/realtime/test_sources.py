import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from ferbench.errors import ConfigError, SourceError, UnknownNameError
from ferbench.realtime.replay import Replay
from ferbench.realtime.sources import Folder, Video, open_source


def numbered(index: int, size: tuple[int, int] = (120, 160)) -> np.ndarray:
    """A frame that shows its number as a brightness."""
    image = np.full((*size, 3), 20 + 5 * index, np.uint8)
    image[:, :20] = (255, 0, 0)
    return image


def write_video(path: Path, codec: str, n_frames: int = 10) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 25.0, (160, 120))
    assert writer.isOpened()
    for index in range(n_frames):
        writer.write(numbered(index))
    writer.release()
    return path


def read_all(source) -> list:
    frames = []
    while not source.is_finished:
        frame = source.read(0.1)
        if frame is not None:
            frames.append(frame)
    return frames


@pytest.mark.parametrize(
    ("codec", "suffix", "tolerance"), [("FFV1", ".mkv", 0), ("FFV1", ".avi", 0), ("MJPG", ".avi", 3)]
)
def test_every_frame_of_a_video_file_is_read_however_slowly(tmp_path: Path, clock, codec, suffix, tolerance) -> None:
    with Video(path=write_video(tmp_path / f"clip{suffix}", codec), clock=clock) as source:
        assert source.name == f"clip{suffix}" and source.fps == pytest.approx(25) and source.classes is None
        frames = []
        while (frame := source.read(0.0)) is not None:
            frames.append(frame)
            clock.wait(10)
    assert [frame.index for frame in frames] == list(range(10))
    assert [frame.arrived_at for frame in frames] == [100 + 10 * index for index in range(10)]
    for index, frame in enumerate(frames):
        assert np.abs(frame.image[:, 40:].astype(int) - numbered(index)[:, 40:]).max() <= tolerance
    assert source.is_finished and source.status == "" and source.read(0.1) is None


def test_truncated_video_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.avi", "MJPG", 40)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    source = Video(path=path)
    frames = read_all(source)
    assert 10 < len(frames) < 30
    assert source.status == f"clip.avi gave {len(frames)} of 40 frames: the file is damaged."


@pytest.mark.parametrize("suffix", [".avi", ".mkv"])
def test_damaged_frame_within_a_video_is_left_out(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"clip{suffix}", "MJPG", 20)
    data = bytearray(path.read_bytes())
    start = data.index(b"\xff\xd8", len(data) // 2)
    data[start : start + 200] = bytes(200)
    path.write_bytes(data)
    source = Video(path=path)
    frames = read_all(source)
    assert [frame.index for frame in frames] == list(range(19))
    assert frames[-1].image[60, 100, 0] == pytest.approx(numbered(19)[60, 100, 0], abs=5)
    assert source.status == f"clip{suffix} has damaged frames, which are left out (1 so far)."


@pytest.mark.parametrize("content", [b"", b"not a video at all" * 100, b"RIFF\x00\x00\x00\x00AVI LIST"])
def test_file_that_is_no_video_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.avi"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"clip\.avi cannot be read as a video"):
        Video(path=path)


def test_missing_video_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="There is no video file"):
        Video(path=tmp_path / "clip.avi")


def test_folder_gives_its_pictures_in_order(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    for index, name in enumerate(["a.png", "b.jpg", "more/c.bmp"]):
        cv2.imwrite(str(tmp_path / name), numbered(index, (50 + index, 60)))
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden.png").write_bytes(b"")
    source = Folder(path=tmp_path)
    frames = read_all(source)
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert [frame.image.shape for frame in frames] == [(50, 60, 3), (51, 60, 3), (52, 60, 3)]
    assert source.name == tmp_path.name and source.fps is None and source.status == ""


@pytest.mark.parametrize("content", [b"", b"not a picture"])
def test_unreadable_picture_is_left_out_and_named(tmp_path: Path, content: bytes) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), numbered(0))
    (tmp_path / "b.png").write_bytes(content)
    cv2.imwrite(str(tmp_path / "c.png"), numbered(2))
    source = Folder(path=tmp_path)
    assert [frame.index for frame in read_all(source)] == [0, 1]
    assert source.status == f"{tmp_path / 'b.png'} cannot be read and is left out (1 so far)."


def test_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"There is no picture in .*: expected files \.bmp"):
        Folder(path=tmp_path)


def test_word_opens_a_video_a_folder_or_a_single_picture(tmp_path: Path) -> None:
    video = write_video(tmp_path / "clip.mkv", "FFV1")
    cv2.imwrite(str(tmp_path / "photo.png"), numbered(0))
    assert isinstance(open_source(str(video)), Video)
    assert isinstance(open_source(str(tmp_path)), Folder)
    assert len(read_all(open_source(str(tmp_path / "photo.png")))) == 1


def test_replay_by_name_takes_parameters_and_clock_and_tells_what_it_shows(clock) -> None:
    said: list[str] = []
    params = {"fps": "10", "scenes": {"n_frames": 3, "width": 320, "height": 240, "face_sizes": [50, 60]}}
    source = open_source("replay", params, seed=3, clock=clock, wait=clock.wait, notice=said.append)
    assert isinstance(source, Replay) and source.fps == 10.0
    assert [frame.image.shape for frame in read_all(source)] == 3 * [(240, 320, 3)]
    assert clock() == pytest.approx(100.2)
    assert len(said) == 1 and "FER2013 IS NOT HERE" in said[0]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"pace": 3}, "unknown key 'pace'"),
        ({"clock": 3}, "unknown key 'clock'"),
        ({"scenes": {"size": 3}}, "scenes.size"),
    ],
)
def test_parameters_that_a_source_does_not_take_are_refused(params: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        open_source("replay", params)


def test_video_without_a_path_is_refused() -> None:
    with pytest.raises(ConfigError, match="the key 'path' is missing"):
        open_source("video")


def test_word_that_means_nothing_is_refused() -> None:
    with pytest.raises(SourceError, match=r"There is no source 'repaly': .* Did you mean 'replay'"):
        open_source("repaly")


@pytest.mark.skipif(Path("/dev/video97").exists(), reason="there is such a camera")
def test_camera_that_is_not_there_is_one_sentence_and_nothing_else(capfd) -> None:
    with pytest.raises(SourceError, match="camera 97 cannot be opened: check that it is there"):
        open_source("97")
    assert capfd.readouterr().err == ""


def test_pipe_named_like_a_picture_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(SourceError):
        Folder(path=tmp_path)


def test_third_party_source_is_opened_by_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from ferbench import registry

    monkeypatch.setattr(registry, "_added", {})
    registry.add("sources", "acme.folder", Folder)
    cv2.imwrite(str(tmp_path / "a.png"), numbered(0))
    assert isinstance(open_source("acme.folder", {"path": str(tmp_path)}), Folder)
    with pytest.raises(UnknownNameError):
        registry.get("sources", "acme.other")
