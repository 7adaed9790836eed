"""What finds faces in a picture: the interface of every detector, and the two that need no model of their own.

How a face that was found is cut out is said by a detector's `framing` and done in `crops`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from ferbench.data.images import import_cv2, to_gray
from ferbench.errors import ConfigError, DataError, ImagesError, MissingLibraryError
from ferbench.faces.framing import Framing
from ferbench.types import Boxes, FrameImage

_CASCADE = "haarcascade_frontalface_alt2.xml"


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """The faces found in one picture, one row each, the largest first.

    Attributes:
        boxes: int32, (n, 4): where they are; inside the picture, none empty.
        scores: float32, (n,): how sure the detector is, 0 to 1, comparable within one detector only.
        eyes: float32, (n, 2, 2): x and y of both eyes, first the one further left in the picture; None: not known.

    Raises:
        DataError: the arrays are not of one length.
    """

    boxes: Boxes
    scores: NDArray[np.float32]
    eyes: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        n = len(self.boxes)
        eyes = (n, 2, 2) if self.eyes is None else self.eyes.shape
        if self.boxes.shape != (n, 4) or self.scores.shape != (n,) or eyes != (n, 2, 2):
            raise DataError(
                f"Faces need boxes (n, 4), scores (n,) and eyes (n, 2, 2), "
                f"got {self.boxes.shape}, {self.scores.shape} and {eyes}."
            )

    def __len__(self) -> int:
        return len(self.boxes)

    def first(self, n: int) -> Self:
        """The `n` largest faces, or all where there are fewer."""
        return type(self)(self.boxes[:n], self.scores[:n], None if self.eyes is None else self.eyes[:n])

    @classmethod
    def empty(cls) -> Self:
        """No face at all."""
        return cls(np.empty((0, 4), np.int32), np.empty(0, np.float32))

    @classmethod
    def within(
        cls,
        image: FrameImage,
        corners: NDArray[np.floating[Any]],
        scores: NDArray[np.floating[Any]],
        eyes: NDArray[np.floating[Any]] | None = None,
    ) -> Self:
        """Faces as a detector reports them: in any order, between pixels and over the edges.

        Args:
            image: The picture they were found in.
            corners: (n, 4): x1, y1, x2, y2; what has no pixel inside the picture is left out.
            scores: (n,).
            eyes: (n, 2, 2), the two eyes in any order, or None.
        """
        height, width = image.shape[:2]
        edges = np.array([width, height, width, height])
        is_finite = np.isfinite(corners).all(axis=1, keepdims=True)
        boxes: Boxes = np.clip(np.rint(np.where(is_finite, corners, 0)), 0, edges).astype(np.int32)
        areas = np.maximum(boxes[:, 2:] - boxes[:, :2], 0).prod(axis=1, dtype=np.int64)
        order = np.argsort(-areas, kind="stable")[: np.count_nonzero(areas)]
        if eyes is not None:
            by_x = np.argsort(eyes[:, :, 0], axis=1, kind="stable")
            eyes = np.take_along_axis(eyes, by_x[:, :, None], axis=1)[order].astype(np.float32)
        return cls(boxes[order], np.asarray(scores, np.float32)[order], eyes)


class FaceDetector(Protocol):
    """Finds faces. One object serves one thread at a time.

    Attributes:
        name: Under which it is registered.
    """

    name: ClassVar[str]

    @property
    def framing(self) -> Framing:
        """How its boxes lie on a face."""

    def detect(self, image: FrameImage) -> Faces:
        """The faces in a picture of any size.

        Raises:
            ImagesError: it is not uint8 (height, width, 3).
        """


@dataclass(kw_only=True, eq=False)
class Haar:
    """A cascade of boosted Haar features (Viola and Jones, CVPR 2001), as OpenCV ships it ("alt2", frontal faces).

    Args:
        scale: Step between the sizes searched, above 1.
        neighbors: A face is where more windows than this agree.
        min_size: Smallest face that is looked for, in pixels of the picture.
        input_size: Width and height within which the picture is searched; a larger one is reduced first.

    Raises:
        ConfigError: a value out of range.
    """

    name: ClassVar[str] = "haar"
    framing: ClassVar[Framing] = Framing(scale=1.04, down=0.01)

    scale: float = 1.1
    neighbors: int = 2
    min_size: int = 60
    input_size: tuple[int, int] = (320, 240)
    _cascade: Any = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if not 1.01 <= self.scale <= 4:
            raise ConfigError(f"scale must be 1.01 to 4, got {self.scale:g}.")
        if self.neighbors < 1 or self.min_size < 1:
            raise ConfigError(f"neighbors and min_size must be 1 or more, got {self.neighbors} and {self.min_size}.")
        check_input_size(self.input_size)

    def detect(self, image: FrameImage) -> Faces:
        """The frontal, upright faces in a picture; a score is the share of agreeing windows, n / (n + 1)."""
        check_picture(image)
        if self._cascade is None:
            self._cascade = _load_cascade()
        searched, scale = fit_within(image, self.input_size, enlarge=False)
        smallest = max(1, round(self.min_size * scale))
        found, counts = self._cascade.detectMultiScale2(
            to_gray(searched), scaleFactor=self.scale, minNeighbors=self.neighbors, minSize=(smallest, smallest)
        )
        corners = np.array(found, np.float64).reshape(-1, 4) / scale
        corners[:, 2:] += corners[:, :2]
        n_windows = np.array(counts, np.float32).reshape(-1)
        return Faces.within(image, corners, n_windows / (n_windows + 1))


@dataclass(kw_only=True, eq=False)
class WholeFrame:
    """Takes the whole picture for one face: for pictures that are crops already, and to measure without a search."""

    name: ClassVar[str] = "whole_frame"
    framing: ClassVar[Framing] = Framing()

    def detect(self, image: FrameImage) -> Faces:
        """One box as large as the picture."""
        check_picture(image)
        height, width = image.shape[:2]
        return Faces(np.array([[0, 0, width, height]], np.int32), np.ones(1, np.float32))


def check_picture(image: FrameImage) -> None:
    """Refuse what is not a color picture.

    Raises:
        ImagesError: it is not uint8 (height, width, 3), or has no pixel.
    """
    if not (isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3):
        got = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ImagesError(
            f"A picture to find faces in must be uint8 (height, width, 3), BGR, got {got}: "
            "cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) makes one of a gray one."
        )
    if image.size == 0:
        raise ImagesError(f"A picture to find faces in must have pixels, got {image.shape}.")


def check_input_size(size: tuple[int, int]) -> None:
    """Refuse a size at which no face can be found.

    Raises:
        ConfigError: a side is below 32 or above 8192 pixels.
    """
    if not all(32 <= side <= 8192 for side in size):
        raise ConfigError(f"input_size must be width and height, each 32 to 8192, got {tuple(size)}.")


def fit_within(image: FrameImage, size: tuple[int, int], *, enlarge: bool) -> tuple[FrameImage, float]:
    """A picture as large as fits within (width, height), its shape kept, and how many times as large it is."""
    cv2 = import_cv2()
    height, width = image.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    if scale == 1 or (scale > 1 and not enlarge):
        return image, 1.0
    target = max(1, round(width * scale)), max(1, round(height * scale))
    resized: FrameImage = cv2.resize(image, target, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return resized, scale


def _load_cascade() -> Any:
    cv2 = import_cv2()
    if not hasattr(cv2, "CascadeClassifier"):
        raise MissingLibraryError(
            f"OpenCV {cv2.__version__} has no Haar cascades any more: pip install 'opencv-python>=4.10,<5'."
        )
    cascade = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / _CASCADE))
    if cascade.empty():
        raise MissingLibraryError(
            f"OpenCV's {_CASCADE} cannot be read: pip install --force-reinstall 'opencv-python>=4.10,<5'."
        )
    return cascade
