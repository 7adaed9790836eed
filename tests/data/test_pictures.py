from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ferbench.data.images import read_gray, resize
from ferbench.data.pictures import NO_FACE, Problem, read_pictures, read_problems, write_problems
from ferbench.data.store import FaceStore
from ferbench.data.synthetic import render_faces
from ferbench.errors import ContractError, DataError
from ferbench.types import FrameImage, Images


def write_faces(folder: Path, n: int, *, size: int = 48, suffix: str = "png") -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:05}.{suffix}" for number in range(n)]
    faces = render_faces(np.arange(n, dtype=np.int64) % 7, rng=np.random.default_rng(0), size=size)
    for path, face in zip(paths, faces, strict=True):
        cv2.imwrite(str(path), face)
    return paths


def middle(picture: FrameImage) -> Images | None:
    """A detector that finds the middle of bright pictures."""
    return None if picture.mean() < 20 else picture[10:30, 10:40, 0]


@pytest.fixture
def faces(tmp_path: Path) -> list[Path]:
    return write_faces(tmp_path / "faces", 8)


def test_pictures_become_gray_faces_in_the_order_of_the_list(faces: list[Path], tmp_path: Path) -> None:
    pictures = read_pictures(faces, tmp_path / "work")
    assert pictures.images.dtype == np.uint8 and pictures.images.shape == (8, 48, 48)
    assert pictures.rows.tolist() == list(range(8)) and pictures.problems == ()
    for image, path in zip(pictures.images, faces, strict=True):
        np.testing.assert_array_equal(image, read_gray(path))


def test_pictures_of_other_sizes_are_resized(tmp_path: Path) -> None:
    paths = write_faces(tmp_path, 2, size=100, suffix="jpg")
    pictures = read_pictures(paths, tmp_path / "work", size=(40, 30))
    np.testing.assert_array_equal(pictures.images[1], resize(read_gray(paths[1])[None], (40, 30))[0])


def test_images_stay_on_disk_and_cannot_be_changed(faces: list[Path], tmp_path: Path) -> None:
    images = read_pictures(faces, tmp_path / "work").images
    assert not images.flags.owndata and not images.flags.writeable


def test_a_picture_listed_twice_is_read_once(faces: list[Path], tmp_path: Path) -> None:
    pictures = read_pictures([faces[1], faces[0], faces[1]], tmp_path / "work")
    assert pictures.rows.tolist() == [0, 1, 0] and len(pictures.images) == 2


def test_what_cannot_be_read_is_named_and_left_out(faces: list[Path], tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "half.png").write_bytes(faces[0].read_bytes()[:30])
    bad = [tmp_path / name for name in ("text.png", "empty.png", "half.png", "missing.png", "faces", "\0.png")]
    pictures = read_pictures([faces[0], *bad, faces[1], *bad], tmp_path / "work")
    assert pictures.rows.tolist() == [0, *[-1] * 6, 1, *[-1] * 6]
    assert [problem.path for problem in pictures.problems] == [str(path) for path in bad]
    reasons = " | ".join(problem.reason for problem in pictures.problems)
    for expected in ("can be decoded", "No such file", "is not a file", "null"):
        assert expected in reasons


def test_a_picture_that_claims_too_many_pixels_is_named(faces: list[Path], tmp_path: Path) -> None:
    data = bytearray(faces[0].read_bytes())
    data[16:24] = (40_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    (tmp_path / "huge.png").write_bytes(data)
    pictures = read_pictures([tmp_path / "huge.png", faces[0]], tmp_path / "work")
    assert pictures.rows.tolist() == [-1, 0]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_named_and_not_waited_for(faces: list[Path], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert read_pictures([tmp_path / "pipe.png"], tmp_path / "work").problems[0].reason == "is not a file"


def test_no_pictures_at_all_give_no_faces(tmp_path: Path) -> None:
    pictures = read_pictures([], tmp_path / "work")
    assert pictures.images.shape == (0, 48, 48) and len(pictures.rows) == 0


def test_boxes_cut_the_face_and_repeat_the_edge(faces: list[Path], tmp_path: Path) -> None:
    boxes = np.array([[-4, 2, 20, 26], [30, 30, 60, 60]], np.int32)
    pictures = read_pictures([faces[0], faces[0]], tmp_path / "work", size=(24, 24), boxes=boxes)
    face = read_gray(faces[0])
    expected = np.pad(face, ((0, 0), (4, 0)), mode="edge")[2:26, :24]
    np.testing.assert_array_equal(pictures.images[0], expected)
    assert pictures.rows.tolist() == [0, 1]


@pytest.mark.parametrize("box", [(60, 0, 90, 20), (0, -20, 10, 0), (5, 5, 5, 9), (0, 0, 100_000, 10)])
def test_a_box_that_does_not_fit_is_named(faces: list[Path], tmp_path: Path, box: tuple[int, ...]) -> None:
    pictures = read_pictures(faces[:1], tmp_path / "work", boxes=np.array([box], np.int32))
    assert "does not fit" in pictures.problems[0].reason


def test_a_detector_cuts_faces_and_names_pictures_without(faces: list[Path], tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "dark.png"), np.zeros((50, 50, 3), np.uint8))
    pictures = read_pictures([faces[0], tmp_path / "dark.png"], tmp_path / "work", crop=middle)
    np.testing.assert_array_equal(pictures.images[0], resize(read_gray(faces[0])[None, 10:30, 10:40], (48, 48))[0])
    assert pictures.problems == (Problem(str(tmp_path / "dark.png"), NO_FACE),)


@pytest.mark.parametrize("found", [np.zeros((4, 4), np.float32), np.zeros((4, 4, 3), np.uint8), "face"])
def test_a_detector_that_returns_something_else_is_refused(faces: list[Path], tmp_path: Path, found: object) -> None:
    with pytest.raises(ContractError, match="crop must return a gray face"):
        read_pictures(faces, tmp_path / "work", crop=lambda picture: found)  # type: ignore[arg-type, return-value]


def test_progress_counts_pictures(tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    paths = write_faces(tmp_path / "faces", 3) * 70
    read_pictures(paths, tmp_path / "work", on_progress=lambda *call: calls.append(call))
    assert calls == [("reading pictures", done, 210) for done in (100, 200, 210)]


def reads_of(paths: list[Path], work: Path, **options: object) -> int:
    """How many pictures a second call decodes."""
    before = (work / "journal.jsonl").read_text().splitlines()
    read_pictures(paths, work, **options)  # type: ignore[arg-type]
    after = (work / "journal.jsonl").read_text().splitlines()
    return len(after) - (len(before) if after[0] == before[0] else 1)


def test_a_second_call_reads_only_what_is_new(faces: list[Path], tmp_path: Path) -> None:
    read_pictures(faces[:5], tmp_path / "work")
    assert reads_of(faces, tmp_path / "work") == 3
    assert reads_of(faces[::-1], tmp_path / "work") == 0


def test_a_picture_that_was_changed_is_read_again(faces: list[Path], tmp_path: Path) -> None:
    read_pictures(faces, tmp_path / "work")
    cv2.imwrite(str(faces[2]), np.full((48, 48), 7, np.uint8))
    assert (read_pictures(faces, tmp_path / "work").images[8] == 7).all()


def test_faces_cut_by_another_detector_are_not_used(faces: list[Path], tmp_path: Path) -> None:
    read_pictures(faces, tmp_path / "work")
    assert reads_of(faces, tmp_path / "work", crop=middle) == 8
    assert reads_of(faces, tmp_path / "work", crop=middle) == 0
    assert reads_of(faces, tmp_path / "work", crop=lambda picture: picture[:, :, 0]) == 8


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_to_the_growing_array_is_never_used(faces: list[Path], tmp_path: Path, data: st.DataObject) -> None:
    work = tmp_path / "work"
    shutil.rmtree(work, ignore_errors=True)
    expected = np.array(read_pictures(faces, work).images)
    file = work / data.draw(st.sampled_from(["pixels.bin", "journal.jsonl"]))
    content = bytearray(file.read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    else:
        start = data.draw(st.integers(0, len(content)))
        junk = data.draw(st.binary(min_size=1, max_size=30))
        content[start : start + len(junk)] = junk
    file.write_bytes(content)
    pictures = read_pictures(faces, work)
    np.testing.assert_array_equal(pictures.images[pictures.rows], expected)


def test_another_process_in_the_same_folder_is_noticed(faces: list[Path], tmp_path: Path) -> None:
    with FaceStore(tmp_path, (48, 48)) as store:
        store.add("a", "a.png", read_gray(faces[0]))
    (tmp_path / "journal.jsonl").write_bytes(b"")
    with pytest.raises(DataError, match="changed by another process"):
        store.images()


def test_the_journal_names_the_pictures_that_are_done(faces: list[Path], tmp_path: Path) -> None:
    read_pictures(faces, tmp_path / "work")
    lines = (tmp_path / "work" / "journal.jsonl").read_text().splitlines()[1:]
    assert [json.loads(line)[2] for line in lines] == [str(path) for path in faces]


def test_problems_are_kept_as_text(tmp_path: Path) -> None:
    problems = (Problem("a/é.png", "is not a file"), Problem("b\n\t.png", NO_FACE))
    write_problems(tmp_path, problems)
    assert read_problems(tmp_path) == (problems[0], Problem("b\\n\\t.png", NO_FACE))


def test_no_problems_leave_no_file(tmp_path: Path) -> None:
    write_problems(tmp_path, ())
    assert read_problems(tmp_path) == () and not list(tmp_path.iterdir())


KILLED = """
import sys, time
from pathlib import Path
from ferbench.data.pictures import read_pictures

def slow(picture):
    time.sleep(0.002)
    return picture[:, :, 0]

slow.__module__ = "detector"
paths = sorted(Path(sys.argv[1]).iterdir())
pictures = read_pictures(paths, Path(sys.argv[2]), crop=slow)
print(len(pictures.images), len(pictures.problems))
"""


@pytest.mark.slow
def test_a_killed_reading_goes_on_where_it_stopped(tmp_path: Path) -> None:
    write_faces(tmp_path / "faces", 2000)
    (tmp_path / "faces" / "broken.png").write_text("no picture")
    work, command = tmp_path / "work", [sys.executable, "-c", KILLED, str(tmp_path / "faces")]
    journal, done = work / "journal.jsonl", []
    for n_lines in (200, 900):
        process = subprocess.Popen([*command, str(work)])
        while not (journal.exists() and len(journal.read_bytes().splitlines()) > n_lines):
            assert process.poll() is None, "it ended before it was killed"
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        done.append(len(journal.read_bytes().splitlines()))
    assert 200 < done[0] < done[1] < 2000
    before = journal.read_bytes()
    last = subprocess.run([*command, str(work)], check=True, capture_output=True, text=True).stdout
    assert last.split() == ["2000", "1"]
    assert journal.read_bytes().startswith(before[: before.rindex(b"\n") + 1])
    subprocess.run([*command, str(tmp_path / "fresh")], check=True, stdout=subprocess.DEVNULL)
    assert (work / "pixels.bin").read_bytes() == (tmp_path / "fresh" / "pixels.bin").read_bytes()
