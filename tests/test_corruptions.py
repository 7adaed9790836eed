"""Corruptions: the same pixels for the same seed, worse with every severity, and nothing but the pixels changed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ferbench.corruptions import SEVERITIES, STRENGTHS, corrupt
from ferbench.data.dataset import Dataset
from ferbench.errors import ConfigError, ImagesError, UnknownNameError
from ferbench.types import Images

every_corruption = pytest.mark.parametrize("corruption", STRENGTHS)


@pytest.fixture(scope="module")
def faces(tiny: Dataset) -> Images:
    return tiny.train.images


def test_there_are_thirteen_in_five_severities() -> None:
    assert len(STRENGTHS) == 13 and {len(strengths) for strengths in STRENGTHS.values()} == {len(SEVERITIES)}


@every_corruption
def test_severities_change_faces_more_and_more(corruption: str, faces: Images) -> None:
    before = faces.copy()
    distance = []
    for severity in SEVERITIES:
        changed = corrupt(faces, corruption, severity)
        assert changed.dtype == np.uint8 and changed.shape == faces.shape
        distance.append(float(np.abs(changed.astype(float) - faces).mean()))
    assert distance[0] > 0.4 and distance == sorted(distance)
    assert np.array_equal(faces, before)


@every_corruption
def test_same_seed_gives_the_same_pixels(corruption: str, faces: Images) -> None:
    first = corrupt(faces, corruption, 3, seed=7)
    assert np.array_equal(first, corrupt(faces.copy(), corruption, 3, seed=7))


@pytest.mark.parametrize(
    "corruption", ["gaussian_noise", "motion_blur", "low_light", "occlusion_eyes", "rotation", "box_shift", "box_scale"]
)
def test_another_seed_gives_others_where_something_is_drawn(corruption: str, faces: Images) -> None:
    assert not np.array_equal(corrupt(faces, corruption, 3), corrupt(faces, corruption, 3, seed=1))


@every_corruption
@pytest.mark.parametrize("shape", [(0, 48, 48), (2, 1, 1), (2, 3, 5), (1, 96, 64)])
def test_any_size_is_taken(corruption: str, shape: tuple[int, int, int]) -> None:
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    for severity in (1, 5):
        assert corrupt(images, corruption, severity).shape == shape


@every_corruption
def test_views_are_taken(corruption: str, faces: Images) -> None:
    view = faces[::2, :, ::-1]
    assert np.array_equal(corrupt(view, corruption, 2), corrupt(np.ascontiguousarray(view), corruption, 2))


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize(
    "corruption", ["motion_blur", "defocus_blur", "contrast", "downscaling", "rotation", "box_shift", "box_scale"]
)
def test_even_pictures_stay_even(corruption: str, value: int) -> None:
    images = np.full((3, 48, 48), value, np.uint8)
    assert np.abs(corrupt(images, corruption, 5).astype(int) - value).max() <= 1


def test_noise_has_the_deviation_it_says() -> None:
    gray = np.full((4, 48, 48), 128, np.uint8)
    for severity, share in zip(SEVERITIES[:3], STRENGTHS["gaussian_noise"], strict=False):
        assert corrupt(gray, "gaussian_noise", severity).std() == pytest.approx(255 * share, rel=0.05)


def test_jpeg_is_what_opencv_reads_back(faces: Images) -> None:
    coded = cv2.imencode(".jpg", faces[0], [cv2.IMWRITE_JPEG_QUALITY, int(STRENGTHS["jpeg"][1])])[1]
    assert np.array_equal(corrupt(faces, "jpeg", 2)[0], cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE))


def test_bars_cover_eyes_above_and_mouths_below(faces: Images) -> None:
    changed = {name: corrupt(faces, f"occlusion_{name}", 3) != faces for name in ("eyes", "mouth")}
    rows = {name: np.flatnonzero(found.any(axis=(0, 2))) for name, found in changed.items()}
    assert 0.25 < rows["eyes"].min() / 48 < rows["eyes"].max() / 48 < 0.5
    assert 0.6 < rows["mouth"].min() / 48 < rows["mouth"].max() / 48 < 0.95


def test_shift_moves_whole_pixels_by_the_length_it_says() -> None:
    image = np.zeros((1, 48, 48), np.uint8)
    image[0, 24, 24] = 255
    row, column = np.argwhere(corrupt(image, "box_shift", 3)[0] == 255)[0]
    assert np.hypot(row - 24, column - 24) == pytest.approx(0.12 * 48, abs=1)


def test_boxes_are_too_large_and_too_small() -> None:
    images = np.zeros((40, 48, 48), np.uint8)
    images[:, 14:34, 14:34] = 255
    areas = (corrupt(images, "box_scale", 5) > 127).sum(axis=(1, 2))
    assert set(np.round(np.sqrt(areas)).astype(int)) <= {13, 14, 15, 28, 29, 30} and len(set(areas.tolist())) == 2


def test_heads_turn_to_both_sides(faces: Images) -> None:
    images = np.zeros((40, 48, 48), np.uint8)
    images[:, 4:10, 22:26] = 255
    columns = [np.flatnonzero(image.any(axis=0)).mean() for image in corrupt(images, "rotation", 5)]
    assert min(columns) < 20 and max(columns) > 28


@pytest.mark.parametrize("severity", [0, 6, 1.5, "1"])
def test_severity_that_is_none_is_refused(severity: int, faces: Images) -> None:
    with pytest.raises(ConfigError, match="from 1 to 5"):
        corrupt(faces, "jpeg", severity)


def test_unknown_corruption_is_refused(faces: Images) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'jpeg'"):
        corrupt(faces, "jpg", 1)


def test_floats_are_refused(faces: Images) -> None:
    with pytest.raises(ImagesError, match="uint8"):
        corrupt(faces / 255, "jpeg", 1)
