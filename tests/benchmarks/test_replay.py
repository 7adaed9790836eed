"""What a replayed scene costs, against decoding the same scene from a video file; and what its rows cost."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np

from ferbench.data.dataset import Split
from ferbench.data.synthetic import render_faces
from ferbench.realtime.frames import Truth
from ferbench.realtime.rows import FrameRow, RowLog
from ferbench.realtime.scenes import Scenes, SceneSettings
from ferbench.realtime.sources import Video
from ferbench.types import EMOTIONS

N = 60
CEILING_MS = 3.0


def faces() -> Split:
    ids = np.arange(N)
    labels = ids % len(EMOTIONS)
    return Split(render_faces(labels, rng=np.random.default_rng(0)), labels, ids, ids)


def test_scene_costs_less_than_decoding_it_from_a_file(compare, benchmark, tmp_path: Path) -> None:
    scenes = Scenes(faces(), EMOTIONS, SceneSettings(frames_per_face=1))
    path = tmp_path / "scenes.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30.0, (640, 480))
    for index in range(N):
        writer.write(scenes[index].image)
    writer.release()

    def make() -> None:
        for index in range(N):
            scenes[index]

    def decode() -> None:
        with Video(path=path) as video:
            while video.read(0.0) is not None:
                pass

    assert compare(make, decode) > 1
    start = time.process_time()
    make()
    milliseconds = 1e3 * (time.process_time() - start) / N
    benchmark.extra_info |= {"cpu_ms_a_scene": milliseconds, "frames": N, "size": [640, 480]}
    print(f"{milliseconds:.2f} ms of CPU a scene")
    assert milliseconds < CEILING_MS


def test_rows_of_a_frame_cost_a_small_part_of_making_it(compare, tmp_path: Path) -> None:
    scenes = Scenes(faces(), EMOTIONS, SceneSettings(frames_per_face=1))
    log = RowLog(tmp_path / "rows")

    class Answers:
        boxes = np.array([[100, 100, 200, 200]], np.int32)
        scores = np.ones(1, np.float32)
        probabilities = np.full((1, 7), 1 / 7, np.float32)
        classes = EMOTIONS

    truth = Truth(Answers.boxes, np.zeros(1, np.int64), EMOTIONS)

    def make() -> None:
        for index in range(N):
            scenes[index]

    def write() -> None:
        for index in range(N):
            log.add(FrameRow(index, 1.0, "done", "cnn9", "haar", 0.5, 7.0, 0.1, 1.0, 2.0, 1.1), truth, Answers())

    ratio = compare(write, make)
    log.close()
    assert ratio > 10
