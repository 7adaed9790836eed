from __future__ import annotations

import numpy as np
import pytest
from skimage.feature import local_binary_pattern

from ferbench.errors import ConfigError
from ferbench.recognizers.classical.lbp import lbp, lbp_codes, n_patterns


def hard_images(height: int, width: int) -> np.ndarray:
    """Noise, little contrast (many ties), and flat images of every fifth gray, where rounding decides the ties."""
    random = np.random.default_rng(0)
    images = [random.integers(0, 256, (height, width)), random.integers(100, 103, (height, width))]
    images += [np.full((height, width), gray) for gray in range(0, 256, 5)]
    return np.stack(images).astype(np.uint8)


def reference_codes(images: np.ndarray, points: int, radius: float) -> np.ndarray:
    return np.stack([local_binary_pattern(image, points, radius, method="nri_uniform") for image in images])


@pytest.mark.parametrize("size", [(24, 24), (17, 9), (3, 2)])
@pytest.mark.parametrize(("points", "radius"), [(8, 1.0), (8, 2.0), (8, 1.5), (12, 3.0), (7, 1.3), (16, 2.0), (2, 0.4)])
def test_codes_equal_scikit_image(size: tuple[int, int], points: int, radius: float) -> None:
    images = hard_images(*size)
    codes = lbp_codes(images, points=points, radius=radius)
    assert codes.dtype == np.uint8
    np.testing.assert_array_equal(codes, reference_codes(images, points, radius))


@pytest.mark.parametrize("grid", [1, 4, 7])
def test_histograms_equal_those_of_scikit_image_codes(grid: int) -> None:
    images = hard_images(48, 48)[:6]
    expected = []
    for radius in (1.0, 2.0):
        codes = reference_codes(images, 8, radius).astype(int)
        for row in range(grid):
            for column in range(grid):
                rows = slice(-(-row * 48 // grid), -(-(row + 1) * 48 // grid))
                columns = slice(-(-column * 48 // grid), -(-(column + 1) * 48 // grid))
                cell = codes[:, rows, columns].reshape(len(images), -1)
                expected.append(np.stack([np.bincount(one, minlength=59) / cell.shape[1] for one in cell]))
    features = lbp(images, radii=(1.0, 2.0), grid=grid)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, np.concatenate(expected, axis=1), rtol=0, atol=1e-6)


def test_each_histogram_sums_to_one() -> None:
    features = lbp(hard_images(25, 31), points=6, grid=4)
    np.testing.assert_allclose(features.reshape(-1, n_patterns(6)).sum(axis=1), 1, rtol=1e-6)


def test_lbp_of_more_images_than_a_chunk_equals_one_by_one() -> None:
    images = np.random.default_rng(1).integers(0, 256, (20, 48, 48)).astype(np.uint8)
    one_by_one = np.concatenate([lbp(images[row : row + 1]) for row in range(len(images))])
    np.testing.assert_array_equal(lbp(images), one_by_one)


def test_lbp_leaves_its_input_alone_and_takes_views() -> None:
    images = hard_images(24, 24)
    before = images.copy()
    np.testing.assert_array_equal(lbp(images[::2, :, ::-1]), lbp(np.ascontiguousarray(images[::2, :, ::-1])))
    np.testing.assert_array_equal(images, before)


def test_lbp_of_no_images_is_empty() -> None:
    assert lbp(np.empty((0, 48, 48), np.uint8), grid=2).shape == (0, 4 * 59)


@pytest.mark.parametrize(
    "wrong", [{"points": 1}, {"points": 17}, {"radii": (0.0,)}, {"radii": ()}, {"grid": 0}, {"grid": 25}]
)
def test_lbp_refuses_settings_out_of_range(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="lbp needs"):
        lbp(hard_images(24, 24), **wrong)
