from __future__ import annotations

import cv2
import numpy as np
import pytest

from ferbench.errors import ConfigError, ImagesError
from ferbench.recognizers.classical.dense_sift import N_VALUES, dense_sift, mirror_patches, patch_centers


def noise(n: int, height: int, width: int) -> np.ndarray:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (n, height, width)).astype(np.uint8)
    return np.stack([cv2.GaussianBlur(image, (0, 0), 1.5) for image in images])


def textbook(image: np.ndarray, row: float, column: float, cell: float) -> np.ndarray:
    """One descriptor, pixel by pixel and vote by vote; `row` and `column` in pixels."""
    height, width = image.shape
    pixels = np.pad(image.astype(float), 1, mode="edge")
    histogram = np.zeros((4, 4, 8))
    for y in range(height):
        for x in range(width):
            down = pixels[y + 2, x + 1] - pixels[y, x + 1]
            across = pixels[y + 1, x + 2] - pixels[y + 1, x]
            orientation = np.arctan2(down, across) / (2 * np.pi) * 8
            window = np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * (2 * cell) ** 2))
            for i in range(4):
                for j in range(4):
                    near_row = 1 - abs(y - row - (i - 1.5) * cell) / cell
                    near_column = 1 - abs(x - column - (j - 1.5) * cell) / cell
                    if near_row <= 0 or near_column <= 0:
                        continue
                    for o in range(8):
                        distance = abs((orientation - o + 4) % 8 - 4)
                        votes = np.hypot(down, across) * window * max(0.0, 1 - distance)
                        histogram[i, j, o] += votes * near_row * near_column
    values = histogram.ravel()
    values = np.minimum(values / max(np.linalg.norm(values), 1e-6), 0.2)
    return np.sqrt(values / max(values.sum(), 1e-6))


@pytest.mark.parametrize(("cell", "step"), [(2.0, 7.0), (3.5, 5.0)])
def test_descriptors_equal_the_loop_over_pixels(cell: float, step: float) -> None:
    image = noise(1, 24, 18)[0]
    descriptors = dense_sift(image[None], cells=(cell,), step=step)[0]
    places = patch_centers(24, 18, cells=(cell,), step=step) * [24, 18] - 0.5
    assert descriptors.dtype == np.float32
    expected = [textbook(image, row, column, cell) for row, column in places]
    # The square root blows the rounding of bins next to 0 up: they are compared without it.
    np.testing.assert_allclose(descriptors**2, np.square(expected), atol=2e-6)


def test_descriptors_resemble_those_of_opencv() -> None:
    images = noise(4, 64, 64)
    cell = 4.0
    places = patch_centers(64, 64, cells=(cell,), step=8.0) * 64 - 0.5
    keypoints = [cv2.KeyPoint(float(column), float(row), 2 * cell / 3, 0.0) for row, column in places]
    for image, descriptors in zip(images, dense_sift(images, cells=(cell,), step=8.0), strict=True):
        _, theirs = cv2.SIFT_create().compute(image, keypoints)
        theirs = np.sqrt(theirs / theirs.sum(axis=1, keepdims=True))
        # OpenCV's y axis of orientations points up, and it blurs the picture before it looks at it.
        upright = theirs.reshape(-1, 4, 4, 8)[..., -np.arange(8) % 8].reshape(theirs.shape)
        both = np.maximum((descriptors * theirs).sum(axis=1), (descriptors * upright).sum(axis=1))
        assert np.median(both) > 0.9


def test_several_cells_are_the_grids_one_after_the_other() -> None:
    images = noise(3, 24, 24)
    both = dense_sift(images, cells=(2.0, 4.0), step=4.0)
    one = dense_sift(images, cells=(2.0,), step=4.0)
    other = dense_sift(images, cells=(4.0,), step=4.0)
    assert both.shape == (3, len(patch_centers(24, 24, cells=(2.0, 4.0), step=4.0)), N_VALUES)
    np.testing.assert_array_equal(both, np.concatenate([one, other], axis=1))


@pytest.mark.parametrize("size", [(24, 24), (25, 31)])
def test_the_mirror_image_has_the_mirrored_patches(size: tuple[int, int]) -> None:
    images = noise(2, *size)
    descriptors = dense_sift(images, cells=(2.0,), step=4.0)
    n_rows = len(np.unique(patch_centers(*size, cells=(2.0,), step=4.0)[:, 0]))
    there = mirror_patches(descriptors).reshape(2, n_rows, -1, N_VALUES)[:, :, ::-1]
    mirrored = dense_sift(images[:, :, ::-1], cells=(2.0,), step=4.0)
    np.testing.assert_allclose(mirrored**2, there.reshape(mirrored.shape) ** 2, atol=1e-5)


@pytest.mark.parametrize("gray", [0, 77, 255])
def test_flat_images_have_no_descriptors(gray: int) -> None:
    assert not dense_sift(np.full((1, 24, 24), gray, np.uint8)).any()


def test_other_descriptors_have_unit_length_and_forget_contrast() -> None:
    image = noise(1, 24, 24) // 4
    descriptors = dense_sift(image)
    np.testing.assert_allclose(np.linalg.norm(descriptors, axis=2), 1, atol=1e-5)
    np.testing.assert_allclose(dense_sift(image * 3 + 20), descriptors, atol=2e-3)


def test_dense_sift_of_no_images_is_empty() -> None:
    assert dense_sift(np.empty((0, 24, 24), np.uint8), cells=(4.0,), step=4.0).shape == (0, 9, N_VALUES)


@pytest.mark.parametrize("wrong", [{"cells": (0.5,)}, {"step": 0.0}])
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="cells >= 1 and step > 0"):
        dense_sift(noise(1, 24, 24), **wrong)


def test_images_smaller_than_a_patch_are_refused() -> None:
    with pytest.raises(ImagesError, match="smaller cells"):
        dense_sift(noise(1, 15, 24))
