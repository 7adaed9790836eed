from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from skimage.feature import hog as skimage_hog

from ferbench.errors import ConfigError, ImagesError
from ferbench.recognizers.classical.hog import hog, mirrored_pairs


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


def shared_votes(image: np.ndarray, orientations: int, cell: int, signed: bool) -> np.ndarray:
    """Histograms by cell, one pixel after the other: each vote goes to up to eight bins."""
    rows, columns = image.shape[0] // cell, image.shape[1] // cell
    pixels = image[: rows * cell, : columns * cell].astype(float)
    turn = 360 if signed else 180
    histograms = np.zeros((rows + 2, columns + 2, orientations))  # with a rim for what falls outside
    down, right = np.zeros_like(pixels), np.zeros_like(pixels)
    down[1:-1], right[:, 1:-1] = pixels[2:] - pixels[:-2], pixels[:, 2:] - pixels[:, :-2]
    for row, column in np.ndindex(*pixels.shape):
        magnitude = np.hypot(down[row, column], right[row, column])
        angle = np.degrees(np.arctan2(down[row, column], right[row, column])) % turn
        bins = np.rint(angle / turn * 2 * orientations) / 2  # half bins, as are the cells
        places = [(2 * position // cell + 0.5) / 2 - 0.5 for position in (row, column)]
        for r, c, o in np.ndindex(2, 2, 2):
            here = np.floor([*places, bins]).astype(int) + np.array([r, c, o])
            share = np.prod(1 - np.abs(here - [*places, bins]))
            histograms[here[0] + 1, here[1] + 1, here[2] % orientations] += magnitude * share
    return histograms[1:-1, 1:-1]


@pytest.mark.parametrize(("orientations", "cell", "signed"), [(18, 6, True), (9, 8, False), (1, 4, True)])
@pytest.mark.parametrize("size", [(24, 24), (26, 19)])
def test_interpolated_votes_are_shared_between_bins_and_cells(
    orientations: int, cell: int, signed: bool, size: tuple[int, int]
) -> None:
    images = hard_images(*size)[[0, 1, 5, 7]]
    features = hog(images, orientations=orientations, cell=cell, block=1, signed=signed, interpolated=True)
    expected = np.stack([shared_votes(image, orientations, cell, signed) for image in images])
    expected = expected.reshape(len(images), -1, orientations)
    for limit in (0.2, np.inf):
        expected = np.minimum(expected / np.sqrt((expected**2).sum(axis=2, keepdims=True) + 1e-10), limit)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, expected.reshape(len(images), -1), rtol=0, atol=1e-5)


def test_interpolated_hog_of_more_images_than_a_chunk_equals_one_by_one() -> None:
    images = np.random.default_rng(1).integers(0, 256, (40, 48, 48)).astype(np.uint8)
    one_by_one = np.concatenate([hog(images[row : row + 1], interpolated=True) for row in range(len(images))])
    np.testing.assert_allclose(hog(images, interpolated=True), one_by_one, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("orientations", "cell", "block", "signed"), [(18, 6, 2, True), (9, 8, 3, False)])
def test_mirrored_pairs_find_each_value_in_the_mirror_image(
    orientations: int, cell: int, block: int, signed: bool
) -> None:
    images = hard_images(49, 48)
    shape = {"orientations": orientations, "cell": cell, "block": block, "signed": signed}
    there = hog(images, **shape, interpolated=True)
    back = hog(images[:, :, ::-1], **shape, interpolated=True)
    places, mirrored = mirrored_pairs(49, 48, **shape)
    np.testing.assert_allclose(there[:, places], back[:, mirrored], atol=1e-5)
    np.testing.assert_allclose(back[:, places], there[:, mirrored], atol=1e-5)
    assert set(places) | set(mirrored) == set(range(there.shape[1]))


@pytest.mark.parametrize(("width", "orientations"), [(49, 18), (48, 9)])
def test_mirrored_pairs_refuse_cells_or_bins_that_change_sides(width: int, orientations: int) -> None:
    with pytest.raises(ConfigError, match="symmetric hog needs"):
        mirrored_pairs(48, width, orientations=orientations, cell=6, block=2, signed=True)


@pytest.mark.parametrize("wrong", [{"cell": 5}, {"cell": 0}, {"block": 0}, {"orientations": 0}])
def test_hog_refuses_settings_out_of_range(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="even cell"):
        hog(hard_images(48, 48), **wrong)


def test_hog_refuses_images_smaller_than_a_block() -> None:
    with pytest.raises(ImagesError, match="at least 18 x 18"):
        hog(hard_images(17, 48))


def test_levels_are_what_larger_cells_give_by_themselves() -> None:
    images = np.random.default_rng(7).integers(0, 256, (5, 48, 48), dtype=np.uint8)
    shape: dict[str, Any] = {"orientations": 6, "block": 2, "signed": True, "interpolated": True}
    expected = np.concatenate([hog(images, cell=cell, **shape) for cell in (4, 8, 16)], axis=1)
    np.testing.assert_allclose(hog(images, cell=4, levels=3, **shape), expected, rtol=0, atol=1e-6)


def test_levels_of_a_mirror_image_are_where_pairs_say() -> None:
    images = np.random.default_rng(8).integers(0, 256, (3, 48, 48), dtype=np.uint8)
    shape: dict[str, Any] = {"orientations": 6, "cell": 6, "block": 2, "signed": True, "levels": 2}
    places, mirrored = mirrored_pairs(48, 48, **shape)
    there, back = (hog(faces, **shape, interpolated=True) for faces in (images, images[:, :, ::-1]))
    np.testing.assert_allclose(back[:, places], there[:, mirrored], rtol=0, atol=1e-6)
    assert sorted({*places.tolist(), *mirrored.tolist()}) == list(range(there.shape[1]))


@pytest.mark.parametrize("wrong", [{"levels": 0}, {"levels": 2}, {"levels": 3, "interpolated": True, "cell": 6}])
def test_levels_without_interpolation_or_whole_cells_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="levels="):
        hog(np.zeros((1, 36, 36), np.uint8), **wrong)
