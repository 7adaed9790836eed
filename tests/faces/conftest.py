"""Pictures with known faces in them, and the YuNet model that only the test data has."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from ferbench.data.synthetic import render_faces
from ferbench.types import Boxes, FrameImage, Images

SIDE = 160


@pytest.fixture(scope="session")
def portraits() -> Images:
    return render_faces(np.arange(12) % 7, rng=np.random.default_rng(5), size=SIDE)


@pytest.fixture(scope="session")
def astronaut() -> FrameImage:
    return cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)


@pytest.fixture(scope="session")
def crowd(portraits: Images) -> tuple[FrameImage, Boxes]:
    """Thirty faces, six a row, and the squares in which they were drawn."""
    places = [(40 + 200 * (face % 6), 30 + 200 * (face // 6)) for face in range(30)]
    frame = np.full((1060, 1260, 3), 140, np.uint8)
    for face, (x, y) in enumerate(places):
        frame[y : y + SIDE, x : x + SIDE] = portraits[face % len(portraits)][..., None]
    return frame, np.array([(x, y, x + SIDE, y + SIDE) for x, y in places], np.int32)


@pytest.fixture(scope="session")
def yunet_model() -> str:
    """A real YuNet, for the few tests that need it."""
    folder = os.environ.get("FERBENCH_TEST_DATA")
    if not folder:
        pytest.skip("FERBENCH_TEST_DATA is not set: it names the folder with models/face_detection_yunet_*.onnx")
    models = sorted((Path(folder) / "models").glob("face_detection_yunet_*.onnx"))
    if not models:
        pytest.skip(f"{folder}/models holds no face_detection_yunet_*.onnx")
    return str(models[0])
