"""How many times as fast `crop_faces` is as a plain loop: the frame gray and padded, each face cut and resized."""

from __future__ import annotations

import os
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from ferbench.faces.crops import crop_faces
from ferbench.faces.detectors import Faces, Haar
from ferbench.faces.yunet import YuNet
from ferbench.types import FrameImage, Images


def scene(n_faces: int, height: int, width: int) -> tuple[FrameImage, Faces]:
    rng = np.random.default_rng(n_faces)
    sides = rng.integers(height // 8, height // (3 if n_faces < 6 else 5), n_faces)
    corners = np.stack([rng.integers(0, width - sides), rng.integers(0, height - sides)], axis=1)
    boxes = np.concatenate([corners, corners + sides[:, None]], axis=1)
    image = rng.integers(0, 256, (height, width, 3), np.uint8)
    return image, Faces.within(image, boxes.astype(float), np.ones(n_faces))


def naive(image: FrameImage, faces: Faces) -> Images:
    margin = max(image.shape) // 4
    gray = cv2.copyMakeBorder(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), *[margin] * 4, cv2.BORDER_REPLICATE)
    crops = []
    for x, y, side, _ in Haar.framing.squares(faces.boxes):
        n = round(side)
        left, top = round(x - n / 2) + margin, round(y - n / 2) + margin
        crops.append(cv2.resize(gray[top : top + n, left : left + n], (48, 48), interpolation=cv2.INTER_AREA))
    return np.stack(crops)


@pytest.mark.parametrize(
    ("n_faces", "height", "width", "at_least"),
    [(1, 480, 640, 2.0), (5, 480, 640, 1.2), (1, 1080, 1920, 5.0), (30, 1080, 1920, 0.8)],
)
def test_crops_against_a_naive_loop(
    compare: Callable[..., float], n_faces: int, height: int, width: int, at_least: float
) -> None:
    image, faces = scene(n_faces, height, width)
    np.testing.assert_array_equal(crop_faces(image, faces, framing=Haar.framing), naive(image, faces))

    def crop() -> None:
        for _ in range(20):
            crop_faces(image, faces, framing=Haar.framing)

    def loop() -> None:
        for _ in range(20):
            naive(image, faces)

    assert compare(crop, loop) > at_least


def test_yunet_through_onnx_runtime_against_opencv(compare: Callable[..., float]) -> None:
    model = os.environ.get("FERBENCH_YUNET")
    if not model:
        pytest.skip("FERBENCH_YUNET names no model file")
    pytest.importorskip("onnxruntime")
    image, _ = scene(1, 480, 640)
    ours, theirs = YuNet(path=model, engine="onnxruntime"), YuNet(path=model)
    cv2.setNumThreads(1)

    def fast() -> None:
        for _ in range(10):
            ours.detect(image)

    def slow() -> None:
        for _ in range(10):
            theirs.detect(image)

    assert compare(fast, slow) > 1.5
