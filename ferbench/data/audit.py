"""What is wrong with a dataset: the same picture twice, across splits or under two labels; blanks; imbalance.

Pictures are compared by their pixels; a dataset's own `groups` (a person, a clip) are not looked at, except by
`Dataset.clean_test`. Nothing is drawn or printed here.
"""

from __future__ import annotations

from itertools import chain

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ferbench.data.dataset import Dataset, Split, duplicate_groups, first_unseen
from ferbench.data.near_duplicates import (
    MIN_CONTRAST,
    MIN_CORRELATION,
    MIN_CORRELATION_DRAWN,
    contrast,
    near_pairs,
    thumbnails,
)
from ferbench.types import Groups, ProgressHook


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Copy(_Record):
    """One picture of a group: where it is and what it is said to show. `row` is its number in the source."""

    split: str
    row: int
    label: str


class Duplicates(_Record):
    """Groups of two or more pictures that are the same, or nearly.

    Attributes:
        n_groups: How many groups there are.
        n_images: Pictures in them.
        n_across_splits: Groups with pictures in two or more splits.
        n_conflicting: Groups whose pictures have different labels.
        images_by_split: Pictures in groups, by split.
        groups: All groups, by first appearance.
    """

    n_groups: int
    n_images: int
    n_across_splits: int
    n_conflicting: int
    images_by_split: dict[str, int]
    groups: tuple[tuple[Copy, ...], ...]

    def across_splits(self) -> tuple[tuple[Copy, ...], ...]:
        """Groups with pictures in two or more splits."""
        return tuple(group for group in self.groups if _crosses(group))

    def conflicting(self) -> tuple[tuple[Copy, ...], ...]:
        """Groups whose pictures have different labels."""
        return tuple(group for group in self.groups if _conflicts(group))


class Balance(_Record):
    """Faces by class in one split, and how many times the largest class has the smallest's; None for an empty one."""

    counts: dict[str, int]
    imbalance: float | None


class Audit(_Record):
    """What `audit` found.

    Attributes:
        dataset: Its name.
        fingerprint: Which data exactly.
        image_size: Height and width in pixels.
        exact: Pictures identical in every pixel.
        near: Groups of at least two different pictures that are nearly the same, with their identical copies.
        min_correlation: What "nearly" meant, see `near_duplicates.MIN_CORRELATION`.
        blank: Pictures without contrast.
        min_contrast: Standard deviation of the pixels, in gray levels, below which one is blank.
        balance: Classes by split.
        n_clean_test: Test pictures of `Dataset.clean_test`: one row an image, no twin in another split.
        n_clean_test_near: Those of them without a nearly identical picture in another split, one of each near group.
    """

    dataset: str
    fingerprint: str
    image_size: tuple[int, int]
    exact: Duplicates
    near: Duplicates
    min_correlation: float
    blank: tuple[Copy, ...]
    min_contrast: float
    balance: dict[str, Balance]
    n_clean_test: int
    n_clean_test_near: int


def audit(
    dataset: Dataset,
    *,
    min_correlation: float | None = None,
    on_progress: ProgressHook = lambda stage, done, total: None,
) -> Audit:
    """Look for duplicates, leaks between splits, conflicting labels, blank pictures and imbalance.

    FER2013 takes about ten seconds on one core and 0.4 GB.

    Args:
        dataset: Any dataset; images of other sizes are compared at 48 x 48.
        min_correlation: What counts as nearly the same, up to 1; None: what suits photographs, or drawn faces.
        on_progress: Called as work goes on, with pictures done and in all.
    """
    min_correlation = _usual_correlation(dataset) if min_correlation is None else min_correlation
    n_images = sum(len(split) for _, split in dataset.splits())
    on_progress("looking for identical pictures", 0, n_images)
    exact = _identical(dataset)
    near = near_groups(dataset, min_correlation=min_correlation, on_progress=on_progress)
    is_near = _has_different(np.concatenate(list(near.values())), exact)
    is_blank = np.concatenate([contrast(split.images) for _, split in dataset.splits()]) < MIN_CONTRAST
    copies = _Copies(dataset)
    clean = dataset.clean_test()
    return Audit(
        dataset=dataset.name,
        fingerprint=dataset.fingerprint(),
        image_size=(dataset.train.images.shape[1], dataset.train.images.shape[2]),
        exact=copies.duplicates(exact, np.bincount(exact)[exact] > 1),
        near=copies.duplicates(np.concatenate(list(near.values())), is_near),
        min_correlation=min_correlation,
        blank=copies.take(np.flatnonzero(is_blank)),
        min_contrast=MIN_CONTRAST,
        balance={name: _balance(split, dataset.classes) for name, split in dataset.splits()},
        n_clean_test=int(clean.sum()),
        n_clean_test_near=int((clean & first_unseen(near["test"], [near["train"], near["validation"]])).sum()),
    )


def near_groups(
    dataset: Dataset,
    *,
    min_correlation: float | None = None,
    on_progress: ProgressHook = lambda stage, done, total: None,
) -> dict[str, Groups]:
    """Give pictures that are the same, or nearly, one id: what resampling should draw together.

    Nearly the same is passed on: if a is near b and b near c, the three are one group.

    Args:
        dataset: Any dataset; images of other sizes are compared at 48 x 48.
        min_correlation: See `audit`.
        on_progress: Called as work goes on, with pictures done and in all.

    Returns:
        By split, int64 (n,): ids are of the whole dataset.
    """
    min_correlation = _usual_correlation(dataset) if min_correlation is None else min_correlation
    identical = _identical(dataset)
    first = np.unique(identical, return_index=True)[1]
    starts = np.cumsum([0, *(len(split) for _, split in dataset.splits())])
    small = [
        thumbnails(split.images[first[(first >= start) & (first < start + len(split))] - start])
        for (_, split), start in zip(dataset.splits(), starts[:-1], strict=True)
    ]
    pairs = near_pairs(np.concatenate(small), min_correlation=min_correlation, on_progress=on_progress)
    links = coo_array((np.ones(len(pairs.first)), (pairs.first, pairs.second)), shape=(len(first), len(first)))
    component = connected_components(links, directed=False)[1].astype(np.int64)
    ids = np.split(component[identical], starts[1:-1])
    return {name: split_ids for (name, _), split_ids in zip(dataset.splits(), ids, strict=True)}


def _usual_correlation(dataset: Dataset) -> float:
    return MIN_CORRELATION_DRAWN if dataset.is_synthetic else MIN_CORRELATION


def _identical(dataset: Dataset) -> Groups:
    return duplicate_groups(chain.from_iterable(split.images for _, split in dataset.splits()))


def _has_different(near: Groups, exact: Groups) -> NDArray[np.bool_]:
    """Which pictures are in a near group with at least two different pictures."""
    distinct = np.unique(np.stack([near, exact]), axis=1)[0]
    mask: NDArray[np.bool_] = (np.bincount(distinct) > 1)[near]
    return mask


def _balance(split: Split, classes: tuple[str, ...]) -> Balance:
    counts = split.counts(len(classes))
    imbalance = float(counts.max() / counts.min()) if counts.min() else None
    return Balance(counts=dict(zip(classes, counts.tolist(), strict=True)), imbalance=imbalance)


def _crosses(group: tuple[Copy, ...]) -> bool:
    return len({copy.split for copy in group}) > 1


def _conflicts(group: tuple[Copy, ...]) -> bool:
    return len({copy.label for copy in group}) > 1


class _Copies:
    """The pictures of all splits in one line."""

    def __init__(self, dataset: Dataset) -> None:
        self._names = [name for name, _ in dataset.splits()]
        self._classes = dataset.classes
        self._split = np.repeat(np.arange(len(self._names)), [len(split) for _, split in dataset.splits()])
        self._rows = np.concatenate([split.rows for _, split in dataset.splits()])
        self._labels = np.concatenate([split.labels for _, split in dataset.splits()])

    def take(self, indices: NDArray[np.int64]) -> tuple[Copy, ...]:
        return tuple(
            Copy(split=self._names[self._split[i]], row=int(self._rows[i]), label=self._classes[self._labels[i]])
            for i in indices
        )

    def duplicates(self, groups: Groups, selected: NDArray[np.bool_]) -> Duplicates:
        """The groups of the selected pictures."""
        members = np.flatnonzero(selected)
        members = members[np.argsort(groups[members], kind="stable")]
        ends = np.flatnonzero(np.diff(groups[members])) + 1
        parts = np.split(members, ends) if len(members) else []
        found = tuple(self.take(part) for part in sorted(parts, key=lambda part: int(part[0])))
        counts = np.bincount(self._split[members], minlength=len(self._names)).tolist()
        return Duplicates(
            n_groups=len(found),
            n_images=len(members),
            n_across_splits=sum(map(_crosses, found)),
            n_conflicting=sum(map(_conflicts, found)),
            images_by_split=dict(zip(self._names, counts, strict=True)),
            groups=found,
        )
