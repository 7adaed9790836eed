"""What the camera loop costs beside what it does: capture, detector, crop and recognizer called bare, one by one.

Frames are decoded from a file, which both ways read to its end. CPU time, interleaved pairs, one thread.
"""

import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from ferbench import registry
from ferbench.data.synthetic import load_synthetic
from ferbench.faces.crops import crop_faces
from ferbench.faces.detectors import Haar, WholeFrame
from ferbench.realtime.choice import Choice
from ferbench.realtime.lineup import Lineup, warm
from ferbench.realtime.rows import RowLog
from ferbench.realtime.scenes import Scenes, SceneSettings
from ferbench.realtime.session import Session
from ferbench.realtime.sources import Video
from ferbench.statistics import bootstrap_interval

N_PAIRS = 24


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.avi"
    dataset = load_synthetic(n_train=7, n_validation=70, n_test=7, seed=0)
    scenes = Scenes(dataset.validation, dataset.classes, SceneSettings(n_frames=120, frames_per_face=4), seed=0)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 30, (640, 480))
    for index in range(len(scenes)):
        writer.write(scenes[index].image)
    writer.release()
    return path


@pytest.mark.parametrize(("recognizer", "detector"), [("prior", WholeFrame()), ("hog_svm", Haar())], ids=str)
def test_loop_against_the_bare_sum(benchmark, clip: Path, tmp_path: Path, recognizer: str, detector) -> None:
    model = warm(registry.load(recognizer))
    numbers = iter(range(10_000))

    def bare() -> float:
        capture = cv2.VideoCapture(str(clip))
        start = time.process_time()
        while True:
            ok, image = capture.read()
            if not ok:
                break
            faces = detector.detect(image)
            model.predict_proba(crop_faces(image, faces, size=model.image_size, framing=detector.framing))
        return time.process_time() - start

    def loop() -> float:
        source = Video(path=clip)
        with source, RowLog(tmp_path / str(next(numbers))) as log:
            session = Session(source, Choice("detector", [("d", detector)]), Lineup([("r", model)]), log)
            start = time.process_time()
            session.run()
            return time.process_time() - start

    bare(), loop()
    ratios = np.array([(loop() / bare()) if turn % 2 else 1 / (bare() / loop()) for turn in range(N_PAIRS)])
    low, high = bootstrap_interval(ratios, np.arange(N_PAIRS))
    benchmark.extra_info |= {
        "loop_over_bare_cpu": float(np.median(ratios)),
        "interval_of_the_mean": (low, high),
        "n_pairs": N_PAIRS,
        "frames": 120,
    }
    print(f"\n{recognizer}: {np.median(ratios):.3f}, mean within [{low:.3f}, {high:.3f}], {N_PAIRS} pairs")
    benchmark.pedantic(loop, rounds=1)
    assert np.median(ratios) < 1.05
