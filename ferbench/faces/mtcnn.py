"""MTCNN, three small networks in a row, from the package of that name (the extra `mtcnn`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from ferbench.data.images import import_cv2
from ferbench.errors import ConfigError, MissingLibraryError
from ferbench.faces.detectors import Faces, check_picture
from ferbench.faces.framing import Framing
from ferbench.types import FrameImage

_MIN_SIDE = 12


@dataclass(kw_only=True, eq=False)
class Mtcnn:
    """Multitask cascaded convolutional networks (Zhang, Zhang, Li and Qiao, IEEE Signal Processing Letters 2016).

    Finds faces of most poses, and both eyes of each. Far slower than the other detectors.

    Args:
        min_size: Smallest face that is looked for, in pixels of the picture; a larger one is faster.
        threshold: The score from which on something is a face, 0 to 1.

    Raises:
        ConfigError: a value out of range.
    """

    name: ClassVar[str] = "mtcnn"
    framing: ClassVar[Framing] = Framing()

    min_size: int = 60
    threshold: float = 0.8
    _cascade: Any = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.min_size < _MIN_SIDE:
            raise ConfigError(f"min_size must be {_MIN_SIDE} or more, got {self.min_size}.")
        if not 0 < self.threshold < 1:
            raise ConfigError(f"threshold must be above 0 and below 1, got {self.threshold:g}.")

    def detect(self, image: FrameImage) -> Faces:
        """The faces in a picture, with their eyes.

        Raises:
            ImagesError: it is not uint8 (height, width, 3).
            MissingLibraryError: the package is not installed.
        """
        check_picture(image)
        if self._cascade is None:
            self._cascade = _load_cascade()
        if min(image.shape[:2]) < self.min_size:
            return Faces.empty()
        cv2 = import_cv2()
        found = self._cascade.detect_faces(
            cv2.cvtColor(image, cv2.COLOR_BGR2RGB),
            box_format="xyxy",
            min_face_size=self.min_size,
            threshold_onet=self.threshold,
        )
        return Faces.within(
            image,
            np.array([face["box"] for face in found], np.float64).reshape(-1, 4),
            np.array([face["confidence"] for face in found], np.float64),
            np.array(
                [[face["keypoints"][eye] for eye in ("left_eye", "right_eye")] for face in found], np.float64
            ).reshape(-1, 2, 2),
        )


def _load_cascade() -> Any:
    try:
        from mtcnn import MTCNN
    except ImportError as error:
        raise MissingLibraryError(
            f"The detector 'mtcnn' needs the package mtcnn ({error}): pip install 'ferbench[mtcnn]'."
        ) from error
    return MTCNN()
