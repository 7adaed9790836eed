"""From a picture and the faces found in it to the gray squares that a recognizer sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ferbench.data.images import import_cv2, resize, to_gray
from ferbench.faces.detectors import FaceDetector, Faces, check_picture
from ferbench.faces.framing import Framing
from ferbench.types import FrameImage, Images


def crop_faces(
    image: FrameImage, faces: Faces, *, size: tuple[int, int] = (48, 48), framing: Framing | None = None
) -> Images:
    """Cut out all faces of a picture, gray and of one size, replicating its edges where a square reaches over them.

    Args:
        image: uint8, (height, width, 3), BGR.
        faces: As a detector found them in it.
        size: Height and width of the crops.
        framing: Where the square of a face lies, as the detector's `framing` says; None: the box itself, made square.

    Returns:
        uint8, (n, height, width), n may be 0.

    Raises:
        ImagesError: the picture is not uint8 (height, width, 3).
    """
    check_picture(image)
    crops = np.empty((len(faces), *size), np.uint8)
    squares = (framing or Framing()).squares(faces.boxes, faces.eyes)
    for crop, (x, y, side, roll) in zip(crops, squares.tolist(), strict=True):
        face = _cut_level(image, x, y, side, roll) if roll else _cut(image, x, y, side)
        crop[:] = resize(face[None], size)[0]
    return crops


def _cut(image: FrameImage, x: float, y: float, side: float) -> Images:
    cv2 = import_cv2()
    n = max(1, round(side))
    left, right, *beside = _span(x, n, image.shape[1])
    top, bottom, *above = _span(y, n, image.shape[0])
    inside = to_gray(image[top:bottom, left:right])
    if inside.shape == (n, n):
        return inside
    replicated: Images = cv2.copyMakeBorder(inside, *above, *beside, cv2.BORDER_REPLICATE)
    return replicated


def _span(center: float, n: int, length: int) -> tuple[int, int, int, int]:
    """First and end of those of `n` pixels around `center` that there are; how many are missing before and after."""
    start = round(center - n / 2)
    first = min(max(start, 0), length - 1)
    end = max(min(start + n, length), first + 1)
    missing = n - (end - first)
    before = min(max(first - start, 0), missing)
    return first, end, before, missing - before


def _cut_level(image: FrameImage, x: float, y: float, side: float, roll: float) -> Images:
    cv2 = import_cv2()
    n = max(1, round(side))
    turn = cv2.getRotationMatrix2D((x - 0.5, y - 0.5), roll, 1.0)
    turn[:, 2] += (n / 2 - x, n / 2 - y)
    turned = cv2.warpAffine(image, turn, (n, n), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return to_gray(turned)


@dataclass(frozen=True, slots=True, repr=False)
class LargestFace:
    """Cuts the largest face out of each picture of a folder that `data.folder.prepare_folder` reads (its `crop`).

    Attributes:
        detector: What finds it.
        size: Height and width of the crop.
    """

    detector: FaceDetector
    size: tuple[int, int] = (48, 48)

    def __repr__(self) -> str:
        return f"LargestFace({self.detector!r}, {self.detector.framing!r}, size={tuple(self.size)})"

    def __call__(self, image: FrameImage) -> Images | None:
        """The largest face in a BGR picture, uint8 (height, width), gray; None where there is none."""
        faces = self.detector.detect(image).first(1)
        if len(faces) == 0:
            return None
        face: Images = crop_faces(image, faces, size=self.size, framing=self.detector.framing)[0]
        return face
