from __future__ import annotations

import numpy as np
import pytest

from ferbench.recognizers.classical.fisher import Mixture, fisher_vectors, posteriors

K, D = 3, 4


@pytest.fixture(scope="module")
def mixture() -> Mixture:
    random = np.random.default_rng(0)
    weights = random.random(K) + 0.2
    return Mixture(
        (weights / weights.sum()).astype(np.float32),
        random.normal(size=(K, D)).astype(np.float32),
        (random.random((K, D)) + 0.3).astype(np.float32),
    )


@pytest.fixture(scope="module")
def sets() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(5, 20, D)).astype(np.float32)


def log_likelihood(points: np.ndarray, weights: np.ndarray, means: np.ndarray, deviations: np.ndarray) -> float:
    distances = (((points[:, None] - means) / deviations) ** 2).sum(axis=2)
    densities = weights * np.exp(-0.5 * distances) / deviations.prod(axis=1)
    return float(np.log(densities.sum(axis=1)).sum())


def slope(points: np.ndarray, mixture: Mixture, which: int, place: tuple[int, int]) -> float:
    """How the likelihood changes with one mean (which = 1) or one standard deviation (2), by finite differences."""
    values = []
    for change in (1e-5, -1e-5):
        parts = [np.array(part, dtype=float) for part in (mixture.weights, mixture.means, np.sqrt(mixture.variances))]
        parts[which][place] += change
        values.append(log_likelihood(points.astype(float), *parts))
    return (values[0] - values[1]) / 2e-5


def test_they_are_the_whitened_gradients_of_the_likelihood(mixture: Mixture, sets: np.ndarray) -> None:
    expected = np.empty((2, K, D))
    for place in np.ndindex(K, D):
        information = mixture.weights[place[0]] / mixture.variances[place]
        expected[0][place] = slope(sets[0], mixture, 1, place) / np.sqrt(information)
        expected[1][place] = slope(sets[0], mixture, 2, place) / np.sqrt(2 * information)
    rooted = np.sign(expected) * np.sqrt(np.abs(expected))
    rooted /= np.linalg.norm(rooted)
    np.testing.assert_allclose(fisher_vectors(sets[:1], mixture)[0], rooted.ravel(), atol=1e-3)


def test_posteriors_are_those_of_the_mixture(mixture: Mixture, sets: np.ndarray) -> None:
    points = sets[0].astype(float)
    distances = ((points[:, None] - mixture.means) ** 2 / mixture.variances).sum(axis=2)
    densities = mixture.weights * np.exp(-0.5 * distances) / np.sqrt(mixture.variances.prod(axis=1))
    expected = densities / densities.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(posteriors(sets[0], mixture), expected, atol=1e-5)


def test_a_region_gives_the_vector_of_its_points_alone(mixture: Mixture, sets: np.ndarray) -> None:
    regions = (slice(0, 20), slice(3, 11), slice(8, 20))
    both = fisher_vectors(sets, mixture, regions).reshape(5, 3, -1)
    for index, region in enumerate(regions):
        alone = fisher_vectors(np.ascontiguousarray(sets[:, region]), mixture)
        np.testing.assert_allclose(both[:, index], alone, atol=1e-4)


def test_each_region_has_unit_length(mixture: Mixture, sets: np.ndarray) -> None:
    vectors = fisher_vectors(sets, mixture, (slice(0, 20), slice(0, 7))).reshape(5, 2, -1)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=2), 1, rtol=1e-5)


def test_the_order_of_points_does_not_matter(mixture: Mixture, sets: np.ndarray) -> None:
    np.testing.assert_allclose(fisher_vectors(sets[:, ::-1], mixture), fisher_vectors(sets, mixture), atol=1e-4)


def test_a_point_far_from_every_gaussian_stays_finite(mixture: Mixture) -> None:
    assert np.isfinite(fisher_vectors(np.full((1, 2, D), 1e4, np.float32), mixture)).all()
