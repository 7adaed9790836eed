from __future__ import annotations

import cv2
import numpy as np
import pytest

from ferbench.recognizers.classical.photometric import normalize, tan_triggs


def blurred_noise(n: int, height: int, width: int) -> np.ndarray:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (n, height, width)).astype(np.uint8)
    return np.stack([cv2.GaussianBlur(image, (0, 0), 1.5) for image in images])


def textbook(image: np.ndarray) -> np.ndarray:
    """The equations of the paper, one after the other, with OpenCV's Gaussians."""
    bright = (image / 255.0) ** 0.2
    inner = cv2.GaussianBlur(bright, (9, 9), 1.0, borderType=cv2.BORDER_REFLECT)
    outer = cv2.GaussianBlur(bright, (17, 17), 2.0, borderType=cv2.BORDER_REFLECT)
    values = inner - outer
    values = values / np.mean(np.abs(values) ** 0.1) ** 10
    values = values / np.mean(np.minimum(10, np.abs(values)) ** 0.1) ** 10
    return 10 * np.tanh(values / 10)


@pytest.mark.parametrize("size", [(48, 48), (24, 31)])
def test_it_equals_the_equations_of_the_paper(size: tuple[int, int]) -> None:
    images = blurred_noise(3, *size)
    values = tan_triggs(images)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, [textbook(image) for image in images], atol=1e-4)


def test_contrast_and_a_slow_shadow_change_little() -> None:
    images = blurred_noise(4, 48, 48) // 2 + 60
    shadow = np.linspace(0.5, 1.0, 48)
    dark = (images * shadow).astype(np.uint8)

    def resemblance(one: np.ndarray, other: np.ndarray) -> float:
        return float(np.corrcoef(one.ravel().astype(float), other.ravel().astype(float))[0, 1])

    assert resemblance(tan_triggs(images), tan_triggs(dark)) > 0.97 > resemblance(images, dark)


@pytest.mark.parametrize("gray", [0, 128, 255])
@pytest.mark.parametrize("size", [24, 224])
def test_a_flat_face_is_all_zeros(gray: int, size: int) -> None:
    images = np.full((2, size, size), gray, np.uint8)
    assert not tan_triggs(images).any()
    assert (normalize(images, "tan_triggs") == 128).all()


def test_one_bright_pixel_stays_finite_and_in_range() -> None:
    images = np.zeros((1, 24, 24), np.uint8)
    images[0, 12, 12] = 255
    values = tan_triggs(images)
    assert np.isfinite(values).all() and np.abs(values).max() <= 10


def test_faces_are_the_same_alone_and_in_company() -> None:
    images = blurred_noise(9, 48, 48)
    alone = np.concatenate([normalize(image[None], "tan_triggs") for image in images])
    np.testing.assert_array_equal(alone, normalize(images, "tan_triggs"))


def test_none_leaves_the_faces_and_eight_bits_hold_the_rest() -> None:
    images = blurred_noise(2, 24, 24)
    assert normalize(images, "none") is images
    gray = normalize(images, "tan_triggs")
    assert gray.dtype == np.uint8
    np.testing.assert_allclose((gray - 128.0) * 10 / 127, tan_triggs(images), atol=0.04)
