"""One frame through the path: detect, crop, recognize, each stage timed; and how many of its labelled faces are right.

What fails in use steps aside for what came before it, and the same frame is tried again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ferbench.faces.crops import crop_faces
from ferbench.faces.detectors import FaceDetector, Faces
from ferbench.faces.matching import match
from ferbench.faces.smoothing import FaceTracks
from ferbench.realtime.choice import Choice
from ferbench.realtime.frames import Clock, Frame, Truth
from ferbench.realtime.lineup import Lineup
from ferbench.realtime.true_boxes import TrueBoxes
from ferbench.types import Boxes, Probabilities


@dataclass(frozen=True, slots=True, eq=False)
class FrameAnalysis:
    """What was seen in a frame, by whom, and what it cost.

    Attributes:
        recognizer: Name of the one that gave `probabilities`.
        detector: Name of the one that gave `boxes`.
        boxes: int32, (n, 4), largest first.
        scores: float32, (n,): how sure the detector is.
        probabilities: float32, (n, n_classes).
        classes: Names of the columns.
        ms: Milliseconds of detecting, cropping and recognizing.
        done_at: When the probabilities were there.
        failures: Sentences about what failed on the way.
        is_failed: Nothing was left that could analyze the frame; it has no faces then.
    """

    recognizer: str
    detector: str
    boxes: Boxes
    scores: NDArray[np.float32]
    probabilities: Probabilities
    classes: tuple[str, ...]
    ms: tuple[float, float, float] = (0.0, 0.0, 0.0)
    done_at: float = 0.0
    failures: tuple[str, ...] = ()
    is_failed: bool = False

    def n_right(self, truth: Truth) -> int:
        """How many labelled faces were found and named right."""
        if not len(self.boxes) or not len(truth):
            return 0
        nowhere = (truth.boxes[:, 2:] <= truth.boxes[:, :2]).any(axis=1, keepdims=True)
        boxes = np.where(nowhere, self.boxes[:1], truth.boxes)
        named = [self.classes[label] for label in self.probabilities.argmax(axis=1)]
        return sum(
            named[face] == truth.classes[truth.labels[true]]
            for face, true in enumerate(match(self.boxes, boxes).tolist())
            if true >= 0
        )


class Pipeline:
    """Whatever detector and recognizer are current, one after the other.

    Args:
        detectors: The detectors.
        lineup: The recognizers.
        smoothing: Weight of a face's newest probabilities, above 0 and below 1, against those of the frames before;
            None: every frame stands for itself.
        clock: Times the stages.
    """

    def __init__(
        self,
        detectors: Choice[FaceDetector],
        lineup: Lineup,
        *,
        smoothing: float | None = None,
        clock: Clock,
    ) -> None:
        self._detectors, self._lineup, self._clock = detectors, lineup, clock
        self._smoothing = smoothing
        self._tracks: FaceTracks | None = None
        self._tracked = ""

    def analyze(self, frame: Frame) -> FrameAnalysis:
        """Look at one frame. Whatever a detector or recognizer raises, the one before it tries the same frame."""
        failures: list[str] = []
        while True:
            try:
                faces, detect_ms = self._find(frame)
                break
            except Exception as error:  # a plug-in may raise anything; the loop goes on and says it
                if not _replaced(self._detectors, error, failures):
                    return self._nothing(failures)
        while True:
            try:
                return self._recognize(frame, faces, detect_ms, failures)
            except Exception as error:
                if not _replaced(self._lineup, error, failures):
                    return self._nothing(failures)

    def _find(self, frame: Frame) -> tuple[Faces, float]:
        detector = self._detectors.current
        start = self._clock()
        faces = detector.find(frame) if isinstance(detector, TrueBoxes) else detector.detect(frame.image)
        return faces, 1e3 * (self._clock() - start)

    def _recognize(self, frame: Frame, faces: Faces, detect_ms: float, failures: list[str]) -> FrameAnalysis:
        detector, recognizer = self._detectors.current, self._lineup.current
        start = self._clock()
        crops = crop_faces(frame.image, faces, size=recognizer.image_size, framing=detector.framing)
        cropped = self._clock()
        probabilities = recognizer.predict_proba(crops)
        if self._smoothing is not None:
            probabilities = self._smooth(self._smoothing, faces.boxes, probabilities)
        done = self._clock()
        return FrameAnalysis(
            self._lineup.name,
            self._detectors.name,
            faces.boxes,
            faces.scores,
            probabilities,
            recognizer.classes,
            (detect_ms, 1e3 * (cropped - start), 1e3 * (done - cropped)),
            done,
            tuple(failures),
        )

    def _smooth(self, weight: float, boxes: Boxes, probabilities: Probabilities) -> Probabilities:
        if self._tracks is None or self._tracked != self._lineup.name:
            self._tracks, self._tracked = FaceTracks(weight=weight), self._lineup.name
        return self._tracks.update(boxes, probabilities)

    def _nothing(self, failures: list[str]) -> FrameAnalysis:
        classes, nobody = self._lineup.current.classes, Faces.empty()
        return FrameAnalysis(
            self._lineup.name,
            self._detectors.name,
            nobody.boxes,
            nobody.scores,
            np.empty((0, len(classes)), np.float32),
            classes,
            done_at=self._clock(),
            failures=tuple(failures),
            is_failed=True,
        )


def _replaced(choice: Choice[Any], error: Exception, failures: list[str]) -> bool:
    sentence = choice.fail(error)
    failures.append(sentence or f"{choice.name} failed, and nothing else is left: {error}")
    return sentence is not None
