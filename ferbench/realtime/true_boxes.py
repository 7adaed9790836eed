"""The detector that makes no mistakes: what a path would be worth if faces were always found, exactly."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ferbench.errors import SourceError
from ferbench.faces.detectors import Faces
from ferbench.faces.framing import Framing
from ferbench.realtime.frames import Frame
from ferbench.types import FrameImage


class TrueBoxes:
    """Finds the labelled faces of a frame where its truth says they are; for replays."""

    name: ClassVar[str] = "true_boxes"
    framing: ClassVar[Framing] = Framing()

    def find(self, frame: Frame) -> Faces:
        """The faces of the frame's truth, largest first.

        Raises:
            SourceError: the frame carries no labels.
        """
        if frame.truth is None:
            raise SourceError("true_boxes needs frames with labelled faces: use --source replay or another detector.")
        boxes = frame.truth.boxes
        sizes = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
        return Faces(boxes[np.argsort(-sizes, kind="stable")], np.ones(len(boxes), np.float32))

    def detect(self, image: FrameImage) -> Faces:
        """A picture alone does not say where its faces are.

        Raises:
            SourceError: always.
        """
        raise SourceError("true_boxes needs frames with labelled faces, not a picture: use another detector.")
