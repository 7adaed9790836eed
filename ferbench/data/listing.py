"""From a list of labelled picture files, as a data set or a person's folder gives it, to a prepared dataset.

Each data set's own file knows its layout and makes the list; what follows is the same for all and stands here.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ferbench.data.cache import read_cache, write_cache
from ferbench.data.dataset import Dataset, Split, data_home, duplicate_groups
from ferbench.data.extras import write_extra
from ferbench.data.pictures import Crop, Pictures, read_pictures, write_problems
from ferbench.data.splitting import divide, merged_groups
from ferbench.errors import ConfigError, DataError, DatasetMissingError
from ferbench.types import Groups, Images, Labels, ProgressHook

TRAIN, VALIDATION, TEST = 0, 1, 2
"""The parts of a `Listing`."""

_COPIED_AT_ONCE = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """Labelled picture files before any of them is read.

    Attributes:
        paths: One a picture; a file may be listed twice.
        labels: int64, (n,), indices into the dataset's classes.
        parts: int64, (n,): `TRAIN`, `VALIDATION` or `TEST`.
        groups: int64, (n,): pictures that are not independent share an id; None: only identical ones do.
        boxes: int32, (n, 4): x1 y1 x2 y2 of the faces; None: the pictures are faces.
        rows: int64, (n,): row numbers in the source; None: the list is the source.
    """

    paths: Sequence[str | Path]
    labels: Labels
    parts: NDArray[np.int64]
    groups: Groups | None = None
    boxes: NDArray[np.int32] | None = None
    rows: NDArray[np.int64] | None = None


def prepare_listing(
    name: str,
    classes: tuple[str, ...],
    listing: Listing,
    *,
    carve: Sequence[float] | None = None,
    seed: int = 0,
    size: tuple[int, int] = (48, 48),
    crop: Crop | None = None,
    extras: Mapping[str, NDArray[Any]] | None = None,
    on_progress: ProgressHook = lambda stage, done, total: None,
) -> Path:
    """Read the pictures of a list and store them as the dataset `name`; a second call goes on where one was killed.

    Pictures that cannot be used are left out and named in `unreadable.txt`.

    Args:
        name: Of the dataset.
        classes: What the labels mean.
        listing: What to read.
        carve: Shares of (train, validation, test) over which the pictures listed as `TRAIN` are divided by class, with
            groups and identical pictures kept together; None: they are all for training.
        seed: Of that division.
        size: Height and width of the faces.
        crop: A face detector in front, see `read_pictures`.
        extras: Arrays to be stored beside the dataset, see `extras.py`.
        on_progress: Called as work goes on.

    Returns:
        The folder of the prepared dataset, under `data_home()`.

    Raises:
        DataError: no picture can be used, there are too few groups to divide, or the folder cannot be written.
    """
    directory, work = data_home() / "datasets" / name, data_home() / "partial" / name
    try:
        pictures = read_pictures(
            listing.paths, work, size=size, boxes=listing.boxes, crop=crop, on_progress=on_progress
        )
        dataset = _dataset(name, classes, listing, pictures, work, carve, seed)
        write_cache(dataset, directory)
        for extra, array in (extras or {}).items():
            write_extra(directory, extra, array, dataset)
        write_problems(directory, pictures.problems)
        shutil.rmtree(work)
    except OSError as error:
        raise DataError(
            f"{error.filename or work} cannot be written ({error.strerror}): "
            "free space there, or set FERBENCH_DATA to another folder."
        ) from error
    return directory


def validation_carve(share: float) -> tuple[float, float, float]:
    """Shares for `prepare_listing` that divide validation off training and leave test alone.

    Raises:
        ConfigError: `share` does not lie between 0 and 1.
    """
    if not 0 < share < 1:
        raise ConfigError(f"validation_share must lie between 0 and 1, got {share}.")
    return 1 - share, share, 0.0


def load_prepared(name: str, classes: tuple[str, ...] | None, how_to_get: str) -> Dataset:
    """Open the prepared dataset `name`; its images are mapped from disk.

    Args:
        name: Of the dataset.
        classes: What its classes must be; None: they may be any.
        how_to_get: The message where it has not been prepared.

    Raises:
        DatasetMissingError: it has not been prepared.
        DataError: what was prepared is damaged, or is something else.
    """
    directory = data_home() / "datasets" / name
    try:
        dataset = read_cache(directory)
    except DatasetMissingError:
        raise DatasetMissingError(how_to_get) from None
    if dataset.name != name or (classes is not None and dataset.classes != classes):
        raise DataError(
            f"{directory} holds '{dataset.name}' with {', '.join(dataset.classes)}, not {name}: "
            "delete that folder and prepare it again."
        )
    return dataset


def _dataset(
    name: str,
    classes: tuple[str, ...],
    listing: Listing,
    pictures: Pictures,
    work: Path,
    carve: Sequence[float] | None,
    seed: int,
) -> Dataset:
    used = np.flatnonzero(pictures.rows >= 0)
    if len(used) == 0:
        first = f": {pictures.problems[0].path} {pictures.problems[0].reason}" if pictures.problems else ""
        raise DataError(f"None of {len(listing.paths):,} pictures can be used{first}. Check the folder and the paths.")
    places, labels, parts = pictures.rows[used], listing.labels[used], listing.parts[used]
    groups = duplicate_groups(pictures.images)[places]
    if listing.groups is not None:
        groups = merged_groups(listing.groups[used], groups)
    if carve is not None:
        train = np.flatnonzero(parts == TRAIN)
        parts[train] = divide(labels[train], groups[train], carve, seed=seed)
    splits = {}
    for part, split in ((TRAIN, "train"), (VALIDATION, "validation"), (TEST, "test")):
        rows = np.flatnonzero(parts == part)
        images = _taken(pictures.images, places[rows], work / f"{split}.bin")
        numbers = used[rows] if listing.rows is None else listing.rows[used[rows]]
        splits[split] = Split(images, labels[rows], numbers, groups[rows])
    return Dataset(name=name, classes=classes, is_synthetic=False, **splits)


def _taken(images: Images, places: NDArray[np.int64], path: Path) -> Images:
    """Images in another order, written to `path` and mapped from there: none stay in memory."""
    if len(places) == 0:
        return np.empty((0, *images.shape[1:]), np.uint8)
    with path.open("wb") as file:
        for start in range(0, len(places), _COPIED_AT_ONCE):
            file.write(images[places[start : start + _COPIED_AT_ONCE]].tobytes())
    return np.asarray(np.memmap(path, np.uint8, "r", shape=(len(places), *images.shape[1:])))
