"""Faces made worse on purpose: thirteen corruptions in five severities, the same pixels for every recognizer.

After Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations" (ICLR
2019, arXiv:1903.12261). Their noise, blurs, contrast, JPEG and pixelation are kept, with strengths for small gray
faces; weather is replaced by what a face detector and a room do to a crop. No recognizer and no dataset is known here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ferbench.data.images import import_cv2, seen_through
from ferbench.errors import ConfigError, UnknownNameError, did_you_mean
from ferbench.recognizers.arrays import check_images
from ferbench.types import Images

SEVERITIES = (1, 2, 3, 4, 5)

_Changed: TypeAlias = NDArray[np.float32]
_Change: TypeAlias = Callable[[Images, float, np.random.Generator], _Changed | Images]

_PHOTONS = 300.0  # a white pixel at full light; a room at dusk leaves a tenth
_DIRECTIONS = 12
_EYES_ROW, _MOUTH_ROW = 0.38, 0.79  # shares of the height: in FER2013's mean face 0.36 and 0.79


def corrupt(images: Images, corruption: str, severity: int, *, seed: int = 0) -> Images:
    """Corrupt every image.

    What is random (noise, directions, the gray of a bar) is drawn once an image, seed and corruption: only its strength
    grows with severity. Lengths and shifts are shares of the image's size.

    Args:
        images: uint8, (n, height, width).
        corruption: One of `STRENGTHS`.
        severity: 1, the mildest, to 5.
        seed: Fixes all that is random.

    Returns:
        uint8, (n, height, width).

    Raises:
        ImagesError: wrong dtype or shape.
        UnknownNameError: no such corruption.
        ConfigError: no such severity.
    """
    check_images(images)
    if corruption not in STRENGTHS:
        raise UnknownNameError(f"No corruption named '{corruption}'. {did_you_mean(corruption, STRENGTHS)}")
    if severity not in SEVERITIES:
        raise ConfigError(f"severity must be a whole number from 1 to {SEVERITIES[-1]}, got {severity}.")
    rng = np.random.default_rng((seed, list(STRENGTHS).index(corruption)))
    changed = _CHANGES[corruption](images, STRENGTHS[corruption][severity - 1], rng)
    if changed.dtype == np.uint8:
        return np.asarray(changed, np.uint8)
    return np.asarray(np.rint(np.clip(changed, 0, 255)), np.uint8)


STRENGTHS: dict[str, tuple[float, ...]] = {
    "gaussian_noise": (0.04, 0.07, 0.11, 0.16, 0.22),
    "motion_blur": (0.06, 0.1, 0.15, 0.21, 0.29),
    "defocus_blur": (0.02, 0.03, 0.045, 0.06, 0.08),
    "low_light": (0.5, 0.3, 0.18, 0.1, 0.06),
    "high_light": (1.3, 1.6, 2.0, 2.6, 3.4),
    "contrast": (0.5, 0.35, 0.22, 0.12, 0.06),
    "jpeg": (40, 25, 15, 10, 6),
    "downscaling": (0.67, 0.5, 0.38, 0.29, 0.21),
    "occlusion_eyes": (0.08, 0.12, 0.17, 0.22, 0.28),
    "occlusion_mouth": (0.1, 0.16, 0.22, 0.29, 0.36),
    "rotation": (5, 10, 16, 23, 32),
    "box_shift": (0.04, 0.08, 0.12, 0.17, 0.23),
    "box_scale": (1.06, 1.12, 1.2, 1.3, 1.45),
}
"""By corruption, its strength at each severity.

- gaussian_noise: standard deviation, share of white
- motion_blur: length of a straight movement in any direction, share of the width
- defocus_blur: radius of the disk that a point becomes, share of the width
- low_light: share of the light that is left, with the shot noise of as many photons fewer
- high_light: gain, clipped at white
- contrast: share left of each pixel's distance from the face's mean
- jpeg: quality of libjpeg, 1 to 100
- downscaling: width and height kept, as shares
- occlusion_eyes, occlusion_mouth: height of an even bar over most of the width, share of the height
- rotation: degrees to either side
- box_shift: how far the detector's box lies beside the face, in any direction, share of the width
- box_scale: how much the box is larger than it should be, or smaller by as much

Beyond the image its border is repeated, as where a box reaches over a frame's edge.
"""


def _gaussian_noise(images: Images, sigma: float, rng: np.random.Generator) -> _Changed:
    noise = rng.standard_normal(images.shape, np.float32)
    return np.asarray(images + np.float32(255 * sigma) * noise, np.float32)


def _motion_blur(images: Images, length: float, rng: np.random.Generator) -> Images:
    kernels = [_line(length * images.shape[2], np.pi * k / _DIRECTIONS) for k in range(_DIRECTIONS)]
    return _filtered(images, kernels, rng.integers(0, _DIRECTIONS, len(images)))


def _defocus_blur(images: Images, radius: float, rng: np.random.Generator) -> Images:
    return _filtered(images, [_disk(radius * images.shape[2])], np.zeros(len(images), np.int64))


def _low_light(images: Images, light: float, rng: np.random.Generator) -> _Changed:
    left = images * np.float32(light)
    deviation = np.sqrt(left * np.float32(255 / _PHOTONS))  # of the number of photons, in gray levels
    return np.asarray(left + deviation * rng.standard_normal(images.shape, np.float32), np.float32)


def _high_light(images: Images, gain: float, rng: np.random.Generator) -> _Changed:
    return images * np.float32(gain)


def _contrast(images: Images, left: float, rng: np.random.Generator) -> _Changed:
    mean = images.mean(axis=(1, 2), keepdims=True, dtype=np.float32)
    return np.asarray((images - mean) * np.float32(left) + mean, np.float32)


def _jpeg(images: Images, quality: float, rng: np.random.Generator) -> Images:
    cv2 = import_cv2()
    options = [cv2.IMWRITE_JPEG_QUALITY, int(quality)]
    changed = np.empty_like(images)
    for target, image in zip(changed, images, strict=True):
        target[:] = cv2.imdecode(cv2.imencode(".jpg", image, options)[1], cv2.IMREAD_GRAYSCALE)
    return changed


def _downscaling(images: Images, kept: float, rng: np.random.Generator) -> Images:
    cv2 = import_cv2()
    height, width = images.shape[1:]
    small = max(1, round(kept * width)), max(1, round(kept * height))
    changed = np.empty_like(images)
    for target, image in zip(changed, images, strict=True):
        coarse = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
        cv2.resize(coarse, (width, height), dst=target, interpolation=cv2.INTER_LINEAR)
    return changed


def _occlusion_eyes(images: Images, height: float, rng: np.random.Generator) -> Images:
    return _barred(images, _EYES_ROW, height, rng)


def _occlusion_mouth(images: Images, height: float, rng: np.random.Generator) -> Images:
    return _barred(images, _MOUTH_ROW, height, rng)


def _rotation(images: Images, degrees: float, rng: np.random.Generator) -> Images:
    angles = np.radians(degrees) * _signs(len(images), rng)
    cosine, sine = np.cos(angles), np.sin(angles)
    return seen_through(images, np.stack([cosine, -sine, sine, cosine], axis=1).reshape(-1, 2, 2))


def _box_shift(images: Images, distance: float, rng: np.random.Generator) -> Images:
    angles = rng.uniform(0, 2 * np.pi, len(images))
    shifts = distance * images.shape[2] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return seen_through(images, np.broadcast_to(np.eye(2), (len(images), 2, 2)), np.rint(shifts))


def _box_scale(images: Images, factor: float, rng: np.random.Generator) -> Images:
    scales = factor ** _signs(len(images), rng)
    return seen_through(images, scales[:, None, None] * np.eye(2))


_CHANGES: dict[str, _Change] = {
    "gaussian_noise": _gaussian_noise,
    "motion_blur": _motion_blur,
    "defocus_blur": _defocus_blur,
    "low_light": _low_light,
    "high_light": _high_light,
    "contrast": _contrast,
    "jpeg": _jpeg,
    "downscaling": _downscaling,
    "occlusion_eyes": _occlusion_eyes,
    "occlusion_mouth": _occlusion_mouth,
    "rotation": _rotation,
    "box_shift": _box_shift,
    "box_scale": _box_scale,
}


def _signs(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.choice([-1.0, 1.0], n)


def _line(length: float, angle: float) -> NDArray[np.float32]:
    """A straight stroke through the middle, `length` pixels long, of even weight."""
    reach = max(1, int(np.ceil(length / 2)))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for at in np.linspace(-length / 2, length / 2, 8 * reach + 1):
        x, y = reach + at * np.cos(angle), reach + at * np.sin(angle)
        left, top = int(x), int(y)
        for column, row in ((left, top), (left + 1, top), (left, top + 1), (left + 1, top + 1)):
            if column < len(kernel) and row < len(kernel):
                kernel[row, column] += (1 - abs(x - column)) * (1 - abs(y - row))
    return np.asarray(kernel / kernel.sum(), np.float32)


def _disk(radius: float) -> NDArray[np.float32]:
    """An even disk whose edge pixels weigh by how much of them it covers, nearly."""
    reach = max(1, int(np.ceil(radius)))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    kernel = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _filtered(images: Images, kernels: list[NDArray[np.float32]], chosen: NDArray[np.int64]) -> Images:
    cv2 = import_cv2()
    changed = np.empty_like(images)
    for target, image, kernel in zip(changed, images, chosen, strict=True):
        cv2.filter2D(image, -1, kernels[kernel], dst=target, borderType=cv2.BORDER_REPLICATE)
    return changed


def _barred(images: Images, row: float, height: float, rng: np.random.Generator) -> Images:
    n_rows, n_columns = images.shape[1:]
    first, last = (round((row + side * height / 2) * n_rows) for side in (-1, 1))
    margin = round(0.08 * n_columns)
    changed = images.copy()
    gray = rng.integers(0, 256, len(images), np.uint8)
    changed[:, max(first, 0) : max(last, first + 1), margin : n_columns - margin] = gray[:, None, None]
    return changed
