"""MTCNN, three small networks in a row, from the package of that name (the extra `mtcnn`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from ferbench.data.images import import_cv2
from ferbench.errors import ConfigError, MissingLibraryError
from ferbench.faces.detectors import Faces, check_input_size, check_picture, fit_within
from ferbench.faces.framing import Framing
from ferbench.types import FrameImage

_MIN_SIDE = 20


@dataclass(kw_only=True, eq=False)
class Mtcnn:
    """Multitask cascaded convolutional networks (Zhang, Zhang, Li and Qiao, IEEE Signal Processing Letters 2016).

    Finds faces of most poses, and both eyes of each. Far slower than the other detectors.

    Args:
        input_size: Width and height within which the picture is searched; a larger one is reduced first.
        threshold: The score from which on something is a face, 0 to 1.
        level: Whether heads are turned upright by their eyes when faces are cut out.

    Raises:
        ConfigError: a value out of range.
    """

    name: ClassVar[str] = "mtcnn"

    input_size: tuple[int, int] = (320, 240)
    threshold: float = 0.8
    level: bool = False
    _cascade: Any = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        check_input_size(self.input_size)
        if not 0 < self.threshold < 1:
            raise ConfigError(f"threshold must be above 0 and below 1, got {self.threshold:g}.")

    @property
    def framing(self) -> Framing:
        """How its boxes lie on a face."""
        return Framing(scale=1.1, down=-0.01, level=self.level)

    def detect(self, image: FrameImage) -> Faces:
        """The faces in a picture, with their eyes.

        Raises:
            ImagesError: it is not uint8 (height, width, 3).
            MissingLibraryError: the package is not installed.
        """
        check_picture(image)
        cv2 = import_cv2()
        if self._cascade is None:
            self._cascade = _load_cascade()
        searched, scale = fit_within(image, self.input_size, enlarge=False)
        if min(searched.shape[:2]) < _MIN_SIDE:
            return Faces.empty()
        found = self._cascade.detect_faces(
            cv2.cvtColor(searched, cv2.COLOR_BGR2RGB),
            box_format="xyxy",
            threshold_onet=self.threshold,
        )
        corners = np.array([face["box"] for face in found], np.float64).reshape(-1, 4)
        scores = np.array([face["confidence"] for face in found], np.float64)
        points = [(face["keypoints"]["left_eye"], face["keypoints"]["right_eye"]) for face in found]
        eyes = np.array(points, np.float64).reshape(-1, 2, 2)
        return Faces.within(image, corners / scale, scores, eyes / scale)


def _load_cascade() -> Any:
    try:
        from mtcnn import MTCNN
    except ImportError as error:
        raise MissingLibraryError(
            f"The detector 'mtcnn' needs the package mtcnn ({error}): pip install 'ferbench[mtcnn]'."
        ) from error
    return MTCNN()
