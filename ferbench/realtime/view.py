"""Everything that the screen says at one moment, as data. How it looks is not known here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ferbench.errors import ImagesError
from ferbench.types import EMOTIONS, Boxes, Probabilities

UNCERTAIN = "uncertain"
"""What is said of a face whose most probable class is not probable enough."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the person in front of the camera is asked to do.

    Attributes:
        text: Such as "look surprised".
        seconds_left: Until the next one.
        seconds: How long it lasts in all.
    """

    text: str
    seconds_left: float
    seconds: float


class Verdict(NamedTuple):
    """What is said of one face: in a word, its most probable class as an index, and how probable that is."""

    word: str
    label: int
    share: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class View:
    """What there is to see. The default is a picture without anything on it.

    Attributes:
        recognizer: Name of the one that gave `probabilities`.
        detector: Name of the one that gave `boxes`.
        boxes: int32, (n, 4): the faces.
        probabilities: float32, (n, n_classes), or no rows where no recognizer has spoken.
        classes: Names of the columns of `probabilities`.
        certainty: A face whose most probable class has less than this reads "uncertain".
        fps: Frames analyzed a second, None while unknown.
        stages: Milliseconds by stage in order (capture, detect, crop, recognize, draw): the median and the 95th
            percentile, not finite while unknown.
        drop_rate: Share of the frames that arrived and were not analyzed, None where none can be.
        accuracy: Faces that were right, and labelled faces in all; None where frames carry no labels.
        recognizers: Those that can be chosen, in the order of their keys.
        current: Index into `recognizers` of the one chosen, -1 for none.
        notices: Sentences to be read, the most urgent first.
        prompt: What the person is asked to do.
        typed: What has been typed so far of the name of a recognizer to add, None while nobody types.
        is_paused: Nothing is being analyzed.
        is_recording: Pictures are being written to disk.
        has_help: The keys are explained.

    Raises:
        ImagesError: boxes and probabilities do not fit each other or the classes.
    """

    recognizer: str = ""
    detector: str = ""
    boxes: Boxes = field(default_factory=lambda: np.zeros((0, 4), np.int32))
    probabilities: Probabilities = field(default_factory=lambda: np.zeros((0, len(EMOTIONS)), np.float32))
    classes: tuple[str, ...] = EMOTIONS
    certainty: float = 0.0
    fps: float | None = None
    stages: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    drop_rate: float | None = None
    accuracy: tuple[int, int] | None = None
    recognizers: tuple[str, ...] = ()
    current: int = -1
    notices: tuple[str, ...] = ()
    prompt: Prompt | None = None
    typed: str | None = None
    is_paused: bool = False
    is_recording: bool = False
    has_help: bool = False

    def __post_init__(self) -> None:
        n, k = len(self.boxes), len(self.classes)
        if self.boxes.shape != (n, 4):
            raise ImagesError(f"boxes must be (n, 4), got {self.boxes.shape}: one row x1, y1, x2, y2 a face.")
        if self.probabilities.shape not in ((n, k), (0, k)):
            raise ImagesError(
                f"probabilities must be ({n}, {k}), a row a box and a column a class, or have no rows, "
                f"got {self.probabilities.shape}."
            )

    @property
    def largest(self) -> int:
        """The row of the face with the largest box, the first of equals; -1 where there is no face."""
        sides = self.boxes[:, 2:].astype(np.int64) - self.boxes[:, :2]
        return int(sides.prod(axis=1).argmax()) if len(sides) else -1

    def verdicts(self) -> list[Verdict]:
        """What is said of each face; nothing where no recognizer has spoken."""
        if not self.probabilities.size:
            return []
        known = np.nan_to_num(self.probabilities)
        labels, best = known.argmax(axis=1).tolist(), known.max(axis=1).tolist()
        return [
            Verdict(self.classes[label] if share >= self.certainty else UNCERTAIN, label, share)
            for label, share in zip(labels, best, strict=True)
        ]
