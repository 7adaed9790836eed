"""Pixels: how a picture becomes the gray array a recognizer sees. One place, so that everything sees the same.

OpenCV is imported on first use only: what needs no picture files and no resizing runs without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ferbench.errors import DataError, MissingLibraryError
from ferbench.types import FrameImage, Images

_SYSTEM_LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libSM.so.6": "libsm6",
    "libXext.so.6": "libxext6",
    "libxcb.so.1": "libxcb1",
}


def import_cv2() -> Any:
    """OpenCV, or an error that names the package to install.

    Raises:
        MissingLibraryError: OpenCV, or a system library that it loads, is not there.
    """
    try:
        import cv2
    except ImportError as error:
        for library, package in _SYSTEM_LIBRARIES.items():
            if library in str(error):
                raise MissingLibraryError(
                    f"OpenCV needs the system library {library}: install it (Debian: apt-get install {package})."
                ) from error
        raise MissingLibraryError(
            f"OpenCV cannot be imported ({error}): pip install 'opencv-python>=4.10,<5'."
        ) from error
    return cv2


def to_gray(image: FrameImage) -> Images:
    """A BGR picture as one gray one by ITU-R BT.601, uint8 (height, width)."""
    cv2 = import_cv2()
    gray: Images = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return gray


def resize(images: Images, size: tuple[int, int]) -> Images:
    """Images of one size, (n, height, width), at another (height, width): area averaging down, bilinear up."""
    cv2 = import_cv2()
    height, width = size
    shrinks = images.shape[1] >= height and images.shape[2] >= width
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = np.empty((len(images), height, width), np.uint8)
    for image, target in zip(images, resized, strict=True):
        cv2.resize(np.ascontiguousarray(image), (width, height), dst=target, interpolation=interpolation)
    return resized


def seen_through(images: Images, turns: NDArray[np.float64], shifts: NDArray[np.float64] | None = None) -> Images:
    """Each image as a box sees it that is turned and scaled about the middle, then shifted; edges are replicated.

    Args:
        images: uint8, (n, height, width).
        turns: (n, 2, 2), from places in the box to places in the image.
        shifts: (n, 2), x and y in pixels.
    """
    cv2 = import_cv2()
    height, width = images.shape[1:]
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    offsets = middle - turns @ middle + (0 if shifts is None else shifts)
    changed = np.empty_like(images)
    for target, image, turn, offset in zip(changed, images, turns, offsets, strict=True):
        matrix = np.column_stack([turn, offset])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cv2.warpAffine(image, matrix, (width, height), dst=target, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return changed


def read_gray(path: str | Path) -> Images:
    """A picture file as gray, uint8 (height, width), turned upright by its EXIF orientation.

    Raises:
        DataError: the file is missing, empty, or not a picture that OpenCV can decode.
    """
    return to_gray(read_color(path))


def read_color(path: str | Path) -> FrameImage:
    """A picture file as BGR, uint8 (height, width, 3), turned upright by its EXIF orientation.

    Raises:
        DataError: the file is missing, empty, or not a picture that OpenCV can decode.
    """
    cv2 = import_cv2()
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        image: FrameImage | None = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    except cv2.error:  # it claims to be larger than OpenCV dares to read
        image = None
    if image is None:
        raise DataError(f"{path} is not a picture that can be decoded: give a PNG, JPEG, BMP, WebP or TIFF file.")
    return image


def write_picture(path: Path, image: FrameImage) -> None:
    """Write a PNG file as a whole.

    Raises:
        DataError: it cannot be written.
    """
    _, encoded = import_cv2().imencode(".png", image)
    part = path.with_suffix(".partial.png")
    try:
        part.write_bytes(encoded)
        part.replace(path)
    except OSError as error:
        raise DataError(f"The picture {path} cannot be written: {error.strerror}.") from error
