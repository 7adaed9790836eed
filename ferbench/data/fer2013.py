"""FER2013: 35,887 gray faces of 48 x 48 pixels, from Kaggle's CSV file or from folders, as a prepared dataset.

The images are not ours to give away: the user brings them. `fer2013_csv.py` and `fer2013_folder.py` read the two forms.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from ferbench.data.cache import read_cache, write_cache
from ferbench.data.dataset import Dataset, Split, data_home, duplicate_groups
from ferbench.data.fer2013_csv import FER2013_CSV, SIDE, USAGES, Face, read_csv_faces
from ferbench.data.fer2013_folder import read_folder_faces
from ferbench.errors import DataError, DatasetMissingError
from ferbench.types import EMOTIONS, ProgressHook

OFFICIAL_COUNTS: Mapping[str, Sequence[int]] = {
    "train": (3995, 436, 4097, 7215, 4830, 3171, 4965),
    "validation": (467, 56, 496, 895, 653, 415, 607),
    "test": (491, 55, 528, 879, 594, 416, 626),
}
"""Faces of each class in each split of the official file."""

_HOW_TO_GET = (
    "FER2013 is not on this machine: with a free Kaggle account, download fer2013.csv or icml_face_data.csv of "
    "'Challenges in Representation Learning: Facial Expression Recognition Challenge' (its images may not be "
    "redistributed), then run: python -m ferbench data prepare fer2013 PATH"
)


def load_fer2013() -> Dataset:
    """FER2013 as `prepare_fer2013` left it on this machine; its images are mapped from disk.

    Raises:
        DatasetMissingError: it has not been prepared; the message says how.
        DataError: what was prepared is damaged.
    """
    directory = _directory()
    try:
        dataset = read_cache(directory)
    except DatasetMissingError:
        raise DatasetMissingError(_HOW_TO_GET) from None
    if dataset.name != "fer2013" or dataset.classes != EMOTIONS:
        raise DataError(
            f"{directory} holds '{dataset.name}', not fer2013: delete that folder and prepare fer2013 again."
        )
    return dataset


def prepare_fer2013(
    path: str | Path,
    *,
    on_progress: ProgressHook = lambda stage, done, total: None,
    counts: Mapping[str, Sequence[int]] | None = OFFICIAL_COUNTS,
) -> Path:
    """Read Kaggle's CSV file or folders of pictures once and leave a dataset that opens in an instant.

    From a CSV file, `Split.rows` are its rows. From folders they are the numbers in the file names, which also give
    the order; JPEG copies have other pixels than the CSV file, and so another fingerprint.

    Args:
        path: fer2013.csv or icml_face_data.csv, as it is or as .gz, .xz, .zip or .tar.gz; or a folder that holds one
            of them, or class folders of pictures whose names tell the official split (Training_1.jpg).
        on_progress: Called as work goes on, with bytes or pictures read and in all.
        counts: Faces of each class that "train", "validation" and "test" must have; None checks nothing.

    Returns:
        The folder of the prepared dataset, under `data_home()`.

    Raises:
        DataError: what was given is missing, damaged or not the whole FER2013; the message names the line or file.
    """
    dataset = _read(Path(path), on_progress)
    if counts is not None:
        _check_counts(dataset, counts)
    write_cache(dataset, _directory())
    return _directory()


def _directory() -> Path:
    return data_home() / "datasets" / "fer2013"


def _read(path: Path, on_progress: ProgressHook) -> Dataset:
    pixels = {name: bytearray() for name in USAGES.values()}
    labels: dict[str, list[int]] = {name: [] for name in pixels}
    rows: dict[str, list[int]] = {name: [] for name in pixels}
    for face in _read_faces(path, on_progress):
        pixels[face.split] += face.pixels
        labels[face.split].append(face.label)
        rows[face.split].append(face.row)
    images = {name: np.frombuffer(data, np.uint8).reshape(-1, SIDE, SIDE) for name, data in pixels.items()}
    ends = np.cumsum([len(array) for array in images.values()])[:-1]
    groups = np.split(duplicate_groups(itertools.chain.from_iterable(images.values())), ends)
    splits = {
        name: Split(images[name], np.array(labels[name], np.int64), np.array(rows[name], np.int64), split_groups)
        for name, split_groups in zip(images, groups, strict=True)
    }
    return Dataset(name="fer2013", classes=EMOTIONS, is_synthetic=False, **splits)


def _read_faces(path: Path, on_progress: ProgressHook) -> Iterator[Face]:
    if not path.is_dir():
        return read_csv_faces(path, on_progress)
    inside = next((path / name for name in FER2013_CSV.names if (path / name).is_file()), None)
    return read_csv_faces(inside, on_progress) if inside else read_folder_faces(path, on_progress)


def _check_counts(dataset: Dataset, counts: Mapping[str, Sequence[int]]) -> None:
    for name, split in dataset.splits():
        expected = tuple(counts[name])
        found = tuple(split.counts(len(dataset.classes)).tolist())
        if found != expected:
            raise DataError(
                f"{name} must have {sum(expected):,} faces {expected} by class, got {sum(found):,} {found}: "
                "this is not the whole official file, download it again."
            )
