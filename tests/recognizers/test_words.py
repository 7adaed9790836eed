from __future__ import annotations

import numpy as np

from ferbench.recognizers.classical.words import nearest_words, presence, root_frequencies, word_counts

WORDS = np.array([[0, 1, 1, 3, 0], [2, 2, 2, 2, 1]])


def test_the_nearest_word_is_that_of_a_loop() -> None:
    random = np.random.default_rng(0)
    descriptors, words = random.normal(size=(50, 6)).astype(np.float32), random.normal(size=(9, 6)).astype(np.float32)
    expected = [np.linalg.norm(words - descriptor, axis=1).argmin() for descriptor in descriptors]
    np.testing.assert_array_equal(nearest_words(descriptors, words), expected)


def test_words_are_counted_region_by_region() -> None:
    counts = word_counts(WORDS, 4, [slice(0, 5), slice(1, 3)])
    assert counts.dtype == np.float32
    np.testing.assert_array_equal(counts[0], [[2, 2, 0, 1], [0, 2, 0, 0]])
    np.testing.assert_array_equal(counts[1], [[0, 1, 4, 0], [0, 0, 2, 0]])


def test_frequencies_and_presence_have_unit_length() -> None:
    counts = word_counts(WORDS, 4, [slice(0, 5), slice(1, 3)])
    for scaled in (root_frequencies(counts), presence(counts)):
        np.testing.assert_allclose(np.linalg.norm(scaled, axis=2), 1, rtol=1e-6)
    np.testing.assert_allclose(root_frequencies(counts)[0, 0], np.sqrt([0.4, 0.4, 0, 0.2]), rtol=1e-6)
    np.testing.assert_allclose(presence(counts)[0, 0], np.array([1, 1, 0, 1]) / np.sqrt(3), rtol=1e-6)


def test_a_region_without_points_is_all_zeros() -> None:
    counts = word_counts(WORDS, 4, [slice(2, 2)])
    assert not root_frequencies(counts).any()
    assert not presence(counts).any()
