from __future__ import annotations

import numpy as np
import pytest
from skimage.feature import hog as skimage_hog

from ferbench.errors import ConfigError, ImagesError
from ferbench.recognizers.classical.hog import hog


def hard_images(height: int, width: int) -> np.ndarray:
    """Noise, flat gray, black, white, little contrast, ramps along either axis and a step."""
    random = np.random.default_rng(0)
    ramp = np.add.outer(np.zeros(height), np.arange(width) * 5 % 256)
    images = [
        random.integers(0, 256, (height, width)),
        np.full((height, width), 77),
        np.zeros((height, width)),
        np.full((height, width), 255),
        random.integers(100, 103, (height, width)),
        ramp,
        np.add.outer(np.arange(height) * 5 % 256, np.zeros(width)),
        255 * (ramp > 120),
    ]
    return np.stack(images).astype(np.uint8)


def reference(images: np.ndarray, orientations: int, cell: int, block: int) -> np.ndarray:
    settings = {"orientations": orientations, "pixels_per_cell": (cell, cell), "cells_per_block": (block, block)}
    return np.stack([skimage_hog(image, block_norm="L2-Hys", **settings) for image in images])


@pytest.mark.parametrize("size", [(48, 48), (24, 24), (49, 37), (18, 50)])
@pytest.mark.parametrize(("orientations", "cell", "block"), [(9, 6, 3), (12, 4, 2), (7, 2, 1), (1, 8, 2)])
def test_hog_equals_scikit_image(size: tuple[int, int], orientations: int, cell: int, block: int) -> None:
    images = hard_images(*size)
    features = hog(images, orientations=orientations, cell=cell, block=block)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, reference(images, orientations, cell, block), rtol=0, atol=1e-6)


def test_hog_of_more_images_than_a_chunk_equals_one_by_one() -> None:
    images = np.random.default_rng(1).integers(0, 256, (40, 48, 48)).astype(np.uint8)
    one_by_one = np.concatenate([hog(images[row : row + 1]) for row in range(len(images))])
    np.testing.assert_array_equal(hog(images), one_by_one)


def test_hog_leaves_its_input_alone_and_takes_views() -> None:
    images = hard_images(48, 48)
    before = images.copy()
    np.testing.assert_array_equal(hog(images[::2, :, ::-1]), hog(np.ascontiguousarray(images[::2, :, ::-1])))
    np.testing.assert_array_equal(images, before)


def test_hog_of_no_images_is_empty() -> None:
    assert hog(np.empty((0, 48, 48), np.uint8)).shape == (0, 2916)


def test_signed_hog_tells_an_edge_from_its_negative() -> None:
    edge = np.where(np.arange(48) < 21, 0, 200).astype(np.uint8)[None, None, :].repeat(48, axis=1)
    np.testing.assert_array_equal(hog(edge), hog(200 - edge))
    signed = hog(edge, orientations=18, signed=True)
    assert signed.shape == (1, 2 * 2916)
    assert not np.array_equal(signed, hog(200 - edge, orientations=18, signed=True))


def test_signed_hog_folds_to_the_unsigned_one_when_blocks_do_not_clip() -> None:
    images = hard_images(48, 48)[:1]
    signed = hog(images, orientations=18, cell=6, block=8, signed=True).reshape(-1, 2, 9).sum(axis=1).ravel()
    unsigned = hog(images, orientations=9, cell=6, block=8).ravel()
    np.testing.assert_allclose(signed / np.linalg.norm(signed), unsigned, atol=1e-4)


@pytest.mark.parametrize("wrong", [{"cell": 5}, {"cell": 0}, {"block": 0}, {"orientations": 0}])
def test_hog_refuses_settings_out_of_range(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="even cell"):
        hog(hard_images(48, 48), **wrong)


def test_hog_refuses_images_smaller_than_a_block() -> None:
    with pytest.raises(ImagesError, match="at least 18 x 18"):
        hog(hard_images(17, 48))
