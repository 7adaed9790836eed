import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferbench.faces.matching import match, overlaps
from ferbench.types import Boxes

BOX = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(0, 40), st.integers(0, 40)).map(
    lambda drawn: (drawn[0], drawn[1], drawn[0] + drawn[2], drawn[1] + drawn[3])
)
BOXES = st.lists(BOX, max_size=6).map(lambda drawn: boxes(*drawn))


def boxes(*corners: tuple[int, int, int, int]) -> Boxes:
    return np.array(corners, np.int32).reshape(-1, 4)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 15, 10), 1 / 3),
        ((0, 0, 10, 10), (2, 2, 7, 7), 0.25),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0),
        ((0, 0, 10, 10), (30, 30, 40, 40), 0.0),
        ((0, 0, 0, 0), (0, 0, 0, 0), 0.0),
        ((0, 0, 60_000, 60_000), (0, 0, 60_000, 30_000), 0.5),
    ],
)
def test_overlap_is_intersection_over_union(one: tuple, other: tuple, expected: float) -> None:
    assert overlaps(boxes(one), boxes(other)) == pytest.approx(np.array([[expected]]))


@settings(deadline=None)
@given(BOXES, BOXES)
def test_overlaps_are_symmetric_shares(one: Boxes, other: Boxes) -> None:
    shared = overlaps(one, other)
    assert shared.shape == (len(one), len(other)) and shared.dtype == np.float32
    assert ((shared >= 0) & (shared <= 1)).all()
    np.testing.assert_array_equal(shared, overlaps(other, one).T)


@settings(deadline=None)
@given(BOXES, BOXES, st.floats(0.05, 1))
def test_match_pairs_each_box_at_most_once(found: Boxes, true: Boxes, threshold: float) -> None:
    partner, shared = match(found, true, threshold), overlaps(found, true)
    pairs = [(row, column) for row, column in enumerate(partner) if column >= 0]
    assert partner.shape == (len(found),) and partner.dtype == np.int64
    assert len({column for _, column in pairs}) == len(pairs)
    assert all(shared[pair] >= np.float32(threshold) for pair in pairs)
    alone = np.flatnonzero(partner < 0)
    left = np.setdiff1d(np.arange(len(true)), partner)
    assert not (shared[np.ix_(alone, left)] >= np.float32(threshold)).any()


def test_match_gives_a_face_to_the_box_that_overlaps_it_most() -> None:
    true = boxes((0, 0, 100, 100))
    found = boxes((30, 0, 130, 100), (5, 0, 105, 100), (200, 200, 300, 300))
    assert match(found, true).tolist() == [-1, 0, -1]


def test_match_prefers_the_best_pair_over_the_first() -> None:
    true = boxes((0, 0, 100, 100), (40, 0, 140, 100))
    found = boxes((20, 0, 120, 100), (0, 0, 100, 100))
    assert match(found, true).tolist() == [1, 0]


def test_match_counts_a_pair_exactly_at_the_threshold() -> None:
    assert match(boxes((0, 0, 10, 10)), boxes((0, 0, 10, 3)), 0.3).tolist() == [0]
    assert match(boxes((0, 0, 10, 10)), boxes((0, 0, 10, 3)), 0.31).tolist() == [-1]


@pytest.mark.parametrize(("n_found", "n_true"), [(0, 0), (0, 2), (2, 0)])
def test_match_of_nothing_is_empty_handed(n_found: int, n_true: int) -> None:
    some = boxes((0, 0, 10, 10), (20, 20, 30, 30))
    assert match(some[:n_found], some[:n_true]).tolist() == [-1] * n_found
