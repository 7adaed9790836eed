import os
import resource
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ferbench.errors import DataError
from ferbench.realtime.frames import Truth
from ferbench.realtime.rows import COLUMNS, FrameRow, RowLog
from ferbench.realtime.tables import read_rows
from ferbench.types import EMOTIONS

FILES = tuple(COLUMNS)


@dataclass
class Found:
    boxes: np.ndarray
    scores: np.ndarray
    probabilities: np.ndarray
    classes: tuple[str, ...] = EMOTIONS


def found(n: int, classes: tuple[str, ...] = EMOTIONS) -> Found:
    boxes = np.array([[10 * i, 5, 10 * i + 8, 15] for i in range(n)], np.int32).reshape(n, 4)
    probabilities = np.full((n, len(classes)), 0.4 / (len(classes) - 1), np.float32)
    probabilities[:, 3] = 0.6
    return Found(boxes, np.full(n, 0.9, np.float32), probabilities, classes)


def truth(n: int, groups: list[int] | None = None) -> Truth:
    boxes = np.array([[10 * i, 5, 10 * i + 9, 14] for i in range(n)], np.int32).reshape(n, 4)
    return Truth(boxes, np.arange(n), EMOTIONS, None if groups is None else np.array(groups))


def done(index: int, **more) -> FrameRow:
    stages = dict(capture_ms=0.5, detect_ms=7.25, crop_ms=0.1, recognize_ms=1.5)
    return FrameRow(index, index / 30, "done", "cnn9", "haar", **stages, done_at=index / 30 + 0.0125, **more)


def test_everything_written_is_read_back(tmp_path: Path) -> None:
    with RowLog(tmp_path / "rows") as log:
        log.add(done(0, draw_ms=2.0), truth(2, [7, 8]), found(2))
        log.add(FrameRow(1, 1 / 30, "dropped", "cnn9", "haar"), truth(1, [9]))
        log.add(FrameRow(2, 2 / 30, "paused"))
        log.add(FrameRow(3, 0.1, "failed", "cnn9", "haar", message="cnn9 failed: no memory"), truth(0))
    rows = read_rows(tmp_path / "rows")
    frames = rows.frames
    assert frames["frame"].tolist() == frames["row"].tolist() == [0, 1, 2, 3]
    assert frames["outcome"].tolist() == ["done", "dropped", "paused", "failed"]
    assert frames["n_faces"].tolist()[0] == 2 and frames["n_faces"].isna().tolist() == [False, True, True, True]
    assert frames["n_truths"].fillna(-1).tolist() == [2, 1, -1, 0]
    assert frames.loc[0, ["capture_ms", "detect_ms", "crop_ms", "recognize_ms", "draw_ms"]].tolist() == [
        0.5,
        7.25,
        0.1,
        1.5,
        2.0,
    ]
    assert frames["done_at"].tolist()[0] == 0.0125 and frames["message"].tolist()[3] == "cnn9 failed: no memory"
    assert frames["stretch"].tolist() == [1, 1, 2, 3]
    faces = rows.faces
    assert faces[["frame", "row", "face", "x1", "y1", "x2", "y2"]].to_numpy().tolist() == [
        [0, 0, 0, 0, 5, 8, 15],
        [0, 0, 1, 10, 5, 18, 15],
    ]
    assert faces["emotion"].tolist() == ["happiness", "happiness"] and faces["confidence"].tolist() == [0.6, 0.6]
    assert faces["p_happiness"].tolist() == [0.6, 0.6] and faces["p_contempt"].isna().all()
    assert rows.truths[["frame", "face", "group"]].to_numpy().tolist() == [[0, 0, 7], [0, 1, 8], [1, 0, 9]]
    assert rows.truths["emotion"].tolist() == ["anger", "disgust", "anger"]


def test_classes_that_a_recognizer_does_not_know_stay_blank(tmp_path: Path) -> None:
    with RowLog(tmp_path) as log:
        log.add(done(0), None, found(1, ("anger", "contempt", "mirth", "happiness")))
    faces = read_rows(tmp_path).faces
    assert faces["p_contempt"].item() > 0 and faces["p_fear"].isna().all() and "p_mirth" not in faces


def test_faces_without_groups_are_one_group_a_frame(tmp_path: Path) -> None:
    with RowLog(tmp_path) as log:
        log.add(done(5), truth(3))
    assert read_rows(tmp_path).truths["group"].tolist() == [5, 5, 5]


def test_rows_are_there_as_soon_as_they_are_added_where_nothing_waits(tmp_path: Path) -> None:
    log = RowLog(tmp_path, flush_seconds=0)
    for index in range(3):
        log.add(done(index), truth(1), found(1))
        rows = read_rows(tmp_path)
        assert len(rows.frames) == len(rows.faces) == len(rows.truths) == index + 1
    log.close()


def test_rows_wait_for_others_and_no_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    log = RowLog(tmp_path, flush_seconds=0.5)
    n_there = []
    for index, moment in enumerate([10.0, 10.1, 10.4, 10.6, 10.7]):
        now = moment
        log.add(done(index), truth(1), found(1))
        n_there.append(len(read_rows(tmp_path).frames))
    assert n_there == [1, 1, 1, 4, 4]
    log.flush()
    assert len(read_rows(tmp_path).frames) == len(read_rows(tmp_path).faces) == 5
    log.close()


def test_closing_writes_what_waits(tmp_path: Path) -> None:
    with RowLog(tmp_path, flush_seconds=60) as log:
        for index in range(5):
            log.add(done(index), truth(1), found(1))
    assert len(read_rows(tmp_path).frames) == 5


@pytest.mark.parametrize(
    "text",
    ["runs/a, b", 'the "best"', "line\nbreak\r\nand\x00nul", "=1+1", "null", "NA", "é漢字", "\udcff", "", '"', ","],
)
def test_any_name_or_message_comes_back_on_one_line(tmp_path: Path, text: str) -> None:
    with RowLog(tmp_path) as log:
        log.add(FrameRow(0, 0.0, "failed", text, "haar", message=text), None, None)
        log.add(FrameRow(1, 0.1, "dropped", text, "haar"))
    assert len((tmp_path / "frames.csv").read_bytes().splitlines()) == 3
    rows = read_rows(tmp_path)
    expected = "".join(c if c.isprintable() else " " for c in text)
    assert rows.frames["recognizer"].tolist() == [expected, expected]
    assert rows.frames["message"].tolist() == [expected, ""]


def test_folder_with_rows_is_not_overwritten(tmp_path: Path) -> None:
    with RowLog(tmp_path) as log:
        log.add(done(0))
    with pytest.raises(DataError, match="it holds rows already"):
        RowLog(tmp_path)
    assert len(read_rows(tmp_path).frames) == 1


def test_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"Rows cannot be written to .*: choose another folder"):
        RowLog(tmp_path / "file" / "rows")


def test_closing_twice_does_nothing_and_a_closed_log_takes_no_rows(tmp_path: Path) -> None:
    log = RowLog(tmp_path)
    log.close()
    log.close()
    with pytest.raises(DataError, match="are closed"):
        log.add(done(0))


def test_full_disk_is_one_sentence_and_the_rows_so_far_are_whole(tmp_path: Path) -> None:
    log = RowLog(tmp_path, flush_seconds=0)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    n_written = 0
    try:
        with pytest.raises(DataError, match=r"frame \d+ on cannot be written .* all frames before it are safe there"):
            while True:
                log.add(done(n_written), truth(1), found(1))
                n_written += 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert n_written > 5
    rows = read_rows(tmp_path)
    assert len(rows.frames) == len(rows.faces) == len(rows.truths) == n_written
    assert all((tmp_path / name).read_bytes().endswith(b"\n") for name in FILES)
    log.add(done(n_written), truth(1), found(1))
    log.close()
    assert len(read_rows(tmp_path).frames) == n_written + 1


ENDLESS = """
import signal, sys
from pathlib import Path
import numpy as np
from ferbench.realtime.rows import FrameRow, RowLog
from ferbench.realtime.frames import Truth
signal.signal(signal.SIGINT, signal.default_int_handler)
truth = Truth(np.array([[0, 0, 9, 9]], np.int32), np.zeros(1, np.int64), ("anger",))
log = RowLog(Path(sys.argv[1]), flush_seconds=0)
index = 0
while True:
    log.add(FrameRow(index, 0.0, "dropped", "cnn9", "haar"), truth)
    index += 1
    if index == 50:
        print("fifty", flush=True)
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_rows_of_a_process_that_is_ended_are_safe(tmp_path: Path, end: signal.Signals) -> None:
    command = [sys.executable, "-c", ENDLESS, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None and process.stdout.readline() == b"fifty\n"
        os.kill(process.pid, end)
    rows = read_rows(tmp_path)
    assert len(rows.frames) >= 50
    assert rows.frames["frame"].tolist() == list(range(len(rows.frames)))
    assert len(rows.truths) == len(rows.frames)


@pytest.mark.parametrize("n_bytes", [1, 5, 40])
def test_torn_last_row_is_left_out(tmp_path: Path, n_bytes: int) -> None:
    with RowLog(tmp_path) as log:
        for index in range(3):
            log.add(done(index), truth(1), found(1))
    path = tmp_path / "frames.csv"
    path.write_bytes(path.read_bytes()[:-n_bytes])
    rows = read_rows(tmp_path)
    assert len(rows.frames) == len(rows.faces) == len(rows.truths) == 2


def test_log_without_frames_is_read(tmp_path: Path) -> None:
    RowLog(tmp_path).close()
    rows = read_rows(tmp_path)
    assert len(rows.frames) == len(rows.faces) == len(rows.truths) == 0


def test_frames_shown_to_several_have_their_truths_once(tmp_path: Path) -> None:
    with RowLog(tmp_path) as log:
        for name in ("cnn9", "hog_svm"):
            log.add(FrameRow(0, 0.0, "done", name, "haar", done_at=1.0), truth(2), found(1))
    rows = read_rows(tmp_path)
    assert len(rows.truths) == 2
    assert rows.faces[["row", "recognizer"]].to_numpy().tolist() == [[0, "cnn9"], [1, "hog_svm"]]
    assert rows.select("hog_svm", "haar").faces["row"].tolist() == [1]


def write(path: Path, name: str, text: str | bytes) -> None:
    header = ",".join(COLUMNS[name]).encode() + b"\n"
    (path / name).write_bytes(header + (text.encode() if isinstance(text, str) else text))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("frames.csv", "0,0.0,won,a,b,,,,,,,,,\n"),
        ("frames.csv", "0,0.0,done,a,b,,,,,,,,,\n"),
        ("frames.csv", "0,,dropped,a,b,,,,,,,,,\n"),
        ("frames.csv", "0,inf,dropped,a,b,,,,,,,,,\n"),
        ("frames.csv", "x,0.0,dropped,a,b,,,,,,,,,\n"),
        ("frames.csv", "0,0.0\n"),
        ("frames.csv", "0,0.0,dropped,a,b,,,,,,,,,,,,\n"),
        ("frames.csv", "0,0.0,dropped,a,b,,,,,,,,,\n0,0.1,dropped,a,b,,,,,,,,,\n"),
        ("frames.csv", "9" * 40 + ",0.0,dropped,a,b,,,,,,,,,\n"),
        ("frames.csv", '0,0.0,dropped,"a,b,,,,,,,,,\n'),
        ("frames.csv", b"0,0.0,dropped,\xff\xfe,b,,,,,,,,,\n"),
        ("frames.csv", b"\x00\x00\x00\n"),
        ("truths.csv", "0,0,0,1,2,3,4,anger\n0,0,0,1,2,3,5,anger\n"),
        ("truths.csv", "0,0,0,1,2,,4,anger\n"),
        ("faces.csv", "0,0,a,b,1,2,3,4,high,anger,1,,,,,,,,\n"),
    ],
)
def test_rows_that_no_log_writes_are_refused(tmp_path: Path, name: str, text: str | bytes) -> None:
    RowLog(tmp_path).close()
    write(tmp_path, name, text)
    with pytest.raises(DataError, match=rf"{name} is no table of realtime rows: "):
        read_rows(tmp_path)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [b"", b"a,b,c\n1,2,3\n", b"\x89PNG\r\n\x1a\n", None])
def test_foreign_or_missing_file_is_refused(tmp_path: Path, name: str, content: bytes | None) -> None:
    RowLog(tmp_path).close()
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=f"{name} is no table of realtime rows"):
        read_rows(tmp_path)


def test_device_in_place_of_a_file_is_not_read(tmp_path: Path) -> None:
    RowLog(tmp_path).close()
    (tmp_path / "faces.csv").unlink()
    (tmp_path / "faces.csv").symlink_to("/dev/zero")
    with pytest.raises(DataError, match="it is not there"):
        read_rows(tmp_path)


def test_log_holds_nothing_of_the_frames_it_wrote(tmp_path: Path) -> None:
    import tracemalloc

    answers, labels = found(1), truth(1)
    with RowLog(tmp_path) as log:
        for index in range(300):
            log.add(done(index), labels, answers)
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for index in range(300, 1300):
            log.add(done(index), labels, answers)
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
    assert grown < 10_000
    assert len(pd.read_csv(tmp_path / "frames.csv")) == 1300
