from __future__ import annotations

import numpy as np
from sklearn.metrics.pairwise import rbf_kernel

from ferbench.recognizers.classical.nystroem import gaussian_kernel, nystroem_map


def test_the_kernel_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    rows, landmarks = random.normal(size=(7, 5)).astype(np.float32), random.normal(size=(4, 5)).astype(np.float32)
    kernel = gaussian_kernel(rows, landmarks, 0.3)
    assert kernel.dtype == np.float32
    np.testing.assert_allclose(kernel, rbf_kernel(rows, landmarks, gamma=0.3), atol=1e-5)


def test_mapped_landmarks_have_the_kernel_as_inner_products() -> None:
    landmarks = np.random.default_rng(0).normal(size=(30, 5))
    kernel = gaussian_kernel(landmarks, landmarks, 0.3)
    features = kernel @ nystroem_map(landmarks, 0.3)
    np.testing.assert_allclose(features @ features.T, kernel, atol=1e-5)


def test_twice_the_same_landmark_is_no_harm() -> None:
    landmarks = np.random.default_rng(0).normal(size=(10, 5))
    twice = np.concatenate([landmarks, landmarks])
    features = gaussian_kernel(landmarks, twice, 0.3) @ nystroem_map(twice, 0.3)
    np.testing.assert_allclose(features @ features.T, gaussian_kernel(landmarks, landmarks, 0.3), atol=1e-5)
