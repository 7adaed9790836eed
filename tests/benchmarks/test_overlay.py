"""What drawing costs: a full screen against one JPEG of the same frame, which a recording writes anyway."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from ferbench.realtime.overlay import draw
from ferbench.realtime.view import View
from ferbench.types import FrameImage

N_FRAMES = 20
AT_MOST_JPEGS = 3


def frame() -> FrameImage:
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    blurred: FrameImage = cv2.GaussianBlur(noise, (0, 0), 3)
    return blurred


def views() -> list[View]:
    """Two faces whose figures all change with every frame."""
    rng = np.random.default_rng(0)
    plain = View(
        recognizer="hog_svm",
        detector="yunet",
        boxes=np.array([[240, 130, 460, 350], [470, 140, 600, 270]], np.int32),
        probabilities=np.zeros((2, 7), np.float32),
        certainty=0.4,
        recognizers=("hog_svm", "cnn9", "lbp_svm", "mini_xception", "prior"),
        current=0,
    )
    return [
        replace(
            plain,
            probabilities=rng.dirichlet(np.ones(7), 2).astype(np.float32),
            fps=rng.uniform(20, 60),
            drop_rate=rng.uniform(0, 0.1),
            accuracy=(number, N_FRAMES),
            stages={name: tuple(rng.uniform(0, 20, 2)) for name in ("capture", "detect", "crop", "recognize", "draw")},
        )
        for number in range(N_FRAMES)
    ]


def test_a_screen_is_drawn_in_the_time_of_a_few_jpegs(compare: Callable[..., float]) -> None:
    image, shown = frame(), views()

    def draw_all() -> None:
        for view in shown:
            draw(image, view)

    def encode_all() -> None:
        for _ in shown:
            cv2.imencode(".jpg", image)

    assert compare(draw_all, encode_all) >= 1 / AT_MOST_JPEGS
