from __future__ import annotations

import numpy as np
import pytest
from sklearn.kernel_approximation import AdditiveChi2Sampler
from sklearn.metrics.pairwise import rbf_kernel

from ferbench.recognizers.classical.additive_maps import additive_map
from ferbench.recognizers.classical.fourier import fourier_frequencies, fourier_map


def histograms(n: int, d: int) -> np.ndarray:
    values = np.random.default_rng(0).dirichlet(np.full(d, 0.3), n).astype(np.float32)
    values[values < 1e-3] = 0
    return values


def test_the_chi2_map_is_that_of_scikit_learn() -> None:
    values = histograms(9, 40)
    expected = AdditiveChi2Sampler(sample_steps=2).fit_transform(values)
    mapped = additive_map(values, "chi2")
    assert mapped.dtype == np.float32
    np.testing.assert_allclose(mapped, expected, atol=1e-5)


def test_inner_products_are_close_to_the_kernel() -> None:
    values = histograms(30, 60)
    one, other = values[:, None].astype(float), values[None].astype(float)
    kernels = {
        "chi2": (2 * one * other / np.maximum(one + other, 1e-12)).sum(axis=2),
        "intersection": np.minimum(one, other).sum(axis=2),
    }
    for name, kernel in kernels.items():
        mapped = additive_map(values, name)
        assert np.abs(mapped @ mapped.T - kernel).mean() < 0.05


def test_an_empty_bin_has_no_features() -> None:
    assert not additive_map(np.zeros((1, 4), np.float32), "intersection").any()


@pytest.mark.parametrize("gamma", [0.05, 0.3])
def test_fourier_features_have_the_gaussian_kernel_as_inner_products(gamma: float) -> None:
    rows = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
    frequencies = fourier_frequencies(5, 20_000, gamma, np.random.default_rng(1)).astype(np.float32)
    mapped = fourier_map(rows, frequencies)
    np.testing.assert_allclose(mapped @ mapped.T, rbf_kernel(rows, gamma=gamma), atol=0.03)
    np.testing.assert_allclose(np.linalg.norm(mapped, axis=1), 1, atol=1e-4)
