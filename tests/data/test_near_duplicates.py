from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferbench.data.near_duplicates import (
    MIN_CORRELATION_DRAWN,
    SIDE,
    contrast,
    near_pairs,
    perceptual_hashes,
    thumbnails,
)
from ferbench.data.synthetic import render_faces
from ferbench.types import EMOTIONS, Images

N = 40


def faces_of(seed: int, n: int = N) -> Images:
    rng = np.random.default_rng(seed)
    return render_faces(rng.integers(0, len(EMOTIONS), n), rng=rng)


def brightened(images: Images, strength: float) -> Images:
    return np.clip(images * (1 - 0.4 * strength) + 40 * strength, 0, 255).astype(np.uint8)


def recompressed(images: Images, strength: float) -> Images:
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(95 - 10 * strength)]
    return np.stack([cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], 0) for image in images])


def shifted(images: Images, strength: float) -> Images:
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)), mode="edge")
    return padded[:, 1:-1, 2:] if strength < 0.5 else padded[:, :-2, 1:-1]


def mirrored(images: Images, strength: float) -> Images:
    return images[:, :, ::-1]


def n_found(images: Images, copies: Images) -> int:
    found = near_pairs(np.concatenate([images, copies]), min_correlation=MIN_CORRELATION_DRAWN)
    return len(set(zip(found.first, found.second, strict=True)) & {(i, i + len(images)) for i in range(len(images))})


@pytest.mark.parametrize("change", [brightened, recompressed, shifted, mirrored])
@given(seed=st.integers(0, 2**32 - 1), strength=st.floats(0, 1))
@settings(max_examples=6, deadline=None)
def test_near_pairs_finds_copies_however_they_were_changed(change, seed: int, strength: float) -> None:
    images = faces_of(seed)
    assert n_found(images, change(images, strength)) >= 0.9 * N


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=4, deadline=None)
def test_near_pairs_keeps_unrelated_faces_apart(seed: int) -> None:
    n = 300
    found = near_pairs(faces_of(seed, n), min_correlation=MIN_CORRELATION_DRAWN)
    assert len({*found.first, *found.second}) <= 0.01 * n


def test_near_pairs_are_ordered_correlated_and_told_apart_from_mirrored_ones() -> None:
    images = faces_of(0)
    found = near_pairs(np.concatenate([images[:1], images, images[3:4, :, ::-1]]))
    pairs = dict(zip(zip(found.first.tolist(), found.second.tolist(), strict=True), found.mirrored, strict=True))
    assert not pairs[0, 1] and pairs[4, N + 1]
    assert (found.first < found.second).all()
    assert (found.correlations >= 0.93).all() and found.correlations.max() <= 1.0001
    assert found.first.dtype == np.int64 and found.correlations.dtype == np.float32


def test_near_pairs_ignores_mirror_images_when_told() -> None:
    images = faces_of(0)
    found = near_pairs(np.concatenate([images, images[:, :, ::-1]]), mirrored=False)
    assert len(found.first) < 0.1 * N


def test_near_pairs_takes_the_correlation_that_it_is_given() -> None:
    images = faces_of(0)
    noisy = np.clip(images + np.random.default_rng(0).normal(0, 12, images.shape), 0, 255).astype(np.uint8)
    both = np.concatenate([images, noisy])
    assert len(near_pairs(both, min_correlation=0.8).first) > len(near_pairs(both, min_correlation=0.999).first)


def test_near_pairs_leaves_pictures_without_contrast_alone() -> None:
    blank = np.full((3, SIDE, SIDE), 128, np.uint8)
    framed = blank.copy()
    framed[:, :2] = 255
    found = near_pairs(np.concatenate([blank, framed, faces_of(0, 7)]))
    assert not np.isin(found.first, range(6)).any()


@pytest.mark.parametrize("n", [0, 1])
def test_near_pairs_of_fewer_than_two_pictures_are_none(n: int) -> None:
    assert [len(column) for column in near_pairs(faces_of(0, 7)[:n])] == [0, 0, 0, 0]


def test_near_pairs_reports_how_far_it_is() -> None:
    calls: list[tuple[str, int, int]] = []
    near_pairs(faces_of(0), on_progress=lambda *call: calls.append(call))
    assert calls[-1][1:] == (2 * N, 2 * N)
    assert [done for _, done, _ in calls] == sorted(done for _, done, _ in calls)


def test_perceptual_hashes_change_little_when_the_picture_does() -> None:
    images = faces_of(0)
    hashes = perceptual_hashes(images)
    assert hashes.dtype == np.uint64 and hashes.shape == (N,)
    same = np.bitwise_count(hashes ^ perceptual_hashes(brightened(images, 0.5)))
    other = np.bitwise_count(hashes ^ np.roll(hashes, 1))
    assert np.median(same) <= 3 and np.median(other) > 12


def test_contrast_is_the_deviation_of_the_pixels() -> None:
    images = faces_of(0, 7)
    np.testing.assert_allclose(contrast(images), [image.std() for image in images])
    assert contrast(images[:0]).shape == (0,)


def test_thumbnails_have_the_size_of_comparison() -> None:
    images = faces_of(0, 7)
    assert thumbnails(images) is images
    assert thumbnails(images[:, 4:-4]).shape == (7, SIDE, SIDE)
