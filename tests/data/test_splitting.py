from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferbench.data.splitting import divide, merged_groups
from ferbench.errors import DataError

SHARES = (0.7, 0.15, 0.15)


def test_divide_keeps_the_shares_of_every_class() -> None:
    labels = np.repeat(np.arange(3), [1000, 200, 20])
    parts = divide(labels, np.arange(len(labels)), SHARES, seed=0)
    counts = np.stack([np.bincount(parts[labels == label], minlength=3) for label in range(3)])
    np.testing.assert_allclose(counts, np.outer([1000, 200, 20], SHARES), atol=1)


def test_divide_keeps_the_shares_of_many_small_classes_together() -> None:
    parts = divide(np.arange(28) % 7, np.arange(28), SHARES, seed=0)
    assert np.bincount(parts).tolist() == [20, 4, 4]


def test_divide_lets_a_large_group_weigh_on_its_own_class_only() -> None:
    labels, groups = np.repeat([0, 1], [1000, 40]), np.append(np.zeros(1000, np.int64), np.arange(1, 41))
    parts = divide(labels, groups, SHARES, seed=0)
    np.testing.assert_allclose(np.bincount(parts[1000:]), [28, 6, 6], atol=2)


def test_divide_follows_the_seed() -> None:
    labels, groups = np.arange(60) % 3, np.arange(60)
    first = divide(labels, groups, SHARES, seed=0)
    np.testing.assert_array_equal(first, divide(labels, groups, SHARES, seed=0))
    assert (first != divide(labels, groups, SHARES, seed=1)).any()


def test_divide_gives_nothing_to_a_share_of_zero() -> None:
    parts = divide(np.arange(100) % 2, np.arange(100), (0.9, 0.1, 0.0), seed=0)
    assert np.bincount(parts, minlength=3).tolist() == [90, 10, 0]


def test_divide_leaves_no_part_empty_although_every_group_has_a_class_of_its_own() -> None:
    parts = divide(np.repeat(np.arange(3), 10), np.repeat(np.arange(3), 10), SHARES, seed=0)
    assert sorted(set(parts.tolist())) == [0, 1, 2]


def test_divide_refuses_fewer_groups_than_parts() -> None:
    with pytest.raises(DataError, match="needs 3 groups or more, got 2"):
        divide(np.arange(10) % 7, np.arange(10) % 2, SHARES, seed=0)


@given(data=st.data(), n=st.integers(3, 60), seed=st.integers(0, 9))
def test_divide_never_cuts_a_group_and_leaves_no_part_empty(data: st.DataObject, n: int, seed: int) -> None:
    ids = st.lists(st.integers(0, 12), min_size=n, max_size=n)
    labels, groups = (np.array(data.draw(ids), np.int64) for _ in range(2))
    if len(set(groups.tolist())) < 3:
        return
    parts = divide(labels, groups, SHARES, seed=seed)
    assert len(set(zip(groups.tolist(), parts.tolist(), strict=True))) == len(set(groups.tolist()))
    assert set(parts.tolist()) == {0, 1, 2}


def test_merged_groups_follow_links_through_other_rows() -> None:
    people, twins = np.array([5, 5, 6, 7, 8]), np.array([0, 1, 1, 2, 3])
    merged = merged_groups(people, twins)
    assert merged.dtype == np.int64
    assert merged.tolist() == [5, 5, 5, 7, 8]
