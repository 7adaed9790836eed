"""From a photograph or a frame to what every face in it shows: detector, crops and recognizer in one call."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ferbench import registry
from ferbench.data.images import read_color
from ferbench.faces.crops import crop_faces
from ferbench.faces.detectors import FaceDetector, Faces
from ferbench.faces.smoothing import FaceTracks
from ferbench.recognizers.base import Recognizer
from ferbench.types import Boxes, FrameImage, Prediction, Probabilities


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """Every face of one picture and what it shows, one row a face, the largest first.

    Attributes:
        faces: Where they are.
        prediction: What is said of each.
    """

    faces: Faces
    prediction: Prediction

    def __len__(self) -> int:
        return len(self.faces)

    @property
    def boxes(self) -> Boxes:
        """int32, (n, 4): x1, y1, x2, y2 of each face."""
        return self.faces.boxes

    @property
    def scores(self) -> NDArray[np.float32]:
        """float32, (n,): how sure the detector is of each face."""
        return self.faces.scores

    @property
    def probabilities(self) -> Probabilities:
        """float32, (n, n_classes)."""
        return self.prediction.probabilities

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the probabilities."""
        return self.prediction.classes

    @property
    def names(self) -> tuple[str, ...]:
        """The most probable class of each face."""
        return self.prediction.names

    @property
    def confidence(self) -> NDArray[np.float32]:
        """float32, (n,): the probability of that class."""
        return self.prediction.confidence

    def rows(self) -> list[dict[str, Any]]:
        """The same as JSON values: box, score, emotion, confidence and probabilities by class of each face."""
        columns = (self.boxes, self.scores, self.names, self.confidence, self.probabilities)
        return [
            {
                "box": box.tolist(),
                "score": float(score),
                "emotion": name,
                "confidence": float(confidence),
                "probabilities": dict(zip(self.classes, probabilities.tolist(), strict=True)),
            }
            for box, score, name, confidence, probabilities in zip(*columns, strict=True)
        ]


class FaceAnalyzer:
    """Tells the emotion of every face in a picture.

    Args:
        recognizer: A trained one, or what `ferbench.load` takes: a name, or a folder.
        detector: One, or the name of one.
        tracks: Smooths what is said of each face over the frames of one video; None: every picture stands alone.

    Raises:
        UnknownNameError: no recognizer or detector of that name.
        DataError: a damaged recognizer.
    """

    def __init__(
        self,
        recognizer: Recognizer | str | Path,
        detector: FaceDetector | str = "haar",
        *,
        tracks: FaceTracks | None = None,
    ) -> None:
        self.recognizer = registry.load(recognizer) if isinstance(recognizer, str | Path) else recognizer
        self.detector: FaceDetector = registry.create("detectors", detector) if isinstance(detector, str) else detector
        self.tracks = tracks

    def analyze(self, image: FrameImage | str | Path) -> Analysis:
        """Find the faces of one picture and tell their emotions, all in one call of the recognizer.

        Args:
            image: uint8, (height, width, 3), BGR as OpenCV reads it, or a picture file.

        Raises:
            ImagesError: an array of another kind.
            DataError: a file that is missing or no picture.
        """
        picture = read_color(image) if isinstance(image, str | Path) else image
        faces = self.detector.detect(picture)
        crops = crop_faces(picture, faces, size=self.recognizer.image_size, framing=self.detector.framing)
        probabilities = self.recognizer.predict_proba(crops)
        if self.tracks is not None:
            probabilities = self.tracks.update(faces.boxes, probabilities)
        return Analysis(faces, Prediction(probabilities, self.recognizer.classes))
