"""How many times as fast as scikit-image, OpenCV and libsvm the same is done here, on one core, 256 faces at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from skimage.feature import hog as skimage_hog
from skimage.feature import local_binary_pattern
from skimage.filters import gabor
from sklearn.svm import SVC

from ferbench.data.synthetic import load_synthetic
from ferbench.recognizers.classical.dense_sift import dense_sift, patch_centers
from ferbench.recognizers.classical.gabor import gabor_energy
from ferbench.recognizers.classical.hog import hog
from ferbench.recognizers.classical.kernel_svm import KernelSvm
from ferbench.recognizers.classical.lbp import lbp, n_patterns

PAIRS = 21
BATCH = 256


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    return load_synthetic(n_train=BATCH, n_validation=7, n_test=7, seed=0).train.images


def skimage_hogs(images: np.ndarray, orientations: int, cell: int, block: int) -> np.ndarray:
    settings = {"orientations": orientations, "pixels_per_cell": (cell, cell), "cells_per_block": (block, block)}
    return np.stack([skimage_hog(image, block_norm="L2-Hys", **settings) for image in images])


def skimage_lbps(images: np.ndarray, radius: float, grid: int) -> np.ndarray:
    side = images.shape[1] // grid
    rows = []
    for image in images:
        codes = local_binary_pattern(image, 8, radius, method="nri_uniform").astype(np.intp)
        cells = codes.reshape(grid, side, grid, side).swapaxes(1, 2).reshape(grid * grid, -1)
        rows.append(np.concatenate([np.bincount(cell, minlength=n_patterns(8)) for cell in cells]) / side**2)
    return np.stack(rows)


def cpu_seconds(function: Callable[[], Any]) -> float:
    start = time.thread_time()
    function()
    return time.thread_time() - start


def ratios(ours: Callable[[], Any], theirs: Callable[[], Any]) -> tuple[float, float, float]:
    """Median of the paired ratios of CPU time and the 95 % interval of that median (order statistics)."""
    ours(), theirs()
    found = sorted(cpu_seconds(theirs) / cpu_seconds(ours) for _ in range(PAIRS))
    margin = int(np.ceil(1.96 * np.sqrt(PAIRS) / 2))
    middle = PAIRS // 2
    return found[middle], found[middle - margin], found[middle + margin]


def record(
    benchmark: Any, faces: np.ndarray, ours: Callable[..., Any], theirs: Callable[[], Any], rival: str = "skimage"
) -> float:
    median, low, high = ratios(lambda: ours(faces), theirs)
    benchmark.extra_info |= {f"times_as_fast_as_{rival}": median, "interval_95": (low, high)}
    benchmark.extra_info |= {"pairs": PAIRS, "batch": len(faces)}
    benchmark.pedantic(ours, args=(faces,), rounds=20, warmup_rounds=2)
    return low


@pytest.mark.parametrize(("orientations", "cell", "block"), [(9, 6, 3), (9, 8, 2), (12, 4, 2)])
def test_hog_is_seven_times_as_fast(
    benchmark: Any, faces: np.ndarray, orientations: int, cell: int, block: int
) -> None:
    low = record(
        benchmark,
        faces,
        lambda images: hog(images, orientations=orientations, cell=cell, block=block),
        lambda: skimage_hogs(faces, orientations, cell, block),
    )
    assert low > 7


@pytest.mark.parametrize(("radius", "grid"), [(1.0, 6), (2.0, 8)])
def test_lbp_is_three_times_as_fast(benchmark: Any, faces: np.ndarray, radius: float, grid: int) -> None:
    low = record(
        benchmark,
        faces,
        lambda images: lbp(images, radii=(radius,), grid=grid),
        lambda: skimage_lbps(faces, radius, grid),
    )
    assert low > 3


def opencv_sifts(images: np.ndarray, cells: tuple[float, ...], step: float) -> np.ndarray:
    sift = cv2.SIFT_create()
    keypoints = []
    for cell in cells:
        places = patch_centers(48, 48, cells=(cell,), step=step) * 48 - 0.5
        keypoints += [cv2.KeyPoint(float(column), float(row), 2 * cell / 3, 0.0) for row, column in places]
    rows = np.stack([sift.compute(image, keypoints)[1] for image in images])
    return np.sqrt(rows / np.maximum(rows.sum(axis=2, keepdims=True), 1e-6))


def test_dense_sift_is_twice_as_fast_as_opencv(benchmark: Any, faces: np.ndarray) -> None:
    cv2.setNumThreads(1)
    few, cells = faces[:32], (2.0, 4.0)
    low = record(
        benchmark,
        few,
        lambda images: dense_sift(images, cells=cells, step=2.0),
        lambda: opencv_sifts(few, cells, 2.0),
        rival="opencv",
    )
    assert low > 2


def skimage_gabors(images: np.ndarray, wavelength: float, orientations: int) -> np.ndarray:
    angles = np.arange(orientations) * np.pi / orientations
    pairs = [[gabor(image, 1 / wavelength, theta=angle, mode="reflect") for angle in angles] for image in images]
    return np.stack([[np.hypot(*pair) for pair in row] for row in pairs])


def test_gabor_energy_is_seven_times_as_fast(compare: Any, faces: np.ndarray) -> None:
    few = faces[:8]
    pixels = few.astype(np.float32)

    def ours() -> np.ndarray:
        return gabor_energy(few, wavelengths=(6.0,), orientations=6)

    def theirs() -> np.ndarray:
        return skimage_gabors(pixels, 6.0, 6)

    np.testing.assert_allclose(ours()[:, 0], theirs(), atol=1e-2)
    assert compare(ours, theirs) > 7


def clouds(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 7, n)
    centers = np.random.default_rng(9).normal(size=(7, 128)) * 0.4
    return (centers[labels] + random.normal(size=(n, 128))).astype(np.float32), labels


def test_libsvms_labels_come_three_times_as_fast(compare: Any) -> None:
    gamma = 1 / 256
    rows, labels = clouds(4000, seed=0)
    asked, _ = clouds(BATCH, seed=1)
    ours = KernelSvm(gamma=gamma).fit(rows, labels)
    theirs = SVC(gamma=gamma).fit(rows, labels)
    np.testing.assert_array_equal(ours.predict(asked), theirs.predict(asked))
    assert compare(lambda: ours.predict(asked), lambda: theirs.predict(asked)) > 3


@pytest.mark.parametrize("features", [hog, lbp])
def test_one_face_takes_less_than_half_a_millisecond(benchmark: Any, faces: np.ndarray, features: Any) -> None:
    benchmark.pedantic(features, args=(faces[:1],), rounds=500, warmup_rounds=20)
    assert benchmark.stats.stats.median < 0.0005
