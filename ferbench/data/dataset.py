"""Labelled faces in three splits, what identifies them, and where prepared datasets live on this machine.

No file format is known here: `cache.py` stores datasets, and one file a dataset makes them.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from ferbench.data.emotions import label_map
from ferbench.errors import DataError
from ferbench.types import Groups, Images, Labels


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Faces with one label each.

    Attributes:
        images: uint8, (n, height, width).
        labels: int64, (n,), indices into the dataset's classes.
        rows: int64, (n,): the row number of each image in its source; joins other label files, names predictions.
        groups: int64, (n,): identical images share an id across the whole dataset.
        votes: float32, (n, n_classes): taggers' votes a class, where a dataset has them.

    Raises:
        DataError: an array has the wrong dtype or length.
    """

    images: Images
    labels: Labels
    rows: NDArray[np.int64]
    groups: Groups
    votes: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim != 3:
            raise DataError(
                f"images must be uint8 (n, height, width), got {self.images.dtype} {self.images.shape}: "
                "make them gray and do not rescale."
            )
        for name in ("labels", "rows", "groups"):
            array = getattr(self, name)
            if array.dtype != np.int64 or array.shape != (len(self),):
                raise DataError(f"{name} must be int64 ({len(self)},), one an image, got {array.dtype} {array.shape}.")
        if self.votes is not None and (
            self.votes.dtype != np.float32 or self.votes.ndim != 2 or len(self.votes) != len(self)
        ):
            raise DataError(
                f"votes must be float32 ({len(self)}, n_classes), got {self.votes.dtype} {self.votes.shape}."
            )

    def __len__(self) -> int:
        return len(self.images)

    def counts(self, n_classes: int) -> NDArray[np.int64]:
        """How many faces each class has, int64 (n_classes,)."""
        return np.bincount(self.labels, minlength=n_classes).astype(np.int64)

    def take(self, selection: NDArray[np.bool_] | NDArray[np.int64]) -> Split:
        """The faces that a mask or indices select, as a split of its own."""
        return Split(
            images=self.images[selection],
            labels=self.labels[selection],
            rows=self.rows[selection],
            groups=self.groups[selection],
            votes=None if self.votes is None else self.votes[selection],
        )


class DatasetCard(BaseModel):
    """What a result records of the dataset it was measured on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    classes: tuple[str, ...]
    fingerprint: str
    is_synthetic: bool
    n_train: int
    n_validation: int
    n_test: int
    n_clean_test: int
    counts: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Faces to fit on, to choose with and to be tested on.

    Attributes:
        name: The registry name that loads it.
        classes: Names of the classes, in the order of the labels.
        train: What recognizers learn from.
        validation: What chooses between them (early stopping, a penalty).
        test: What they are scored on.
        is_synthetic: Whether the faces were drawn by a program.

    Raises:
        DataError: labels, votes or image sizes of the splits do not fit the classes or each other.
    """

    name: str
    classes: tuple[str, ...]
    train: Split
    validation: Split
    test: Split
    is_synthetic: bool = False
    _fingerprints: list[str] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.classes) < 2 or len(set(self.classes)) != len(self.classes):
            raise DataError(f"A dataset needs two or more different classes, got {self.classes}.")
        for name, split in self.splits():
            if len(split) and not (split.labels.min() >= 0 and split.labels.max() < len(self.classes)):
                raise DataError(
                    f"labels of {name} must lie in 0 to {len(self.classes) - 1}, "
                    f"got {split.labels.min()} to {split.labels.max()}."
                )
            if split.images.shape[1:] != self.train.images.shape[1:]:
                raise DataError(
                    f"{name} images are {split.images.shape[1:]} and train images {self.train.images.shape[1:]}: "
                    "resize them to one size."
                )
            if split.votes is not None and split.votes.shape[1] != len(self.classes):
                raise DataError(
                    f"votes of {name} must have {len(self.classes)} columns, one a class, got {split.votes.shape[1]}."
                )

    def splits(self) -> Iterator[tuple[str, Split]]:
        """("train", split), ("validation", split), ("test", split)."""
        yield from (("train", self.train), ("validation", self.validation), ("test", self.test))

    def fingerprint(self) -> str:
        """What this data is, as the sha256 of its classes, images, labels and votes; file formats do not matter.

        Computed once for each dataset: its arrays must not be changed.
        """
        if not self._fingerprints:
            digest = hashlib.sha256("\n".join(self.classes).encode())
            for name, split in self.splits():
                for kind, array in (("images", split.images), ("labels", split.labels), ("votes", split.votes)):
                    if array is not None:
                        little_endian = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
                        digest.update(f"\n{name} {kind} {little_endian.dtype.str} {array.shape}\n".encode())
                        digest.update(little_endian.reshape(-1).view(np.uint8).data)
            self._fingerprints.append(digest.hexdigest())
        return self._fingerprints[0]

    def clean_test(self) -> NDArray[np.bool_]:
        """Which test rows measure something new: the first of each image, without an identical twin elsewhere.

        Returns:
            bool, (n_test,).
        """
        ids = duplicate_groups(chain(self.train.images, self.validation.images, self.test.images))
        seen, tested = np.split(ids, [len(self.train) + len(self.validation)])
        return first_unseen(tested, [seen])

    def with_classes(self, classes: tuple[str, ...]) -> Dataset:
        """The same faces under other classes; faces of a class that is dropped are left out.

        Raises:
            ConfigError: the classes cannot be mapped, see `emotions.label_map`.
        """
        if tuple(classes) == self.classes:
            return self
        targets = label_map(self.classes, tuple(classes))
        splits = {name: _mapped(split, targets, len(classes)) for name, split in self.splits()}
        return Dataset(name=self.name, classes=tuple(classes), is_synthetic=self.is_synthetic, **splits)

    def card(self) -> DatasetCard:
        """Name, size and identity of this data, to be written beside what was measured on it."""
        counts = {name: split.counts(len(self.classes)).tolist() for name, split in self.splits()}
        return DatasetCard(
            name=self.name,
            classes=self.classes,
            fingerprint=self.fingerprint(),
            is_synthetic=self.is_synthetic,
            n_train=len(self.train),
            n_validation=len(self.validation),
            n_test=len(self.test),
            n_clean_test=int(self.clean_test().sum()),
            counts={name: dict(zip(self.classes, numbers, strict=True)) for name, numbers in counts.items()},
        )


def _mapped(split: Split, targets: NDArray[np.int64], n_classes: int) -> Split:
    labels = targets[split.labels]
    votes = None
    if split.votes is not None:
        votes = np.zeros((len(split), n_classes), np.float32)
        for source, target in enumerate(targets):
            if target >= 0:
                votes[:, target] += split.votes[:, source]
    kept = labels >= 0
    mapped = replace(split, labels=np.maximum(labels, 0), votes=votes)
    return mapped if kept.all() else mapped.take(kept)


def first_unseen(tested: Groups, seen: Iterable[Groups]) -> NDArray[np.bool_]:
    """Which of `tested` are the first of their group and of none in `seen`, bool (n,)."""
    clean = np.zeros(len(tested), dtype=np.bool_)
    clean[np.unique(tested, return_index=True)[1]] = True
    return clean & ~np.isin(tested, np.concatenate(list(seen)))


def duplicate_groups(images: Iterable[NDArray[np.uint8]]) -> Groups:
    """Give identical images one id, by every pixel.

    Args:
        images: Gray images of one size, of all splits together: uint8 (n, height, width), or one by one.

    Returns:
        int64, (n,): ids count up from 0 in the order of first appearance.
    """
    ids: dict[bytes, int] = {}
    digests = (hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest() for image in images)
    return np.fromiter((ids.setdefault(digest, len(ids)) for digest in digests), np.int64)


def data_home() -> Path:
    """The folder for prepared datasets, caches and checkpoints: FERBENCH_DATA, else the system's place for them."""
    if chosen := os.environ.get("FERBENCH_DATA"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "ferbench"
