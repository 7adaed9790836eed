from __future__ import annotations

import numpy as np
import pytest

from ferbench.recognizers.classical.patches import normalized_patches, triangle_activations, zca


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_patches_are_those_of_a_loop(stride: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 9, 11)).astype(np.uint8)
    patches = normalized_patches(images, 4, stride)
    assert patches.dtype == np.float32
    for row, top in enumerate(range(0, 6, stride)):
        for column, left in enumerate(range(0, 8, stride)):
            piece = images[1, top : top + 4, left : left + 4].astype(float).ravel()
            expected = (piece - piece.mean()) / np.sqrt(piece.var() + 10)
            np.testing.assert_allclose(patches[1, row, column], expected, atol=1e-5)
    assert patches.shape[1:3] == (len(range(0, 6, stride)), len(range(0, 8, stride)))


def test_a_flat_patch_is_all_zeros() -> None:
    assert not normalized_patches(np.full((1, 5, 5), 200, np.uint8), 4).any()


def test_whitened_patches_are_nearly_uncorrelated_and_look_like_the_patches() -> None:
    random = np.random.default_rng(0)
    patches = (random.normal(size=(5000, 6)) @ random.normal(size=(6, 6)) * 5 + 3).astype(np.float32)
    mean, matrix = zca(patches)
    whitened = (patches - mean) @ matrix
    np.testing.assert_allclose(np.cov(whitened, rowvar=False), np.eye(6), atol=0.35)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-5)
    assert (np.diag(matrix) > 0).all()


def test_activations_are_those_of_a_loop() -> None:
    random = np.random.default_rng(0)
    patches, centroids = random.normal(size=(7, 5)).astype(np.float32), random.normal(size=(4, 5)).astype(np.float32)
    for patch, active in zip(patches, triangle_activations(patches, centroids), strict=True):
        distances = np.linalg.norm(patch - centroids, axis=1)
        np.testing.assert_allclose(active, np.maximum(0, distances.mean() - distances), atol=1e-5)
