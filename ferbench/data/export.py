"""Prepared datasets back to files that other programs read: folders of pictures, or one CSV file.

Both are forms that `prepare_fer2013` reads: what is exported from FER2013 comes back as it was, rows included.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ferbench.data.dataset import Dataset
from ferbench.data.fer2013_csv import SIDE, USAGES
from ferbench.data.images import import_cv2
from ferbench.errors import DataError
from ferbench.types import EMOTIONS, ProgressHook

_USAGE_OF = {split: usage for usage, split in USAGES.items()}
_PIXELS = [str(value) for value in range(256)]
_FACES_A_REPORT = 500


def export_folder(
    dataset: Dataset,
    directory: str | Path,
    *,
    on_progress: ProgressHook = lambda stage, done, total: None,
) -> None:
    """Write each face as `<split>/<class>/<Usage>_<row>.png`, for instance `test/fear/PrivateTest_35886.png`.

    PNG keeps every pixel. Splits are train, validation and test; the Usage is FER2013's word for each. Votes and groups
    are not written.

    Args:
        dataset: Any dataset.
        directory: A folder that does not exist or is empty; it is filled only once everything is written.
        on_progress: Called with faces written and in all.

    Raises:
        DataError: the folder is in use or cannot be written, or two faces have one name.
        MissingLibraryError: OpenCV is not there.
    """
    directory = Path(directory)
    cv2 = import_cv2()
    with _written(directory) as partial:
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise DataError(f"{directory} is there and not an empty folder: give another, or remove it.")
        partial.mkdir()
        for face in _faces(dataset, f"writing {directory.name}", on_progress):
            folder = partial / face.split / dataset.classes[face.label]
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{_USAGE_OF[face.split]}_{face.row}.png"
            if path.exists():
                raise DataError(f"Two faces of {face.split} have the row {face.row}: export them to a CSV file.")
            path.write_bytes(cv2.imencode(".png", np.ascontiguousarray(face.image))[1].tobytes())
        if directory.exists():
            directory.rmdir()


def export_csv(
    dataset: Dataset,
    path: str | Path,
    *,
    on_progress: ProgressHook = lambda stage, done, total: None,
) -> None:
    """Write a CSV file in FER2013's schema, `emotion,pixels,Usage`, a face a line in the order of `Split.rows`.

    `emotion` is FER2013's number, 0 to 6, if every class of the dataset is one of its seven. Otherwise it is the name
    of the class on every line, which `prepare_fer2013` refuses instead of taking it for another. Votes and groups are
    not written.

    Args:
        dataset: A dataset of 48 x 48 pixels: the schema has no place for another size.
        path: Where to; a file of that name is replaced once the new one is complete. ".gz" at its end packs it.
        on_progress: Called with faces written and in all.

    Raises:
        DataError: the images have another size, or the file cannot be written.
    """
    path = Path(path)
    if dataset.train.images.shape[1:] != (SIDE, SIDE):
        height, width = dataset.train.images.shape[1:]
        raise DataError(f"A CSV file holds faces of {SIDE} x {SIDE} pixels, got {height} x {width}: export a folder.")
    is_official = set(dataset.classes) <= set(EMOTIONS)
    words = [str(EMOTIONS.index(name)) if is_official else name for name in dataset.classes]
    with _written(path) as partial, _opened(partial) as file:
        file.write("emotion,pixels,Usage\n")
        for face in _faces(dataset, f"writing {path.name}", on_progress):
            pixels = " ".join(map(_PIXELS.__getitem__, face.image.tobytes()))
            file.write(f"{words[face.label]},{pixels},{_USAGE_OF[face.split]}\n")


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "wt", compresslevel=6, encoding="utf-8", newline="")
    return path.open("w", encoding="utf-8", newline="")


class _Face(NamedTuple):
    split: str
    label: int
    row: int
    image: NDArray[np.uint8]


def _faces(dataset: Dataset, stage: str, on_progress: ProgressHook) -> Iterator[_Face]:
    """Every face by its row; train, validation, test where they share one."""
    splits = list(dataset.splits())
    ends = np.cumsum([len(split) for _, split in splits])
    order = np.argsort(np.concatenate([split.rows for _, split in splits]), kind="stable")
    for n_done, place in enumerate(order, start=1):
        number = int(np.searchsorted(ends, place, side="right"))
        name, split = splits[number]
        index = int(place - ends[number])  # from the end of its split
        yield _Face(name, int(split.labels[index]), int(split.rows[index]), split.images[index])
        if n_done % _FACES_A_REPORT == 0 or n_done == len(order):
            on_progress(stage, n_done, len(order))


@contextmanager
def _written(target: Path) -> Iterator[Path]:
    """A place beside `target` to write to, which takes its name once all has gone well and is removed otherwise."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            yield partial / target.name
            (partial / target.name).replace(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise DataError(f"{target} cannot be written ({error.strerror}): free space there, or give another.") from error
