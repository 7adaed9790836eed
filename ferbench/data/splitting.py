"""Which row goes to which split: seeded, by class, and never through the middle of a group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ferbench.errors import DataError
from ferbench.types import Groups, Labels


def divide(labels: Labels, groups: Groups, shares: Sequence[float], *, seed: int) -> NDArray[np.int64]:
    """Divide rows into parts of about the given shares, class by class; rows of one group stay together.

    A group belongs to its most frequent class. In each class groups come largest first, in seeded order among equals,
    and each goes to the part that then is least full by the divisors of Sainte-Laguë, which favor neither large nor
    small shares. What rounding gave a part too much in one class it gets less in the next, so that many small classes
    keep the shares too. A part that stays empty receives the smallest group of the part with most groups.

    Args:
        labels: int64, (n,), from 0.
        groups: int64, (n,).
        shares: What each part should have, in any unit; a share of 0 receives nothing.
        seed: Orders groups of one size.

    Returns:
        int64, (n,): an index into `shares`.

    Raises:
        DataError: there are fewer groups than parts.
    """
    _, group_of_row, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    parts = [part for part, share in enumerate(shares) if share > 0]
    if len(sizes) < len(parts):
        raise DataError(
            f"A split into {len(parts)} parts needs {len(parts)} groups or more, got {len(sizes)}: "
            "add pictures of other people, or name the split of each picture."
        )
    wanted = np.array(shares, np.float64) / sum(shares)
    classes = _main_classes(labels, group_of_row, len(sizes))
    shuffled = np.random.default_rng(seed).permutation(len(sizes))
    order = shuffled[np.lexsort((-sizes[shuffled], classes[shuffled]))]
    part_of_group = np.full(len(sizes), parts[0], np.int64)
    excess = np.zeros(len(shares))
    for label in np.unique(classes):
        members = order[classes[order] == label]
        # A large group may weigh on its own class only.
        filled = np.clip(excess, -np.median(sizes[members]), np.median(sizes[members])).tolist()
        for group, size in zip(members.tolist(), sizes[members].tolist(), strict=True):
            part = min(parts, key=lambda p: (filled[p] + size / 2) / shares[p])
            filled[part] += size
            part_of_group[group] = part
        in_parts = np.bincount(part_of_group[members], sizes[members], minlength=len(shares))
        excess += in_parts - wanted * in_parts.sum()
    for part in parts:
        n_groups = np.bincount(part_of_group, minlength=len(shares))
        if n_groups[part] == 0:
            donors = np.flatnonzero(part_of_group == n_groups.argmax())
            part_of_group[donors[sizes[donors].argmin()]] = part
    return part_of_group[group_of_row]


def _main_classes(labels: Labels, group_of_row: NDArray[np.int64], n_groups: int) -> NDArray[np.int64]:
    n_classes = int(labels.max()) + 1
    pairs, counts = np.unique(group_of_row * n_classes + labels, return_counts=True)
    main = np.empty(n_groups, np.int64)
    rising = pairs[np.argsort(counts, kind="stable")]
    main[rising // n_classes] = rising % n_classes  # the most frequent is written last
    return main


def merged_groups(*kinds: Groups) -> Groups:
    """Groups such that rows share an id wherever any kind of grouping links them, through other rows too.

    Args:
        kinds: Each int64, (n,), with ids of its own.

    Returns:
        int64, (n,): the smallest id of the first kind among the rows that are linked.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(kinds[0])
    firsts = []
    for kind in kinds:
        _, first_rows, inverse = np.unique(kind, return_index=True, return_inverse=True)
        firsts.append(first_rows[inverse])
    ends, rows = np.concatenate(firsts), np.tile(np.arange(n), len(kinds))
    links = coo_array((np.ones(len(rows), np.bool_), (rows, ends)), shape=(n, n))
    n_components, component = connected_components(links, directed=False)
    ids = np.full(n_components, np.iinfo(np.int64).max)
    np.minimum.at(ids, component, kinds[0])
    return np.asarray(ids[component], dtype=np.int64)
